"""Rows of pictures: disturbed prototypes, walks, neighbours, what prototypes share."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dcsomrl.figures.text import escape, measure_heading

TILE = 0.62


def rescale_images(
    images: NDArray[np.floating], samples: NDArray[np.floating]
) -> NDArray[np.floating]:
    """Images as they are where samples of theirs lie in [0, 1], else by the samples' range.

    Args:
        images: of any shape.
        samples: of any shape, not empty, in the same units.
    """
    low, high = min(0.0, float(samples.min())), max(1.0, float(samples.max()))
    # A hair's breadth is the rounding of a normalisation and back.
    return images if high - low < 1.001 else (images - low) / (high - low)


def draw_image_rows(
    rows: Sequence[NDArray[np.floating]],
    labels: Sequence[str],
    columns: Sequence[str] = (),
    title: str = "",
) -> Figure:
    """Rows of images, each with a label to its left.

    Args:
        rows: (n, channels, height, width) in [0, 1], 1 or 3 channels; n may differ by row.
        labels: one a row.
        columns: headings of the columns; none where empty.
        title: the figure's heading.

    Raises:
        ValueError: no row, another shape, images of several sizes, or another number of labels.
    """
    sizes = {row.shape[1:] for row in rows}
    if len(sizes) != 1 or rows[0].ndim != 4 or rows[0].shape[1] not in (1, 3):
        shapes = [row.shape for row in rows]
        raise ValueError(
            f"rows must be images (n, 1 or 3, height, width) of one size, got shapes {shapes}"
        )
    if len(labels) != len(rows):
        raise ValueError(f"there are {len(rows)} rows but {len(labels)} labels")
    longest = max(map(len, rows))
    height, width = rows[0].shape[2:]
    gap = max(1, round(0.06 * max(height, width)))
    cell = (height + gap, width + gap)
    margin = 0.085 * max(map(len, labels)) + 0.1
    heading = (0.3 if columns else 0.05) + (0.35 if title else 0)
    size = (margin + TILE * longest * cell[1] / cell[0], TILE * len(rows) + heading)
    across = max(size[0], measure_heading(title))
    figure = Figure(figsize=(across, size[1]), dpi=130)
    top = 1 - heading / size[1]
    axis = figure.add_axes((margin / across, 0, (size[0] - margin) / across, top))
    draw_tiles(axis, rows, cell)
    for i, label in enumerate(labels):
        place = i * cell[0] + height / 2
        axis.text(-0.15 * cell[1], place, escape(label), ha="right", va="center", fontsize=9.5)
    for j, text in enumerate(columns):
        axis.text((j + 0.5) * cell[1] - gap / 2, -0.1 * cell[0], text, ha="center", fontsize=7.5)
    if title:
        figure.text(0.5, 1 - 0.05 / size[1], escape(title), ha="center", va="top", fontsize=10)
    return figure


def draw_tiles(
    axis: Axes, rows: Sequence[NDArray[np.floating]], cell: tuple[int, int], top: int = 0
) -> None:
    """Draw images in rows, as one picture: an axis for each takes many times as long.

    Args:
        axis: where to; one unit is a pixel of the images.
        rows: (n, channels, height, width) in [0, 1], 1 or 3 channels, all of one size.
        cell: height and width that an image takes with the gap after it.
        top: empty pixels above the images of every cell.
    """
    height, width = rows[0].shape[2:]
    longest = max(map(len, rows))
    # Clear where no image lies.
    sheet = np.zeros((len(rows) * cell[0], longest * cell[1], 4))
    for i, images in enumerate(rows):
        for j, image in enumerate(np.moveaxis(images, 1, -1)):
            y, x = i * cell[0] + top, j * cell[1]
            sheet[y : y + height, x : x + width, :3] = image.clip(0, 1)
            sheet[y : y + height, x : x + width, 3] = 1
    axis.imshow(sheet, aspect="auto", interpolation="nearest")
    axis.axis("off")
