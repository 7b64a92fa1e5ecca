"""The clusters, and the nodes that each is made of."""

from dcsomrl.figures.clusters import MOST_CLUSTERS, draw_cluster_profiles, draw_cluster_rows
from dcsomrl.reporting.context import Context
from dcsomrl.reporting.section import Part, Section, clip_images


def draw_clusters(context: Context) -> Section:
    """Every cluster by its nodes, decoded; of tables by what sets it apart."""
    run = context.run
    assert run.cluster is not None
    number = int(run.cluster.max()) + 1
    if run.image:
        figure = draw_cluster_rows(clip_images(run.decoded), run.wins, run.cluster)
        what = "the prototypes of its nodes, the most used first"
    else:
        flat = run.decoded.reshape(len(run.decoded), -1)
        figure = draw_cluster_profiles(flat, run.wins, run.cluster, run.feature_names)
        what = "how far its prototypes lie from the mean of all, in standard deviations"
    few = (
        f" Of {number} clusters, the {MOST_CLUSTERS} largest are drawn."
        if number > MOST_CLUSTERS
        else ""
    )
    how = (
        "as many as were asked for"
        if run.config.get("n_clusters") not in (None, "auto")
        else "a number that holds over the widest range of resolutions"
    )
    caption = (
        f"The {len(run.slots)} nodes of the map are merged into {number} clusters, {how}, by the "
        "training samples that lie between them. Each row is a cluster, with the test samples "
        f"that it won: {what}.{few}"
    )
    return Section(
        "clusters",
        "The nodes that each cluster is made of",
        caption,
        figure,
        {"clusters": number},
        question="clusters",
    )


PART = Part(draw_clusters, needs=("nodes", "clusters"))
