"""One image file in memory: opened without harm, turned, and what kind of image it is."""

import math
import warnings
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image, ImageOps

from dcsomrl.data.foreign import describe_foreign
from dcsomrl.errors import DataError

Depth = Literal["8 bits", "16 bits", "float"]
# Kinds of files that are read, whatever their names end with: for some Pillow runs Ghostscript.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
# What is noted of a file beside its image.
FRAMES, DEEP = "several frames", "16 bits"


def open_image(file: Path) -> Image.Image:
    """An image in memory, turned as its camera noted.

    Raises:
        DataError: it is damaged, of another kind of file, or too large.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what a file says of itself
            return _read_first_frame(file)
    except Exception as error:  # Pillow's readers raise kinds of their own for a damaged file
        foreign = describe_foreign(file)
        what = (
            f"{foreign}, or remove it" if foreign else f"cannot be read ({error}): fix or remove it"
        )
        raise DataError(f"the image {file} {what}") from error


def _read_first_frame(file: Path) -> Image.Image:
    """The image, and in its ``info`` whether its file holds more of them, or finer ones."""
    with Image.open(file, formats=FORMATS) as opened:
        if opened.width * opened.height > (Image.MAX_IMAGE_PIXELS or math.inf):
            raise ValueError(f"{opened.width}x{opened.height} pixels are too many")
        noted: dict[str | tuple[int, int], Any] = {
            FRAMES: getattr(opened, "n_frames", 1) > 1,
            DEEP: _is_deeper(opened),
        }
        # Pillow makes colours of grey and transparency of 16 bits.
        grey = _find_raw_mode(opened).startswith("LA;16")
        opened.load()
        image = ImageOps.exif_transpose(opened)
        image.info.update(noted)
        if opened.mode == "I" and opened.format == "TIFF":  # of 32 bits; 16 are a mode of their own
            image = image.convert("F")
        # That of premultiplied grey can be made no other.
        return image.convert("LA") if grey or image.mode == "La" else image


def _is_deeper(opened: Any) -> bool:
    """Whether a file, open and not loaded, has colours of 16 bits, of which Pillow keeps 8."""
    if opened.mode not in ("RGB", "RGBA", "LA"):
        return False
    # Of a PPM file there stands its greatest value.
    greatest = opened.tile[0].args[-1] if opened.format == "PPM" and opened.tile else 0
    return ";16" in _find_raw_mode(opened) or (isinstance(greatest, int) and greatest > 255)


def _find_raw_mode(opened: Any) -> str:
    """How the values of a file, open and not loaded, are stored, in Pillow's words."""
    return str(opened.tile[0].args) if opened.tile else ""


def find_depth(image: Image.Image) -> Depth:
    """How fine the values of an image's channels are."""
    if image.mode.startswith("I"):
        return "16 bits"
    return "float" if image.mode.startswith("F") else "8 bits"


def is_grey(image: Image.Image) -> bool:
    """Whether an image's kind holds no colours."""
    return image.mode[0] in "1LIF" and image.mode != "LAB"


def is_seen_through(image: Image.Image) -> bool:
    """Whether a pixel of an image is transparent, and not its kind alone."""
    if not image.has_transparency_data:
        return False
    low, _ = image.convert("RGBA").getchannel("A").getextrema()
    return isinstance(low, int | float) and low < 255


def make_opaque(image: Image.Image, background: str, file: Path) -> Image.Image:
    """The image before a background, where it has transparent pixels.

    Raises:
        DataError: nothing of it is seen before that background.
    """
    if not image.has_transparency_data:
        return image
    seen = image.convert("RGBA")
    behind = Image.new("RGBA", seen.size, background)
    shown = Image.alpha_composite(behind, seen).convert("RGB")
    low, high = seen.getchannel("A").getextrema()
    if low != high and not np.ptp(np.asarray(shown), axis=(0, 1)).any():
        other = "black" if background == "white" else "white"
        raise DataError(
            f"{file} shows nothing before a {background} background: set `background={other}`"
        )
    return shown
