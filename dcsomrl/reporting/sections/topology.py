"""The graph of the nodes in numbers."""

import numpy as np

from dcsomrl.analysis.topology import (
    compare_classes,
    count_degrees,
    find_components,
)
from dcsomrl.figures.structure import draw_degree_bars
from dcsomrl.reporting.context import Context
from dcsomrl.reporting.section import Part, Section


def draw_topology(context: Context) -> Section:
    """Edges, parts, degrees, and how often the ends of an edge have the same class."""
    run = context.run
    assert run.edges is not None
    n = len(run.slots)
    part, degree = find_components(run.edges, n), count_degrees(run.edges, n)
    agreement = compare_classes(run.edges, run.node_class, seed=context.seed)
    measures: dict[str, float | int | None] = {
        "edges": len(run.edges),
        "components": int(part.max()) + 1,
        "largest_component": int((part == 0).sum()),
        "isolated_nodes": int((degree == 0).sum()),
        "mean_degree": float(degree.mean()),
    }
    caption = (
        f"{len(run.edges)} edges join {n} nodes into {measures['components']} parts, the largest "
        f"of {measures['largest_component']} nodes; {measures['isolated_nodes']} nodes stand alone."
    )
    if agreement is not None:
        measures |= {
            "edge_agreement": agreement.share,
            "edge_agreement_chance": agreement.chance,
            "edge_agreement_p": agreement.p,
        }
        caption += (
            f" The two ends of an edge have the same class in {agreement.share:.0%} of cases, by "
            f"chance in {agreement.chance:.0%} (p {agreement.p:.2g}, by permuting the classes)."
        )
    figure = draw_degree_bars(degree, np.bincount(part))
    return Section("topology", "How many neighbours nodes have", caption, figure, measures)


PART = Part(draw_topology, needs=("nodes", "map"))
