"""The samples that the map knows least."""

import numpy as np

from dcsomrl.figures.images import draw_image_rows
from dcsomrl.reporting.context import Context
from dcsomrl.reporting.section import Part, Section, clip_images


def draw_outliers(context: Context) -> Section | None:
    """The test samples that activate their winner least."""
    run = context.run
    if len(run.samples) < 2:
        return None
    order = np.argsort(run.activation, kind="stable")[:24]
    if not run.image:
        rows_of = ", ".join(f"{run.index[i]} ({run.activation[i]:.4f})" for i in order[:10])
        caption = f"The test samples that activate their winner least, by number: {rows_of}."
        return Section("outliers", "Outliers", caption, None)
    rows = [clip_images(run.samples[part]) for part in np.array_split(order, 2)]
    ends = [f"{run.activation[order[i]]:.4f}" for i in (0, -1)]
    caption = f"The test samples that activate their winner least, from {ends[0]} to {ends[1]}."
    return Section("outliers", "Outliers", caption, draw_image_rows(rows, ["", ""]))


PART = Part(draw_outliers, needs=("nodes",))
