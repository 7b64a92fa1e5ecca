"""Whether walks along an edge of the map are smoother than others."""

import numpy as np
from scipy.stats import mannwhitneyu

from dcsomrl.analysis.walks import compare_pairs, walk_along
from dcsomrl.figures.structure import draw_pair_scatter
from dcsomrl.reporting.context import Context
from dcsomrl.reporting.run_data import Array, Nodes
from dcsomrl.reporting.section import Part, Section

STEPS = 11
MOST_PAIRS = 400


def draw_pairs(context: Context) -> Section | None:
    """Length, largest jump and unevenness of walks between connected and unconnected nodes.

    Source: Fig. 4 of "Shaping latent representations using Self-Organizing Maps with
    Relevance Learning", submitted to ICLR 2022.
    """
    run = context.run
    edges, n = run.graph, len(run.slots)
    apart = np.argwhere(np.triu(np.ones((n, n)) - _to_dense(edges, n), 1) > 0)
    if len(apart) == 0:
        return None
    rng = np.random.default_rng(context.seed)
    some = [group[rng.permutation(len(group))[:MOST_PAIRS]] for group in (edges, apart)]
    ends = np.concatenate(some)
    walk = np.concatenate([walk_along(run.centers[pair], STEPS) for pair in ends])
    decoded = (run.decode(walk) / run.unit).reshape(len(ends), STEPS, -1)
    distance = np.linalg.norm(run.centers[ends[:, 0]] - run.centers[ends[:, 1]], axis=1)
    table = compare_pairs(decoded, distance, np.arange(len(ends)) < len(some[0]))
    measures = {
        f"walk_{name}_{kind}": float(table[name][table["connected"] == connected].mean())
        for kind, connected in (("connected", True), ("unconnected", False))
        for name in ("distance", "length", "largest_jump", "unevenness")
    }
    apart_first = [group["unevenness"].to_numpy() for _, group in table.groupby("connected")]
    # Whether walks along edges are the more even ones, by more than chance.
    p = float(mannwhitneyu(apart_first[0], apart_first[1], alternative="greater").pvalue)
    measures["walk_unevenness_p"] = p
    caption = (
        "On average a straight walk between connected nodes changes a decoded value by "
        f"{measures['walk_length_connected']:.3f} (RMS) in all and by "
        f"{measures['walk_largest_jump_connected']:.3f} in the largest of its {STEPS - 1} steps, "
        f"{measures['walk_unevenness_connected']:.2f} times the mean one; between nodes that are "
        f"not connected by {measures['walk_length_unconnected']:.3f} and "
        f"{measures['walk_largest_jump_unconnected']:.3f}, "
        f"{measures['walk_unevenness_unconnected']:.2f} times (p {p:.2g} by Mann and "
        "Whitney's test). The former lie "
        f"{measures['walk_distance_connected']:.3f} apart, the latter "
        f"{measures['walk_distance_unconnected']:.3f}."
    )
    title = "Are walks along the map smooth?"
    return Section("pairs", title, caption, draw_pair_scatter(table), measures, source="Fig. 4")


def _to_dense(edges: Nodes, n: int) -> Array:
    found = np.zeros((n, n))
    found[edges[:, 0], edges[:, 1]] = found[edges[:, 1], edges[:, 0]] = 1
    return found


PART = Part(draw_pairs, needs=("nodes", "edges"))
