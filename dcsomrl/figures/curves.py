"""Curves over the training: scores at every step (Fig. 7), and the life of the map.

Numbered figures, tables, sections and equations are those of "Shaping latent representations using
Self-Organizing Maps with Relevance Learning", submitted to ICLR 2022.
"""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from dcsomrl.metrics import BY_KEY

BLUE, RED = "#4477aa", "#cc3311"
COLORS = (BLUE, RED, "#228833", "#aa3377", "#ee8866", "#888888")


def draw_step_curves(
    steps: pd.DataFrame, marks: Mapping[float, int], chance: pd.DataFrame
) -> Figure:
    """Purity, NMI and nodes at every step (Fig. 7).

    Args:
        steps: columns ``step``, ``purity``, ``nmi``, ``nodes``.
        marks: by share of purity's final lead over chance, the first step that reaches it.
        chance: ``purity`` and ``nmi`` at every step that chance would give.
    """
    figure = Figure(figsize=(8.5, 3.4), layout="constrained", dpi=130)
    nodes = figure.subplots()
    # The scores on top of the nodes, which jump about.
    axis = nodes.twinx()
    scores = []
    for name, color in (("purity", BLUE), ("nmi", RED)):
        title = BY_KEY[name].title
        scores += axis.plot(steps["step"], steps[name], color=color, lw=0.8, label=title)
        scores += axis.plot(
            steps["step"], chance[name], color=color, lw=0.8, alpha=0.5, label=f"{title} by chance"
        )
    for share, step in marks.items():
        axis.axvline(step, color=BLUE, lw=0.8, ls="--" if share > 0.95 else ":")
    nodes.set_xlabel("step (dotted: 90 % of purity's final lead over chance; dashed: 99 %)")
    axis.set_ylim(0, 1)
    axis.yaxis.tick_left()
    nodes.plot(steps["step"], steps["nodes"], color="#cccccc", lw=0.8, label="nodes (right)")
    nodes.yaxis.tick_right()
    nodes.yaxis.set_label_position("right")
    nodes.set_ylabel("live nodes")
    nodes.set_ylim(bottom=0)
    for one in (axis, nodes):
        one.spines["top"].set_visible(False)
    axis.legend(handles=[*scores, *nodes.lines], loc="lower right", frameon=False, fontsize=8)
    return figure


def draw_life_curves(history: pd.DataFrame) -> Figure:
    """The life of a map by epoch: nodes, births and deaths, losses, spread of the codes, scores.

    Args:
        history: ``epoch``, ``train/...`` losses and, where they were logged, ``nodes``,
            ``births`` and ``deaths`` since training began, ``usage/...`` or ``val/...`` of
            ``nodes_used`` and ``perplexity``,
            ``train/latent_spread``, ``val/purity`` and ``val/nmi``.
    """
    losses = [name for name in map(str, history) if name.startswith("train/")]
    losses = [name for name in losses if name != "train/latent_spread"]
    where, on = ("usage", "training") if "usage/nodes_used" in history else ("val", "validation")
    # By panel: lines by label.
    panels = {
        "nodes": {
            "live": "nodes",
            f"win a {on} sample": f"{where}/nodes_used",
            "perplexity of use": f"{where}/perplexity",
        },
        "births and deaths an epoch": {"births": "births", "deaths": "deaths"},
        "losses": {name.removeprefix("train/"): name for name in losses},
        "spread of the codes": {"deviation": "train/latent_spread"},
        "validation part": {BY_KEY[key].title: f"val/{key}" for key in ("purity", "nmi")},
    }
    panels = {
        title: {label: name for label, name in lines.items() if name in history}
        for title, lines in panels.items()
    }
    panels = {title: lines for title, lines in panels.items() if lines}
    figure = Figure(figsize=(3.3 * len(panels), 2.8), layout="constrained", dpi=130)
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    epoch, marker = history["epoch"] + 1, "." if len(history) < 3 else ""
    for axis, (title, lines) in zip(axes, panels.items(), strict=True):
        for i, ((label, name), color) in enumerate(zip(lines.items(), COLORS, strict=False)):
            values = history[name]
            if name in ("births", "deaths"):
                values = values.diff().fillna(values)
            # Births and deaths, or a loss and its larger term, all but cover each other.
            style = {"ls": "--", "lw": 1.2} if i == 1 else {}
            axis.plot(epoch, values, color=color, label=label, marker=marker, **style)
        axis.set_title(title, fontsize=9)
        axis.set_xlabel("epoch")
        axis.set_ylim(bottom=0)
        axis.spines[["top", "right"]].set_visible(False)
        if len(lines) > 1:
            axis.legend(frameon=False, fontsize=8)
    return figure
