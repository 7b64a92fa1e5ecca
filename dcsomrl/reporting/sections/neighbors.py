"""Prototypes beside the samples nearest to them."""

import numpy as np

from dcsomrl.analysis.neighbors import find_nearest_samples, measure_typicality
from dcsomrl.figures.images import draw_image_rows
from dcsomrl.reporting.context import Context
from dcsomrl.reporting.run_data import Array
from dcsomrl.reporting.section import Part, Section, clip_images, find_most_used

# Rows of the figures that show some nodes.
ROWS = 8


def draw_neighbors(context: Context) -> Section | None:
    """The ten nearest test samples of the most used nodes, and how far prototypes are from them.

    Source: Fig. 10 of "Shaping latent representations using Self-Organizing Maps with
    Relevance Learning", submitted to ICLR 2022.
    """
    run = context.run
    if len(run.samples) < 10:
        return None
    near = find_nearest_samples(run.centers, run.latent, 10, run.relevances)
    found = measure_typicality(run.decoded, run.samples, run.winner, near.row)
    prototype, mean = np.nanmean(found.prototype), np.nanmean(found.mean_sample)
    nodes = find_most_used(run.wins, ROWS)
    rows: list[Array] = [
        clip_images(np.concatenate([run.decoded[node][None], run.samples[near.row[node]]]))
        for node in nodes
    ]
    labels = [f"node {run.slots[node]}" for node in nodes]
    caption = (
        "Prototypes of the most used nodes, and the ten test samples nearest to each. The decoded "
        f"prototypes lie {prototype:.3f} (RMS a pixel) from their ten samples in the mean over the "
        f"nodes, the mean samples of the clusters {mean:.3f}."
    )
    measures = {"typicality_prototype": float(prototype), "typicality_mean": float(mean)}
    figure = draw_image_rows(rows, labels, ["prototype"])
    return Section(
        "neighbors",
        "Prototypes and the samples nearest to them",
        caption,
        figure,
        measures,
        source="Fig. 10",
    )


PART = Part(draw_neighbors, needs=("nodes", "images"))
