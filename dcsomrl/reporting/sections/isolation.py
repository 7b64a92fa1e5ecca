"""The U-matrix of a grid, and its counterpart on the graph of a growing map."""

from dcsomrl.analysis.isolation import find_isolation
from dcsomrl.figures.planes import draw_planes
from dcsomrl.reporting.context import Context
from dcsomrl.reporting.section import Part, Section


def draw_isolation(context: Context) -> Section:
    """How far every node lies from its neighbours, and edges within clusters and between them."""
    run = context.run
    found = find_isolation(run.centers, run.graph)
    places = context.places[1] if run.lattice is None else run.lattice
    title = "mean distance from the neighbours"
    figure = draw_planes(found.nodes[None], [title], places, run.graph, run.topology)
    caption = (
        "Every node by its mean distance from its neighbours, as in a U-matrix: ridges separate "
        "what lies apart."
    )
    measures: dict[str, float | int | None] = {"mean_edge": float(found.edges.mean())}
    if run.cluster is not None:
        ends = run.cluster[run.graph]
        between = ends[:, 0] != ends[:, 1]
        measures["edges_between_clusters"] = int(between.sum())
        if between.any() and not between.all():
            ratio = found.edges[between].mean() / found.edges[~between].mean()
            measures["between_to_within"] = float(ratio)
            caption += (
                f" {int(between.sum())} of {len(between)} edges lead from one cluster to another, "
                f"and are {ratio:.2f} times as long as those within."
            )
    return Section(
        "isolation", "How far nodes lie from their neighbours", caption, figure, measures
    )


PART = Part(draw_isolation, needs=("nodes", "edges"))
