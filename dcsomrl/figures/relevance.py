"""What the relevances look like, and what disturbing dimensions by them does (Figs. 2, 3).

Numbered figures, tables, sections and equations are those of "Shaping latent representations using
Self-Organizing Maps with Relevance Learning", submitted to ICLR 2022.
"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from dcsomrl.analysis.relevance import MATTERS, NEAR_ONE, NEAR_ZERO, profile_relevances

COLORS = {"least relevant": "#4477aa", "random": "#888888", "most relevant": "#cc3311"}
MEASURES = {
    "change": "change of a decoded value (RMS)",
    "winner_flips": "share that another node wins",
    "class_flips": "share won by another class",
}


def draw_relevance_histograms(relevances: NDArray[np.floating]) -> Figure:
    """Relevances (nodes, m), their entropy by node, and the use of every dimension (Fig. 2)."""
    profile = profile_relevances(relevances)
    figure = Figure(figsize=(11.5, 3.2), layout="constrained", dpi=130)
    left, middle, right = figure.subplots(1, 3, width_ratios=[1, 1, 1.3])
    left.hist(relevances.ravel(), bins=np.linspace(0, 1, 41), color="#4477aa")
    for bound in (NEAR_ZERO, NEAR_ONE):
        left.axvline(bound, color="#222222", lw=0.8, ls=":")
    left.set_title(
        f"near 0: {profile.near_zero:.0%}, moderate: {profile.moderate:.0%}, "
        f"near 1: {profile.near_one:.0%}",
        fontsize=9,
    )
    left.set_xlabel("relevance")
    left.set_ylabel("dimensions of nodes")
    middle.hist(profile.entropy, bins=30, color="#4477aa")
    middle.set_xlabel("entropy of a node's relevances (1: all equal)")
    middle.set_ylabel("nodes")
    middle.xaxis.set_major_locator(MaxNLocator(4))
    m = relevances.shape[1]
    right.bar(np.arange(m), profile.nodes_per_dimension, color="#4477aa", width=0.9)
    right.set_ylim(0, len(relevances) * 1.02)
    right.set_xlim(-0.7, m - 0.3)
    right.set_xlabel("dimension")
    right.xaxis.get_major_locator().set_params(integer=True)
    right.set_ylabel(f"nodes it matters to (from {MATTERS})")
    for axis in (left, middle, right):
        axis.spines[["top", "right"]].set_visible(False)
    return figure


def draw_disturbance_lines(table: pd.DataFrame) -> Figure:
    """What disturbing the least relevant dimensions changes, against as many others (Fig. 3).

    The least relevant dimensions are those below the threshold on the axis; the random and the most
    relevant ones are as many.

    Args:
        table: of :func:`dcsomrl.analysis.disturbance.measure_disturbance`.
    """
    measures = {name: title for name, title in MEASURES.items() if name in table}
    figure = Figure(figsize=(3.9 * len(measures), 3.2), layout="constrained", dpi=130)
    axes = figure.subplots(1, len(measures), squeeze=False)[0]
    for axis, (name, title) in zip(axes, measures.items(), strict=True):
        for kind, color in COLORS.items():
            rows = table[table["kind"] == kind]
            axis.plot(rows["threshold"], rows[name], color=color, marker="o", ms=3, label=kind)
            low, high = rows[f"{name}_low"], rows[f"{name}_high"]
            axis.fill_between(rows["threshold"], low, high, color=color, alpha=0.2, linewidth=0)
        axis.set_xlabel("relevance below which a dimension counts")
        axis.set_ylabel(title)
        axis.set_ylim(bottom=0)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].legend(title="disturbed", fontsize=8, title_fontsize=8, frameon=False)
    return figure
