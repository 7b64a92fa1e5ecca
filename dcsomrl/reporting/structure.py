"""How the nodes hang together: walks, the plane, the graph, map quality, merging."""

import numpy as np
import torch
from scipy.stats import mannwhitneyu

from dcsomrl.analysis.embedding import Method, embed
from dcsomrl.analysis.merging import (
    communities,
    merge,
    merge_by_distance,
    merge_by_kmeans,
    merge_by_linkage,
    prune,
)
from dcsomrl.analysis.quality import map_quality
from dcsomrl.analysis.topology import (
    class_agreement,
    components,
    degrees,
    path_lengths,
    shortest_path,
)
from dcsomrl.analysis.walks import compare_pairs, walk_along
from dcsomrl.figures.embedding import embedding_map
from dcsomrl.figures.images import image_rows
from dcsomrl.figures.structure import degree_bars, merge_bars, pair_scatter
from dcsomrl.inspection import Array, Inspected, Nodes
from dcsomrl.metrics import accuracy, ari, contingency, nmi, purity
from dcsomrl.reporting.section import Section, shown

STEPS = 11
MOST_PAIRS = 400
# Samples on which the map's quality is judged; the cost grows with their square.
QUALITY_SAMPLES = 1500
# Nodes are pruned that win less than this share of what a mean node wins.
PRUNED_SHARE = 0.25


def graph(run: Inspected) -> Nodes:
    """(E, 2) edges of the map; none where the model has no map."""
    return np.empty((0, 2), dtype=np.int64) if run.edges is None else run.edges


def walks(run: Inspected) -> Section | None:
    """Fig. 4, from one prototype to another, straight and along the map."""
    edges = graph(run)
    if not run.image or len(edges) == 0:
        return None
    lengths = np.linalg.norm(run.centers[edges[:, 0]] - run.centers[edges[:, 1]], axis=1)
    hops = path_lengths(edges, len(run.slots))
    hops[np.isinf(hops)] = -1
    start, end = map(int, np.unravel_index(hops.argmax(), hops.shape))
    path = shortest_path(edges, len(run.slots), lengths, start, end)
    rows = [
        shown(run.decode(walk_along(run.centers[[start, end]], STEPS))),
        shown(run.decode(walk_along(run.centers[path], STEPS))),
        shown(run.decoded[path]),
    ]
    labels = ["straight", "along the map", f"its {len(path)} nodes"]
    caption = (
        f"From node {run.slots[start]} to node {run.slots[end]}, which lie farthest apart on the "
        "map: straight through the codes, and along the shortest path of connected nodes."
    )
    return Section("walks", "Between prototypes (Fig. 4)", caption, image_rows(rows, labels))


def pairs(run: Inspected, seed: int) -> Section | None:
    """Whether walks along an edge are smoother than others."""
    edges, n = graph(run), len(run.slots)
    apart = np.argwhere(np.triu(np.ones((n, n)) - _dense(edges, n), 1) > 0)
    if len(edges) == 0 or len(apart) == 0:
        return None
    rng = np.random.default_rng(seed)
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
    title = "Are walks along the map smooth? (Fig. 4)"
    return Section("pairs", title, caption, pair_scatter(table), measures)


def _dense(edges: Nodes, n: int) -> Array:
    found = np.zeros((n, n))
    found[edges[:, 0], edges[:, 1]] = found[edges[:, 1], edges[:, 0]] = 1
    return found


def places(run: Inspected, method: Method, seed: int) -> tuple[Array, Array]:
    """Samples (n, 2) and nodes (K, 2) on one plane."""
    both = embed(np.concatenate([run.latent, run.centers]), method, seed)
    return both[: len(run.latent)], both[len(run.latent) :]


def plane(run: Inspected, points: Array, nodes: Array, method: Method) -> Section:
    """Fig. 5."""
    named = {"tsne": "t-SNE", "umap": "UMAP", "pca": "Principal components"}[method]
    tiles = shown(run.decoded) if run.image else None
    figure = embedding_map(points, nodes, graph(run), run.labels, run.class_names, tiles)
    caption = (
        f"{named} of the codes of {len(points):,} test samples and of the prototypes. Distances on "
        "this plane say little."
    )
    if len(graph(run)):
        caption += " Lines join connected nodes: the graph was found in the codes."
    return Section("plane", "The map among the samples (Fig. 5)", caption, figure)


def topology(run: Inspected, seed: int) -> Section | None:
    """The graph in numbers."""
    if run.edges is None:
        return None
    n = len(run.slots)
    part, degree = components(run.edges, n), degrees(run.edges, n)
    agreement = class_agreement(run.edges, run.node_class, seed=seed)
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
    figure = degree_bars(degree, np.bincount(part))
    return Section("topology", "The graph", caption, figure, measures)


def quality(run: Inspected, seed: int) -> Section | None:
    """The field's measures of a map."""
    if run.edges is None or len(run.latent) < 20:
        return None
    won = np.flatnonzero(run.winner >= 0)
    some = np.random.default_rng(seed).permutation(won)[:QUALITY_SAMPLES]
    paths = path_lengths(run.edges, len(run.slots))
    found = map_quality(run.latent[some], run.winner[some], run.centers, paths)
    caption = (
        f"Trustworthiness {found.trustworthiness:.3f}, neighbourhood preservation "
        f"{found.preservation:.3f} (10 neighbours), distortion {found.distortion:.4f}, on "
        f"{len(some)} test samples with steps along edges as the map's distance; no path joins the "
        f"nodes of {found.unreachable:.0%} of the pairs of samples."
    )
    return Section("quality", "Quality of the map", caption, None, found._asdict())


def merging(run: Inspected, seed: int) -> Section | None:
    """Appendix A.3, and what the graph knows: from many nodes to few clusters."""
    if run.labels is None or len(run.slots) < 2:
        return None
    k = len(run.class_names or [])
    won = run.winner >= 0
    kept = prune(run.trained_wins, PRUNED_SHARE)
    heir = np.where(kept[run.winner], run.winner, _heirs(run, kept))
    groups = {
        "all nodes": np.arange(len(run.slots)),
        "pruned": None,
        "k-means on centres": merge_by_kmeans(run.centers, k, seed),
        "Ward on centres": merge_by_distance(run.centers, k),
        "spectral on winners": merge(run.counts, k, seed),
        "linkage on winners": merge_by_linkage(run.counts, k),
        "communities of winners": communities(run.counts, seed),
    }
    rows: dict[str, dict[str, float]] = {}
    for name, group in groups.items():
        cluster = heir[won] if group is None else group[run.winner[won]]
        pair = (torch.from_numpy(cluster), torch.from_numpy(run.labels[won]))
        matrix = contingency(*pair, int(cluster.max()) + 1, k)
        rows[name] = {
            "clusters": len(np.unique(cluster)),
            "accuracy": float(accuracy(matrix)),
            "NMI": float(nmi(matrix)),
            "ARI": float(ari(matrix)),
            "purity": float(purity(matrix)),
        }
    spectral, found = rows["spectral on winners"], rows["communities of winners"]
    caption = (
        "Scores on the test split with the nodes merged: by their centres, or by how often two "
        "nodes are first and second winner of a training sample (spectral clustering). That gives "
        f"{spectral['clusters']} clusters with an accuracy of {spectral['accuracy']:.3f} and an "
        f"NMI of {spectral['NMI']:.3f}; left to find their number (communities), "
        f"{found['clusters']}, with {found['accuracy']:.3f} and {found['NMI']:.3f}. "
        f"Pruned are the nodes that won less than {PRUNED_SHARE} of a mean node's training samples."
    )
    measures = {
        f"merging, {name}: {score}": value
        for name, scores in rows.items()
        for score, value in scores.items()
    }
    return Section("merging", "From nodes to clusters (A.3)", caption, merge_bars(rows), measures)


def _heirs(run: Inspected, kept: np.ndarray) -> Nodes:
    """The kept node nearest to every sample."""
    left = np.flatnonzero(kept)
    w = np.ones_like(run.centers) if run.relevances is None else run.relevances
    w, c = w[left], run.centers[left]
    distance = (run.latent**2) @ w.T - 2 * run.latent @ (w * c).T + (w * c * c).sum(1)
    activation = w.sum(1) / (w.sum(1) + distance.clip(min=0))
    return left[activation.argmax(1)]
