"""The map among the samples, on a plane."""

from dcsomrl.figures.embedding import draw_embedding
from dcsomrl.reporting.context import Context
from dcsomrl.reporting.section import Part, Section, clip_images


def draw_plane(context: Context) -> Section:
    """Samples, prototypes and edges where the embedding has them.

    Source: Fig. 5 of "Shaping latent representations using Self-Organizing Maps with
    Relevance Learning", submitted to ICLR 2022.
    """
    run, (points, nodes) = context.run, context.places
    named = {"tsne": "t-SNE", "umap": "UMAP", "pca": "Principal components"}[context.method]
    tiles = clip_images(run.decoded) if run.image else None
    figure = draw_embedding(points, nodes, run.graph, run.labels, run.class_names, tiles)
    caption = (
        f"{named} of the codes of {len(points):,} test samples and of the prototypes. Distances on "
        "this plane mean little."
    )
    if len(run.graph):
        caption += " Lines join connected nodes; the graph was computed from the codes."
    return Section("plane", "The map among the samples", caption, figure, source="Fig. 5")


PART = Part(draw_plane, needs=("nodes",))
