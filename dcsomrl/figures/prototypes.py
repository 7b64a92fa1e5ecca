"""Pictures of what the nodes of a map stand for."""

import math

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dcsomrl.figures.heat_map import draw_heat_map
from dcsomrl.figures.images import draw_tiles
from dcsomrl.figures.text import escape, measure_heading


def draw_prototype_grid(
    images: NDArray[np.floating], counts: NDArray[np.integer], title: str = ""
) -> Figure:
    """Decoded prototypes as a grid of tiles, the most used first, each with its sample count.

    Args:
        images: (nodes, channels, height, width) in [0, 1], 1 or 3 channels.
        counts: (nodes,) samples that each node won.
        title: the figure's heading.

    Raises:
        ValueError: no node, or another shape.
    """
    if images.ndim != 4 or images.shape[1] not in (1, 3) or len(images) == 0:
        raise ValueError(
            f"prototypes must be images (nodes, 1 or 3, height, width), got shape {images.shape}"
        )
    order = np.argsort(-counts, kind="stable")
    columns = min(len(images), max(8, math.ceil(math.sqrt(1.6 * len(images)))))
    height, width = images.shape[2:]
    top, gap = math.ceil(0.28 * height), max(1, round(0.08 * max(height, width)))
    cell = (height + top + gap, width + gap)
    rows = [images[order[i : i + columns]] for i in range(0, len(order), columns)]
    heading = 0.3 if title else 0.05
    scale = 0.6 / width
    size = (scale * cell[1] * columns, scale * cell[0] * len(rows) + heading)
    across = max(size[0], 2.5, measure_heading(title))
    figure = Figure(figsize=(across, size[1]))
    axis = figure.add_axes((0, 0, size[0] / across, 1 - heading / size[1]))
    draw_tiles(axis, rows, cell, top)
    for place, node in enumerate(order):
        i, j = divmod(place, columns)
        x, y = j * cell[1] + width / 2, i * cell[0] + 0.9 * top
        axis.text(x, y, f"{counts[node]:,}", ha="center", va="bottom", fontsize=7)
    figure.text(0.5, 1 - 0.04 / size[1], escape(title), ha="center", va="top", fontsize=10)
    return figure


def draw_prototype_profiles(
    features: NDArray[np.floating],
    counts: NDArray[np.integer],
    names: list[str] | None = None,
    title: str = "",
) -> Figure:
    """Decoded prototypes of vectors as rows of a heat map, the most used first.

    Every feature has colours of its own, from the least to the greatest value of a node, since
    features may have different units.

    Args:
        features: (nodes, features).
        counts: (nodes,) samples that each node won.
        names: names of the features.
        title: the figure's heading.

    Raises:
        ValueError: no node, or another shape.
    """
    if features.ndim != 2 or len(features) == 0:
        raise ValueError(
            f"prototypes must be vectors (nodes, features), got shape {features.shape}"
        )
    order = np.argsort(-counts, kind="stable")
    n_nodes, n_features = features.shape
    size = (min(14.0, 3 + 0.25 * n_features), min(14.0, 2 + 0.16 * n_nodes))
    low, reach = features.min(0), np.ptp(features, axis=0)
    share = (features[order] - low) / np.where(reach > 0, reach, 1)
    label = "least to greatest value of the feature"
    colors = {"cmap": "viridis", "vmin": 0, "vmax": 1}
    figure, axis = draw_heat_map(share, size, names, title, label, **colors)
    axis.set_ylabel("node: samples")
    if n_nodes <= 80:
        axis.set_yticks(range(n_nodes), [f"{counts[node]:,}" for node in order], fontsize=7)
    return figure
