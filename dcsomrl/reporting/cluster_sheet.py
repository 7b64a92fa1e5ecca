"""What a reader came for: every cluster with its size, typical samples, and what sets it apart."""

import numpy as np

from dcsomrl.reporting.explorer import name_features, to_pixels
from dcsomrl.reporting.html import Cluster
from dcsomrl.reporting.run_data import Nodes, RunData

# Clusters and typical samples that are shown at most, and features that set a cluster apart.
MOST_CLUSTERS, TYPICAL, APART = 50, 8, 3


def make_clusters(run: RunData) -> list[Cluster]:
    """The clusters of the test samples, the largest first; none where nodes are not merged."""
    if run.cluster is None or len(run.slots) == 0:
        return []
    first = np.append(run.cluster, -1)[run.winner]  # the last is node -1: no winner
    found = []
    for number in range(min(int(run.cluster.max()) + 1, MOST_CLUSTERS)):
        own = first == number
        facts = {
            "samples": f"{own.sum():,}",
            "share": f"{own.mean():.1%}",
            "nodes": str(int((run.cluster == number).sum())),
        }
        if run.clear is not None:
            facts["clear"] = f"{run.clear[own].mean():.0%}" if own.any() else "n/a"
        if run.class_names is not None:
            facts["most frequent class"] = _name_class(run, own)
        typical = find_typical(run, own)
        if not run.image:
            facts["set apart by"] = ", ".join(name_apart(run, own))
            facts["typical samples"] = ", ".join(str(run.index[row]) for row in typical[:3])
        pictures = to_pixels(run.samples[typical]) if run.image and len(typical) else None
        found.append(Cluster(number, facts, pictures))
    return found


def _name_class(run: RunData, own: np.ndarray) -> str:
    """The class of most samples of a cluster, with its share."""
    assert run.labels is not None
    assert run.class_names is not None
    labels = run.labels[own]
    if not (labels >= 0).any():
        return "n/a"
    counts = np.bincount(labels[labels >= 0])
    return f"{run.class_names[int(counts.argmax())]} ({counts.max() / own.sum():.0%})"


def find_typical(run: RunData, own: np.ndarray) -> Nodes:
    """Rows of samples that activate their node most, one of each node of a cluster in turn.

    Args:
        run: with the test samples.
        own: (n,) mask of the samples of the cluster.
    """
    rows = np.flatnonzero(own)
    rows = rows[np.argsort(-run.activation[rows], kind="stable")]
    turn = np.zeros(len(rows), dtype=np.int64)
    for node in np.unique(run.winner[rows]):
        of_node = run.winner[rows] == node
        turn[of_node] = np.arange(of_node.sum())
    return rows[np.argsort(turn, kind="stable")][:TYPICAL]


def name_apart(run: RunData, own: np.ndarray) -> list[str]:
    """Features of a table whose mean lies furthest from that of the other samples, with how far.

    Args:
        run: of a table.
        own: (n,) mask of the samples of the cluster.
    """
    if not own.any() or own.all():
        return []
    flat = run.samples.reshape(len(run.samples), -1)
    apart = (flat[own].mean(0) - flat[~own].mean(0)) / np.maximum(flat.std(0), 1e-12)
    largest = np.argsort(-np.abs(apart), kind="stable")[:APART]
    names = name_features(run)
    return [f"{names[i]} {apart[i]:+.1f}" for i in largest if abs(apart[i]) >= 0.05]
