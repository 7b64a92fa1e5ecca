"""Rows of numbers by feature."""

import textwrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from dcsomrl.figures.text import abbreviate, escape, measure_heading

# Of more features none is named.
MOST_NAMES = 40
# Signs of a name at most, inches of one that stands upright, and signs in a line beside the bar.
LONGEST, SIGN, LINE = 40, 0.062, 20
# Inches of the names of rows and the bar, between which the heading stands.
BESIDE = 1.8


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
        size: of the figure in inches, without the names of the features.
        names: names of the features.
        title: the figure's heading.
        label: what the colours are.
        colors: further arguments of ``imshow``.
    """
    named = names if names is not None and len(names) <= MOST_NAMES else []
    shown = [abbreviate(one, LONGEST) for one in named]
    height = size[1] + SIGN * max(map(len, shown), default=0)
    width = max(size[0], measure_heading(title) + BESIDE)
    figure = Figure(figsize=(width, height), layout="constrained")
    axis = figure.subplots()
    image = axis.imshow(rows, aspect="auto", interpolation="nearest", **colors)
    bar = figure.colorbar(image, ax=axis)
    bar.set_label(textwrap.fill(label, LINE), fontsize=8)
    axis.set_xlabel("feature")
    if shown:
        axis.set_xticks(range(len(shown)), list(map(escape, shown)), rotation=90, fontsize=7)
    else:
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.set_title(escape(title), fontsize=10)
    return figure, axis
