"""Rows of numbers by feature."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dcsomrl.figures.text import escape

# Of more features none is named.
MOST_NAMES = 40


def draw_heat_map(
    rows: NDArray[np.floating],
    size: tuple[float, float],
    names: list[str] | None,
    title: str,
    label: str,
    **colors: Any,
) -> tuple[Figure, Axes]:
    """A heat map with a bar of its colours.

    Args:
        rows: (rows, features).
        size: of the figure in inches.
        names: names of the features.
        title: the figure's heading.
        label: what the colours are.
        colors: further arguments of ``imshow``.
    """
    figure = Figure(figsize=size, layout="constrained")
    axis = figure.subplots()
    image = axis.imshow(rows, aspect="auto", interpolation="nearest", **colors)
    figure.colorbar(image, ax=axis, label=label)
    axis.set_xlabel("feature")
    if names is not None and len(names) <= MOST_NAMES:
        axis.set_xticks(range(len(names)), list(map(escape, names)), rotation=90, fontsize=7)
    axis.set_title(escape(title), fontsize=10)
    return figure, axis
