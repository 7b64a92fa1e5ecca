"""The graph of a map, walks over it, and its nodes merged."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

BLUE, RED = "#4477aa", "#cc3311"


def draw_pair_scatter(table: pd.DataFrame) -> Figure:
    """Length and largest jump of decoded walks against the distance of their ends.

    Args:
        table: of :func:`dcsomrl.analysis.walks.compare_pairs`.
    """
    figure = Figure(figsize=(8.5, 3.2), layout="constrained", dpi=130)
    titles = {"length": "length of the decoded walk", "largest_jump": "its largest jump"}
    for axis, (name, title) in zip(figure.subplots(1, 2), titles.items(), strict=True):
        for connected, color in ((False, "#aaaaaa"), (True, BLUE)):
            rows = table[table["connected"] == connected]
            label = "connected" if connected else "not connected"
            axis.scatter(rows["distance"], rows[name], s=7, color=color, linewidths=0, label=label)
        axis.set_xlabel("distance of the two prototypes")
        axis.set_ylabel(f"{title} (RMS)")
        axis.set_ylim(bottom=0)
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(frameon=False, fontsize=8, markerscale=2)
    return figure


def draw_degree_bars(degrees: NDArray[np.integer], part_sizes: NDArray[np.integer]) -> Figure:
    """How many nodes have how many neighbours, and how large the parts of the graph are.

    Args:
        degrees: (nodes,) neighbours of every node.
        part_sizes: (parts,) nodes of every part.
    """
    figure = Figure(figsize=(8.5, 2.8), layout="constrained", dpi=130)
    left, right = figure.subplots(1, 2)
    left.bar(np.arange(degrees.max() + 1), np.bincount(degrees), color=BLUE, width=0.9)
    left.set_xlabel("neighbours")
    left.set_ylabel("nodes")
    sizes = np.sort(part_sizes)[::-1]
    right.bar(np.arange(1, len(sizes) + 1), sizes, color=BLUE, width=0.9)
    right.set_xlabel("part of the graph")
    right.set_ylabel("nodes")
    for axis in (left, right):
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.yaxis.get_major_locator().set_params(integer=True)
        axis.spines[["top", "right"]].set_visible(False)
    return figure


def draw_merge_bars(scores: Mapping[str, Mapping[str, float]]) -> Figure:
    """Scores of the nodes as they are, and merged in several ways.

    Args:
        scores: by way, ``clusters`` and the scores in [0, 1] by name.
    """
    names = [name for name in next(iter(scores.values())) if name != "clusters"]
    figure = Figure(figsize=(2.6 * len(names) + 2, 0.9 + 0.32 * len(scores)), dpi=130,
                    layout="constrained")  # fmt: skip
    axes = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    labels = [f"{way} ({rows['clusters']:.0f})" for way, rows in scores.items()]
    for axis, name in zip(axes, names, strict=True):
        values = [rows[name] for rows in scores.values()]
        axis.barh(labels, values, color=BLUE)
        for place, value in enumerate(values):
            axis.text(value + 0.02, place, f"{value:.3f}", va="center", fontsize=8)
        axis.set_xlim(0, 1.18)
        axis.set_xticks([0, 0.5, 1])
        axis.set_title(name, fontsize=9)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].invert_yaxis()
    return figure
