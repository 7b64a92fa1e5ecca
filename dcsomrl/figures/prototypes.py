"""Pictures of what the nodes of a map stand for."""

import math

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray


def prototype_grid(
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
    rows = math.ceil(len(images) / columns)
    figure = Figure(figsize=(0.62 * columns + 0.3, 0.76 * rows + 0.5), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, node in zip(axes.flat, order, strict=False):
        axis.imshow(np.moveaxis(images[node], 0, -1).squeeze(), cmap="gray", vmin=0, vmax=1)
        axis.set_title(f"{counts[node]:,}", fontsize=7, pad=2)
    figure.suptitle(title, fontsize=10)
    return figure


def prototype_profiles(
    features: NDArray[np.floating],
    counts: NDArray[np.integer],
    names: list[str] | None = None,
    title: str = "",
) -> Figure:
    """Decoded prototypes of vectors as rows of a heat map, the most used first.

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
    figure = Figure(figsize=size, layout="constrained")
    axis = figure.subplots()
    image = axis.imshow(features[order], aspect="auto", cmap="viridis", interpolation="nearest")
    figure.colorbar(image, ax=axis, label="value")
    axis.set_xlabel("feature")
    axis.set_ylabel("node: samples")
    if n_nodes <= 80:
        axis.set_yticks(range(n_nodes), [f"{counts[node]:,}" for node in order], fontsize=7)
    if names is not None and n_features <= 40:
        axis.set_xticks(range(n_features), names, rotation=90, fontsize=7)
    axis.set_title(title, fontsize=10)
    return figure
