"""What separates any two clusters."""

import numpy as np

from dcsomrl.figures.clusters import MOST_CLUSTERS
from dcsomrl.reporting.explorer import to_pixels
from dcsomrl.reporting.html import Comparison
from dcsomrl.reporting.run_data import RunData


def compare_clusters(run: RunData) -> Comparison | None:
    """Mean samples of all clusters and how they border; None where there are fewer than two."""
    if run.cluster is None or len(run.slots) == 0:
        return None
    first, second = (np.append(run.cluster, -1)[node] for node in (run.winner, run.second))
    number = min(int(run.cluster.max()) + 1, MOST_CLUSTERS)
    if number < 2:
        return None
    sizes = np.bincount(first[first >= 0], minlength=number)[:number]
    means = np.stack(
        [
            run.samples[first == one].mean(0) if sizes[one] else np.zeros(run.samples.shape[1:])
            for one in range(number)
        ]
    )
    border = np.zeros((number, number), dtype=np.int64)
    inside = (first >= 0) & (first < number) & (second >= 0) & (second < number)
    np.add.at(border, (first[inside], second[inside]), 1)
    flat = run.samples.reshape(len(run.samples), -1)
    names = run.feature_names or [f"feature {i}" for i in range(flat.shape[1])]
    return Comparison(
        sizes=sizes,
        border=border,
        pictures=to_pixels(means) if run.image else None,
        means=None if run.image else means.reshape(number, -1),
        deviation=None if run.image else flat.std(0),
        names=None if run.image else names,
    )
