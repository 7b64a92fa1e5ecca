"""The samples that the map knows least."""

import numpy as np

from dcsomrl.figures.images import draw_image_rows
from dcsomrl.reporting.context import Context
from dcsomrl.reporting.odd import order_odd
from dcsomrl.reporting.section import Part, Section, clip_images

SHOWN = 24


def draw_outliers(context: Context) -> Section | None:
    """The oddest images, outliers first; tables have them in words."""
    run = context.run
    if len(run.samples) < 2:
        return None
    order = order_odd(run)[:SHOWN]
    rows = [clip_images(run.samples[part]) for part in np.array_split(order, 2)]
    ends = [f"{run.activation[order[i]]:.4f}" for i in (0, -1)]
    caption = (
        f"The {len(order)} oddest test samples, outliers first, the oddest at the top left: "
        f"they activate their winners from {ends[0]} to {ends[1]}."
    )
    figure = draw_image_rows(rows, ["", ""])
    return Section("outliers", "The oddest samples", caption, figure, question="odd")


PART = Part(draw_outliers, needs=("nodes", "images"))
