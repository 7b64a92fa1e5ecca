"""Pictures of clusters: the nodes that each is made of, or what sets its samples apart."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dcsomrl.figures.heat_map import draw_heat_map
from dcsomrl.figures.images import draw_image_rows

# Of more clusters, and of more nodes of one, the largest are drawn.
MOST_CLUSTERS, MOST_NODES = 40, 14


def draw_cluster_rows(
    images: NDArray[np.floating],
    counts: NDArray[np.integer],
    cluster: NDArray[np.integer],
    title: str = "",
) -> Figure:
    """Decoded prototypes in a row for each cluster, the most used first, with its samples.

    Args:
        images: (nodes, channels, height, width) in [0, 1], 1 or 3 channels.
        counts: (nodes,) samples that each node won.
        cluster: (nodes,) cluster of each node, from 0.
        title: the figure's heading.

    Raises:
        ValueError: no node, or another shape.
    """
    if len(images) == 0:
        raise ValueError("there is no node to draw")
    rows, labels = [], []
    for number in np.unique(cluster)[:MOST_CLUSTERS]:
        nodes = np.flatnonzero(cluster == number)
        order = nodes[np.argsort(-counts[nodes], kind="stable")]
        rows.append(images[order[:MOST_NODES]])
        more = f" (+{len(nodes) - MOST_NODES})" if len(nodes) > MOST_NODES else ""
        labels.append(f"cluster {number}: {counts[nodes].sum():,}{more}")
    return draw_image_rows(rows, labels, title=title)


def draw_cluster_profiles(
    features: NDArray[np.floating],
    counts: NDArray[np.integer],
    cluster: NDArray[np.integer],
    names: list[str] | None = None,
    title: str = "",
) -> Figure:
    """How far every cluster lies from the mean of all, by feature, in deviations of the nodes.

    Args:
        features: (nodes, features) decoded prototypes.
        counts: (nodes,) samples that each node won, by which nodes are weighted.
        cluster: (nodes,) cluster of each node, from 0.
        names: names of the features.
        title: the figure's heading.

    Raises:
        ValueError: no node, or another shape.
    """
    if features.ndim != 2 or len(features) == 0:
        raise ValueError(
            f"prototypes must be vectors (nodes, features), got shape {features.shape}"
        )
    numbers = np.unique(cluster)[:MOST_CLUSTERS]
    weight = np.maximum(counts, 1e-9)
    middle = np.average(features, axis=0, weights=weight)
    deviation = np.sqrt(np.average((features - middle) ** 2, axis=0, weights=weight))
    apart = (features - middle) / np.where(deviation > 0, deviation, 1)
    rows = np.stack(
        [
            np.average(apart[cluster == one], axis=0, weights=weight[cluster == one])
            for one in numbers
        ]
    )
    n_features = features.shape[1]
    size = (min(14.0, 3.5 + 0.25 * n_features), min(14.0, 1.8 + 0.28 * len(numbers)))
    limit = max(float(np.abs(rows).max()), 1.0)
    colors = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
    figure, axis = draw_heat_map(rows, size, names, title, "deviations from the mean", **colors)
    labels = [f"cluster {one}: {counts[cluster == one].sum():,}" for one in numbers]
    axis.set_yticks(range(len(numbers)), labels, fontsize=7)
    return figure
