"""Image files as samples: read when they are asked for, brought to one size and kind."""

import copy
import hashlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageColor, ImageOps
from torch import Tensor

from dcsomrl.data.opened_image import (
    DEEP,
    FORMATS,
    FRAMES,
    Depth,
    find_depth,
    is_grey,
    is_seen_through,
    make_opaque,
    open_image,
)
from dcsomrl.data.tiff_tags import has_bands
from dcsomrl.errors import DataError

Fit = Literal["stretch", "pad", "crop"]
# Files whose content tells a folder from another of the same names and sizes.
STAMPED = 64
# Pillow's modes by the number of channels.
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
SIDEWAYS = (5, 6, 7, 8)  # orientations in which width and height change places
# Least and greatest value of a channel; of floats the image tells.
FULL: dict[Depth, tuple[float, float]] = {"8 bits": (0, 255), "16 bits": (0, 65535)}
# What becomes of images of other channels than those that they are read with.
GREYED = "are in colour and read as grey (`channels`)"
FLATTENED = "are transparent and read before the `background` (`channels`)"


@dataclass(frozen=True)
class Look:
    """What images are brought to.

    Attributes:
        size: height and width; None demands the size of the first.
        channels: 1 grey, 3 colour, 4 colour and transparency, or any number that TIFF files have;
            None follows the first image.
        background: colour that is seen through transparent pixels and laid around images, by name
            or as ``#rrggbb``; where channels are not colours its grey, between their least and
            greatest value.
        fit: how a size is reached: ``stretch``, ``pad`` (with the background) or ``crop``, the last
            two with the image's proportions.

    Raises:
        DataError: a setting out of its range.
    """

    size: tuple[int, int] | None = None
    channels: int | None = None
    background: str = "white"
    fit: Fit = "stretch"

    def __post_init__(self) -> None:
        if self.size is not None and (len(self.size) != 2 or min(self.size) < 1):
            raise DataError(
                "`image_size` must be a side of at least 1, [height, width] or `None`, got "
                f"{list(self.size)}"
            )
        most = Image.MAX_IMAGE_PIXELS or math.inf
        if self.size is not None and math.prod(self.size) > most:
            raise DataError(
                f"`image_size` makes images of {math.prod(self.size):,} pixels, got "
                f"{list(self.size)}: give at most {most:,}"
            )
        if self.channels is not None and self.channels < 1:
            raise DataError(f"images have 1 channel or more, got channels={self.channels}")
        if self.fit not in ("stretch", "pad", "crop"):
            raise DataError(f"`fit` must be stretch, pad or crop, got {self.fit}")
        try:
            ImageColor.getrgb(self.background)
        except ValueError as error:
            raise DataError(
                f"background must be a colour, as white, black or #8040c0, got {self.background}: "
                "set one of them"
            ) from error


class Taken(NamedTuple):
    """An image as it was read.

    Attributes:
        pixels: (channels, height, width), bytes or floats.
        lost: what it lost, in words that follow a number of images.
        kind: what it was in its file: its mode, and its width and height.
    """

    pixels: NDArray[Any]
    lost: list[str]
    kind: str


class ImageFiles:
    """Images read from the disk when they are asked for.

    Args:
        files: the images, at least one.
        look: what they are brought to.
        first: the file that settles what the look leaves open; None for the first.

    Attributes:
        shape: (n, channels, height, width).
        depth: of all of them.

    Raises:
        DataError: the first image cannot be read.
    """

    def __init__(self, files: list[Path], look: Look, first: Path | None = None) -> None:
        image = open_image(first or files[0])
        self.files, self.look = files, look
        self.depth: Depth = find_depth(image)
        channels = look.channels or (1 if is_grey(image) else 3)
        if channels not in MODES:
            raise DataError(
                f"the image {first or files[0]} has no {channels} channels: set `channels` to 1, 3 "
                "or 4; other numbers are read from TIFF files alone"
            )
        if self.depth != "8 bits" and channels != 1:
            raise DataError(
                f"the image {first or files[0]} has one channel of {self.depth}: set `channels=1`"
            )
        height, width = look.size or (image.height, image.width)
        self.shape: tuple[int, ...] = (len(files), channels, height, width)

    def copy_with(self, files: list[Path]) -> "ImageFiles":
        """Other files, of the same size and channels."""
        other = copy.copy(self)
        other.files, other.shape = files, (len(files), *self.shape[1:])
        return other

    def __len__(self) -> int:
        """Number of images."""
        return len(self.files)

    def __getitem__(self, index: Tensor) -> Tensor:
        """Images (batch, channels, height, width), bytes, or floats of deeper ones."""
        return torch.from_numpy(np.stack([self.take(self.files[i]).pixels for i in index.tolist()]))

    def stamp(self) -> bytes:
        """Names and sizes of the files, and what some of them hold."""
        names = "".join(f"{file.name}:{file.stat().st_size};" for file in self.files)
        some = np.linspace(0, len(self.files) - 1, min(STAMPED, len(self.files))).astype(int)
        digest = hashlib.blake2b(names.encode(), digest_size=16)
        for i in some:
            digest.update(self.files[i].read_bytes())
        return digest.digest()

    def take(self, file: Path) -> Taken:
        """One image.

        Raises:
            DataError: it cannot be read, or is unlike the first.
        """
        if has_bands(file):
            raise DataError(
                f"{file} has channels that are read by themselves, but the first image has not: "
                "convert all to the same"
            )
        image = open_image(file)
        kind = f"{image.mode} {image.width}x{image.height}"
        return Taken(self._convert_pixels(image, file), self.list_changes(image), kind)

    def read_size(self, file: Path) -> tuple[int, int]:
        """Width and height of an image, turned as its camera noted."""
        with Image.open(file, formats=FORMATS) as image:
            turned = image.getexif().get(ExifTags.Base.Orientation) in SIDEWAYS
            return image.size[::-1] if turned else image.size

    def list_changes(self, image: Image.Image) -> list[str]:
        """What an image loses as it is read, in words that follow a number of images."""
        channels, said = self.shape[1], []
        if image.info.get(FRAMES):
            said.append("have several frames: the first is taken")
        if image.info.get(DEEP):
            said.append("have 16 bits a channel and are read with 8")
        if channels == 1 and not is_grey(image):
            said.append(GREYED)
        if channels != 4 and is_seen_through(image):
            said.append(FLATTENED)
        return said

    def _convert_pixels(self, image: Image.Image, file: Path) -> NDArray[Any]:
        _, channels, height, width = self.shape
        if find_depth(image) != self.depth:
            raise DataError(
                f"{file} has {find_depth(image)} a channel, but the first image {self.depth}: "
                "convert all to the same"
            )
        if self.depth == "8 bits":
            # An opaque image is what every other number of channels is made of.
            if channels != 4:
                image = make_opaque(image, self.look.background, file)
            image = image.convert(MODES[channels])
        else:
            image = image.convert("F")
        if self.look.size is not None:
            image = self._resize(image)
        if image.size != (width, height):
            raise SizeError(
                f"{file} is {image.size[0]}x{image.size[1]}, but the first image is "
                f"{width}x{height}: set `image_size` to bring all to one size"
            )
        pixels: NDArray[Any] = np.array(image)
        if self.depth == "16 bits":
            pixels = pixels / np.float32(65535)
        if not np.isfinite(pixels).all():
            raise DataError(f"the image {file} holds values that are not finite: fix or remove it")
        return pixels.reshape(height, width, channels).transpose(2, 0, 1)

    def _resize(self, image: Image.Image) -> Image.Image:
        assert self.look.size is not None
        height, width = self.look.size
        method = Image.Resampling.BILINEAR
        if self.look.fit == "stretch":
            return image.resize((width, height), method)
        if self.look.fit == "crop":
            return ImageOps.fit(image, (width, height), method)
        behind: Any = self._find_behind(image)
        return ImageOps.pad(image, (width, height), method, color=behind)

    def _find_behind(self, image: Image.Image) -> Any:
        """The background in the values of an image: of floats by the range that they have in it."""
        if image.mode != "F":
            return ImageColor.getcolor(self.look.background, image.mode)
        grey: Any = ImageColor.getcolor(self.look.background, "L")
        span: Any = FULL.get(self.depth) or image.getextrema()
        low, high = span
        return low + grey / 255 * (high - low)


class SizeError(DataError):
    """An image has another size than the first."""
