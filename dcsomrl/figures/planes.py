"""Maps of the nodes, each coloured by a number: U-matrices and component planes."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dcsomrl.figures.text import abbreviate, escape

Array = NDArray[np.floating]
ACROSS = 4
# Marks of the nodes by their grid; discs where there is none.
MARKS = {"rectangular": "s", "hexagonal": "h", None: "o"}
INCHES = 2.3
# Signs of a title at most, of the width of a plane.
LONGEST = 34


def draw_planes(
    values: Array,
    titles: Sequence[str],
    places: Array,
    edges: NDArray[np.integer],
    topology: str | None = None,
) -> Figure:
    """A map of the nodes for each of several numbers.

    Args:
        values: (planes, K); a node of NaN is left white.
        titles: one a plane.
        places: (K, 2) of the nodes.
        edges: (E, 2) connected nodes, drawn as lines where nodes lie on no grid.
        topology: of the grid that the places are of, ``rectangular`` or ``hexagonal``; None for
            other places.

    Raises:
        ValueError: no plane, or titles and values differ in number.
    """
    if len(values) == 0 or len(values) != len(titles):
        raise ValueError(f"there are {len(values)} planes and {len(titles)} titles: give as many")
    across = min(ACROSS, len(values))
    down = -(-len(values) // across)
    figure = Figure(figsize=(INCHES * across + 0.6, INCHES * down), layout="constrained", dpi=130)
    axes = figure.subplots(down, across, squeeze=False)
    low, high = places.min(0), places.max(0)
    extent = float((high - low).max()) + 1
    for axis, value, title in zip(axes.flat, values, titles, strict=False):
        _draw_plane(axis, value, places, edges, topology, extent)
        axis.set_title(escape(abbreviate(title, LONGEST)), fontsize=8)
    for axis in axes.flat[len(values) :]:
        axis.axis("off")
    return figure


def _draw_plane(
    axis: Axes,
    value: Array,
    places: Array,
    edges: NDArray[np.integer],
    topology: str | None,
    extent: float,
) -> None:
    if topology is None:
        lines = LineCollection(list(places[edges]), colors="#888888", linewidths=0.5)
        axis.add_collection(lines)
    # Points squared; cells of a grid touch each other.
    cell = 0.8 * 72 * INCHES / extent
    size = cell**2 * (1.25 if topology == "hexagonal" else 1) if topology else 32
    marks = axis.scatter(
        places[:, 0],
        places[:, 1],
        c=value,
        s=size,
        marker=MARKS[topology],
        cmap="viridis",
        edgecolors="#555555" if topology is None else "none",
        linewidths=0.4,
        plotnonfinite=False,
        zorder=2,
    )
    bar = axis.figure.colorbar(marks, ax=axis, shrink=0.7, pad=0.02)
    bar.ax.tick_params(labelsize=6)
    axis.set_aspect("equal" if topology else "auto")
    axis.margins(0.08)
    axis.invert_yaxis()
    axis.set_xticks([])
    axis.set_yticks([])
