"""From many nodes to few clusters."""

import numpy as np
import torch

from dcsomrl.analysis.merging import (
    find_communities,
    merge,
    merge_by_distance,
    merge_by_kmeans,
    merge_by_linkage,
    prune,
)
from dcsomrl.figures.structure import draw_merge_bars
from dcsomrl.metrics import BY_KEY, CLUSTER_SCORES, LABEL_SCORES, count_contingency
from dcsomrl.reporting.context import Context
from dcsomrl.reporting.run_data import Nodes, RunData
from dcsomrl.reporting.section import Part, Section

# Nodes are pruned that win less than this share of what a mean node wins.
PRUNED_SHARE = 0.25


def draw_merging(context: Context) -> Section | None:
    """Scores with the nodes merged in several ways.

    Source: appendix A.3 of "Shaping latent representations using Self-Organizing Maps with
    Relevance Learning", submitted to ICLR 2022.
    """
    run = context.run
    if len(run.slots) < 2:
        return None
    assert run.labels is not None
    k = len(run.class_names or [])
    won = run.winner >= 0
    kept = prune(run.trained_wins, PRUNED_SHARE)
    heir = np.where(kept[run.winner], run.winner, _find_heirs(run, kept))
    groups = {
        "all nodes": np.arange(len(run.slots)),
        "pruned": None,
        "k-means on centres": merge_by_kmeans(run.centers, k, context.seed),
        "Ward on centres": merge_by_distance(run.centers, k),
        "spectral on winners": merge(run.counts, k, context.seed),
        "linkage on winners": merge_by_linkage(run.counts, k),
        "communities of winners": find_communities(run.counts, seed=context.seed),
    }
    rows: dict[str, dict[str, float]] = {}
    for name, group in groups.items():
        cluster = heir[won] if group is None else group[run.winner[won]]
        pair = (torch.from_numpy(cluster), torch.from_numpy(run.labels[won]))
        matrix = count_contingency(*pair, int(cluster.max()) + 1, k)
        rows[name] = {
            BY_KEY["clusters"].title: len(np.unique(cluster)),
            **{BY_KEY[key].title: float(LABEL_SCORES[key](matrix)) for key in CLUSTER_SCORES},
        }
    spectral, found = rows["spectral on winners"], rows["communities of winners"]
    count, accuracy, nmi = (BY_KEY[key].title for key in ("clusters", "accuracy", "nmi"))
    caption = (
        "Scores on the test split with the nodes merged: by their centres, or by how often two "
        "nodes are first and second winner of a training sample (spectral clustering). That gives "
        f"{spectral[count]} clusters with an accuracy of {spectral[accuracy]:.3f} and an "
        f"NMI of {spectral[nmi]:.3f}; left to find their number (communities), "
        f"{found[count]}, with {found[accuracy]:.3f} and {found[nmi]:.3f}. "
        f"Pruned are the nodes that won less than {PRUNED_SHARE} of a mean node's training samples."
    )
    measures = {
        f"merging, {name}: {score}": value
        for name, scores in rows.items()
        for score, value in scores.items()
    }
    return Section(
        "merging",
        "Scores with the nodes merged in other ways",
        caption,
        draw_merge_bars(rows),
        measures,
        source="Appendix A.3",
        question="number",
    )


def _find_heirs(run: RunData, kept: np.ndarray) -> Nodes:
    """The kept node nearest to every sample."""
    left = np.flatnonzero(kept)
    w = np.ones_like(run.centers) if run.relevances is None else run.relevances
    w, c = w[left], run.centers[left]
    distance = (run.latent**2) @ w.T - 2 * run.latent @ (w * c).T + (w * c * c).sum(1)
    activation = w.sum(1) / (w.sum(1) + distance.clip(min=0))
    return left[activation.argmax(1)]


PART = Part(draw_merging, needs=("nodes", "labels"))
