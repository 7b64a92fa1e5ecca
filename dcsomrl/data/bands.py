"""TIFF files of any number of channels, as of satellites and microscopes."""

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dcsomrl.data.image_files import ImageFiles, Look, SizeError, Taken
from dcsomrl.data.opened_image import Depth
from dcsomrl.errors import DataError
from dcsomrl.extras import name_command

DEPTHS: dict[Any, Depth] = {np.dtype(np.uint8): "8 bits", np.dtype(np.uint16): "16 bits"}


class Bands(NamedTuple):
    """The channels of an image, each (height, width), and how fine their values are."""

    values: NDArray[Any]
    depth: Depth


class BandFiles(ImageFiles):
    """TIFF files whose channels are none that Pillow knows, or are deeper than it reads.

    Colours mean nothing here: channels are neither converted nor laid before a background.

    Args:
        files: the images, at least one.
        look: what they are brought to; its channels are None or those of the first.
        first: the file that settles what the look leaves open.

    Raises:
        DataError: the first image cannot be read, or has other channels.
    """

    def __init__(self, files: list[Path], look: Look, first: Path) -> None:
        bands = read_bands(first)
        self.files, self.look, self.depth = files, look, bands.depth
        channels, *sides = bands.values.shape
        if look.channels not in (None, channels):
            raise DataError(
                f"the image {first} has {channels} channels of {bands.depth}: set "
                f"`channels={channels}` or leave it out"
            )
        self.shape = (len(files), channels, *(look.size or sides))

    def read_size(self, file: Path) -> tuple[int, int]:
        """Width and height of an image as it is in its file."""
        height, width = read_bands(file).values.shape[1:]
        return width, height

    def take(self, file: Path) -> Taken:
        """One image, of which nothing is lost."""
        bands, channels = read_bands(file), self.shape[1]
        if (len(bands.values), bands.depth) != (channels, self.depth):
            raise DataError(
                f"{file} has {len(bands.values)} channels of {bands.depth}, but the first image "
                f"{channels} of {self.depth}: convert all to the same"
            )
        planes = [Image.fromarray(band.astype(np.float32)) for band in bands.values]
        if self.look.size is not None:
            planes = [self._resize(plane) for plane in planes]
        pixels = np.stack([np.asarray(plane) for plane in planes])
        if pixels.shape != self.shape[1:]:
            (height, width), (high, wide) = pixels.shape[1:], self.shape[2:]
            raise SizeError(
                f"{file} is {width}x{height}, but the first image is {wide}x{high}: set "
                "`image_size` to bring all to one size"
            )
        if not np.isfinite(pixels).all():
            raise DataError(f"the image {file} holds values that are not finite: fix or remove it")
        high, wide = bands.values.shape[1:]
        kind = f"{channels} channels of {self.depth} {wide}x{high}"
        if self.depth == "8 bits":
            return Taken(pixels.round().astype(np.uint8), [], kind)
        return Taken(pixels / np.float32(65535 if self.depth == "16 bits" else 1), [], kind)


def read_bands(file: Path) -> Bands:
    """All channels of an image, from planes, from pixels or from pages.

    Raises:
        DataError: it is damaged, too large, has more than one dimension beside height and width, or
            tifffile is not installed.
    """
    try:
        import tifffile
    except ImportError:
        raise DataError(
            f"the image {file} has channels that are read by tifffile, which is not installed: "
            f"{name_command('tiff')}"
        ) from None
    try:
        with tifffile.TiffFile(file) as opened:
            series = opened.series[0]
            if math.prod(series.shape) > (Image.MAX_IMAGE_PIXELS or math.inf):
                raise ValueError(f"{series.shape} values are too many")
            axes, values = series.axes, series.asarray()
    except Exception as error:  # tifffile raises kinds of its own for a damaged file
        raise DataError(f"the image {file} cannot be read ({error}): fix or remove it") from error
    others = [i for i, axis in enumerate(axes) if axis not in "YX" and values.shape[i] > 1]
    if len(others) > 1 or not {"Y", "X"} <= set(axes) or values.dtype.kind not in "uif":
        raise DataError(
            f"the image {file} holds {values.dtype} values of {axes} {values.shape}: give images "
            "of height, width and channels"
        )
    order = [*others, axes.index("Y"), axes.index("X")]
    alone = [i for i in range(values.ndim) if i not in order]
    values = values.transpose(*alone, *order).reshape(-1, *(values.shape[i] for i in order[-2:]))
    return Bands(values, DEPTHS.get(values.dtype, "float"))
