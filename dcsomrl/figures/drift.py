"""Clusters that move: over the parts of a stream, and from one training to the next."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dcsomrl.figures.curves import COLORS


def draw_drift(drift: pd.DataFrame) -> Figure:
    """The share of every cluster in every part of a stream, one above the other.

    Args:
        drift: a row a cluster and part: ``part``, ``number`` of the cluster, ``samples``; see
            :attr:`dcsomrl.GrowingSOM.drift_`.
    """
    samples = drift.pivot(index="part", columns="number", values="samples").fillna(0)
    share = samples.div(samples.sum(axis=1).clip(lower=1), axis=0)
    last = samples.index[-1]
    figure = Figure(figsize=(8.5, 3.4), layout="constrained", dpi=130)
    axis = figure.subplots()
    floor = np.zeros(len(share))
    for i, number in enumerate(share.columns):
        own = drift.loc[drift["number"] == number, "part"]
        ends = [f"from {own.min()}"] if own.min() > 0 else []
        ends += [f"to {own.max()}"] if own.max() < last else []
        label = f"{number} ({', '.join(ends)})" if ends else str(number)
        axis.bar(share.index, share[number], 1.0, floor, color=COLORS[i % len(COLORS)], label=label)
        floor += share[number].to_numpy()
    axis.set_xlim(-0.5, last + 0.5)
    axis.set_ylim(0, 1)
    axis.set_xlabel("part of the stream")
    axis.set_ylabel("share of its samples")
    axis.legend(title="cluster", loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    return figure


def draw_flow(samples: NDArray[np.integer], before: list[str], after: list[str]) -> Figure:
    """Where the samples of every cluster went: their number in each, darker the larger the share.

    Args:
        samples: (clusters before, clusters after) samples that were in one and are in the other.
        before: names of the rows.
        after: names of the columns.
    """
    share = samples / samples.sum(axis=1, keepdims=True).clip(min=1)
    size = (1.8 + 0.5 * len(after), 1.2 + 0.34 * len(before))
    figure = Figure(figsize=size, layout="constrained", dpi=130)
    axis = figure.subplots()
    axis.imshow(share, aspect="auto", cmap="Blues", vmin=0, vmax=1)
    for row, column in np.argwhere(samples > 0).tolist():
        color = "white" if share[row, column] > 0.5 else "black"
        text = f"{samples[row, column]:,}"
        axis.text(column, row, text, ha="center", va="center", fontsize=7, color=color)
    axis.set_xticks(range(len(after)), after)
    axis.set_yticks(range(len(before)), before)
    axis.set_xlabel("cluster after the training")
    axis.set_ylabel("cluster before")
    return figure
