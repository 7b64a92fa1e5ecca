"""The way of some samples through the map."""

import numpy as np

from dcsomrl.figures.images import draw_image_rows
from dcsomrl.reporting.context import Context
from dcsomrl.reporting.section import Part, Section, clip_images

# Epochs that the way of a sample shows.
COLUMNS = 12


def draw_paths(context: Context) -> Section:
    """Which prototype won some test samples after each of some epochs."""
    run = context.run
    assert run.paths is not None
    slot, decoded = run.paths["slot"], run.paths["decoded"]
    last = len(slot) - 1
    epochs = np.unique(np.linspace(0, last, min(COLUMNS, last + 1)).round().astype(int))
    rows = [
        clip_images(np.concatenate([sample[None], decoded[epochs, i]]))
        for i, sample in enumerate(run.paths["sample"])
    ]
    changes = (np.diff(slot, axis=0) != 0).mean(1) if last else np.zeros(1)
    half = changes[len(changes) // 2 :].mean()
    caption = (
        "Some test samples, and the decoded prototype of the node that won each after an epoch. "
        f"{half:.0%} of them moved to another slot from one epoch to the next in the second half "
        f"of the training, {changes[: max(1, len(changes) // 2)].mean():.0%} in the first."
    )
    columns = ["sample", *(f"epoch {epoch + 1}" for epoch in epochs)]
    figure = draw_image_rows(rows, [""] * len(rows), columns)
    return Section("paths", "The path of samples through the map", caption, figure)


PART = Part(draw_paths, needs=("nodes", "images", "paths"))
