"""Prototypes with one dimension going from low to high."""

import numpy as np

from dcsomrl.analysis.walks import traverse
from dcsomrl.figures.images import draw_image_rows
from dcsomrl.reporting.context import Context
from dcsomrl.reporting.section import Part, Section, clip_images, find_most_used

# Rows of the figures that show some nodes.
ROWS = 8


def draw_traversals(context: Context) -> Section:
    """The dimension of the largest relevance and spread, walked through at the most used nodes.

    Source: Fig. 4 of "Shaping latent representations using Self-Organizing Maps with
    Relevance Learning", submitted to ICLR 2022.
    """
    run = context.run
    nodes, steps = find_most_used(run.wins, ROWS), 11
    low, high = np.quantile(run.latent, [0.01, 0.99], axis=0)
    weights = run.latent.std(0) * (1 if run.relevances is None else run.relevances)
    rows, labels = [], []
    for node in nodes:
        dimension = int(np.broadcast_to(weights, run.centers.shape)[node].argmax())
        walk = traverse(run.centers[node], dimension, low[dimension], high[dimension], steps)
        rows.append(clip_images(run.decode(walk)))
        labels.append(f"node {run.slots[node]}, z{dimension}")
    caption = (
        "Each row: a prototype with the dimension of the largest relevance and spread going from "
        "the lowest to the highest hundredth of the test samples."
    )
    return Section(
        "traversals",
        "Prototypes with one dimension from low to high",
        caption,
        draw_image_rows(rows, labels),
        source="Fig. 4",
    )


PART = Part(draw_traversals, needs=("nodes", "images"))
