"""What a reader came for: every cluster with its size, typical samples, and what sets it apart."""

import numpy as np

from dcsomrl.analysis.typical import order_typical
from dcsomrl.figures.clusters import MOST_CLUSTERS
from dcsomrl.reporting.explorer import to_pixels
from dcsomrl.reporting.html import Cluster
from dcsomrl.reporting.run_data import RunData
from dcsomrl.training.assignments import describe_difference

# Typical samples that are drawn of a cluster, or named of a table.
DRAWN, NAMED = 8, 3


def make_clusters(run: RunData) -> list[Cluster]:
    """The clusters of the test samples, the largest first; none where nodes are not merged."""
    if run.cluster is None or len(run.slots) == 0:
        return []
    first = np.append(run.cluster, -1)[run.winner]  # the last is node -1: no winner
    found = []
    for number in range(min(int(run.cluster.max()) + 1, MOST_CLUSTERS)):
        own = first == number
        rows = np.flatnonzero(own)
        typical = rows[order_typical(run.winner[rows], -run.activation[rows])]
        facts = {"samples": f"{own.sum():,}"}
        if not run.image:
            flat = run.samples.reshape(len(run.samples), -1)
            facts["set apart by"] = describe_difference(flat, own, run.feature_names)
            facts["typical samples"] = ", ".join(run.call(row) for row in typical[:NAMED])
        facts["share"] = f"{own.mean():.1%}"
        facts["nodes"] = str(int((run.cluster == number).sum()))
        if run.clear is not None:
            facts["clear"] = f"{run.clear[own].mean():.0%}" if own.any() else "n/a"
        if run.outlier is not None:
            facts["outliers"] = f"{run.outlier[own].sum():,}"
        if run.class_names is not None:
            facts["most frequent class"] = _name_class(run, own)
        pictures = to_pixels(run.samples[typical[:DRAWN]]) if run.image and len(rows) else None
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
