"""The test samples on a plane, with the map's prototypes and graph drawn on them (Fig. 5).

Numbered figures, tables, sections and equations are those of "Shaping latent representations using
Self-Organizing Maps with Relevance Learning", submitted to ICLR 2022.
"""

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from numpy.typing import NDArray

from dcsomrl.figures.text import escape, escape_entry

Array = NDArray[np.floating]
# Of the classes, as on a report's page in the light.
PALETTE = (
    "#3366cc", "#e6770b", "#2e9e4f", "#d62f3f", "#8f45bd",
    "#8c564b", "#dd5aa8", "#17a2b8", "#a3a11a", "#1f2f6b",
)  # fmt: skip
# Area of the dots of all samples, in points squared.
DOTS = 6000


def draw_embedding(
    points: Array,
    nodes: Array,
    edges: NDArray[np.integer],
    labels: NDArray[np.integer] | None = None,
    class_names: list[str] | None = None,
    tiles: Array | None = None,
    title: str = "",
) -> Figure:
    """Samples as dots by class, prototypes as pictures or discs, connections as lines.

    Args:
        points: (n, 2) places of the samples.
        nodes: (nodes, 2) places of the prototypes.
        edges: (E, 2) connected nodes.
        labels: (n,) classes.
        class_names: by class.
        tiles: (nodes, channels, height, width) in [0, 1]; discs where there are none.
        title: the figure's heading.
    """
    figure = Figure(figsize=(9, 8), layout="constrained", dpi=130)
    axis = figure.subplots()
    size = min(max(DOTS / max(len(points), 1), 3.0), 30.0)  # points squared
    if labels is None or class_names is None:
        axis.scatter(
            points[:, 0], points[:, 1], s=size, color="#99aabb", linewidths=0, rasterized=True
        )
    else:
        for label, name in enumerate(class_names):
            own = points[labels == label]
            color = PALETTE[label % len(PALETTE)]
            axis.scatter(
                own[:, 0], own[:, 1], s=size, color=color, alpha=0.6, linewidths=0,
                label=escape_entry(name), rasterized=True,
            )  # fmt: skip
        if len(class_names) <= 20:
            axis.legend(markerscale=7 / size**0.5, fontsize=8, frameon=False, loc="upper left",
                        bbox_to_anchor=(1, 1))  # fmt: skip
    lines = LineCollection(list(nodes[edges]), colors="#222222", linewidths=0.6, alpha=0.6)
    axis.add_collection(lines)
    if tiles is None:
        axis.scatter(
            nodes[:, 0],
            nodes[:, 1],
            s=26,
            color="white",
            edgecolors="#222222",
            linewidths=1,
            zorder=3,
        )
    else:
        for place, tile in zip(nodes, tiles, strict=True):
            shown = np.moveaxis(tile, 0, -1).squeeze()
            picture = OffsetImage(shown, cmap="gray", zoom=15 / max(shown.shape[:2]))
            picture.image.set_clim(0, 1)
            box = AnnotationBbox(picture, tuple(place), pad=0.06, bboxprops={"lw": 0.4})
            axis.add_artist(box)
    axis.update_datalim(nodes)
    axis.autoscale_view()
    axis.set_xticks([])
    axis.set_yticks([])
    axis.set_title(escape(title), fontsize=10)
    return figure
