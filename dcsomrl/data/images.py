"""Datasets of one's own: a folder of images."""

import copy
import hashlib
import logging
import math
import re
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from dcsomrl.data.arrays import Arrays, Samples, divide
from dcsomrl.data.constant import list_some
from dcsomrl.errors import DataError

log = logging.getLogger(__name__)

Background = Literal["white", "black"]
# Kinds of files that are read, whatever their names end with: for some Pillow runs Ghostscript.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
# How names begin that are passed over; the latter is of archives made on a Mac.
HIDDEN = (".", "__MACOSX")
TRAIN_NAMES = ("train", "training")
TEST_NAMES = ("test", "testing", "val", "valid", "validation", "eval", "dev")
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
# Files whose content tells a folder from another of the same names and sizes.
STAMPED = 64


class ImageFiles:
    """Images read from the disk when they are asked for.

    Args:
        files: the images, at least one.
        image_size: side to which every image is resized; None demands the size of the first.
        channels: 1 for grey, 3 for colour, None for what the first image has.
        background: what is seen through transparent pixels.

    Attributes:
        shape: (n, channels, height, width).

    Raises:
        DataError: another number of channels, or a first image that cannot be read.
    """

    def __init__(
        self,
        files: list[Path],
        image_size: int | None = None,
        channels: int | None = None,
        background: Background = "white",
    ) -> None:
        if background not in ("white", "black"):
            raise DataError(f"background must be white or black, got {background}: set one of them")
        if channels not in (None, 1, 3):
            raise DataError(f"images have 1 or 3 channels, got channels={channels}: set 1 or 3")
        self.files = files
        first = _opened(files[0])
        channels = channels or (1 if first.mode in ("1", "L", "LA") else 3)
        width, height = (image_size, image_size) if image_size else first.size
        self.shape: tuple[int, ...] = (len(files), channels, height, width)
        self._resized, self._background = image_size is not None, background

    def alike(self, files: list[Path]) -> "ImageFiles":
        """Other files, of the same size and channels."""
        other = copy.copy(self)
        other.files, other.shape = files, (len(files), *self.shape[1:])
        return other

    def __len__(self) -> int:
        """Number of images."""
        return len(self.files)

    def __getitem__(self, index: Tensor) -> Tensor:
        """Images (batch, channels, height, width) as bytes."""
        return torch.stack([self._read(self.files[i]) for i in index.tolist()])

    def stamp(self) -> bytes:
        """Names and sizes of the files, and what some of them hold."""
        names = "".join(f"{file.name}:{file.stat().st_size};" for file in self.files)
        some = np.linspace(0, len(self.files) - 1, min(STAMPED, len(self.files))).astype(int)
        digest = hashlib.blake2b(names.encode(), digest_size=16)
        for i in some:
            digest.update(self.files[i].read_bytes())
        return digest.digest()

    def _read(self, file: Path) -> Tensor:
        _, channels, height, width = self.shape
        image = _opaque(_opened(file), self._background, file)
        image = image.convert("L" if channels == 1 else "RGB")
        if self._resized:
            image = image.resize((width, height), Image.Resampling.BILINEAR)
        if image.size != (width, height):
            raise DataError(
                f"{file} is {image.size[0]}x{image.size[1]}, but the first image is "
                f"{width}x{height}: set `image_size` to bring all to one size"
            )
        pixels = np.asarray(image, dtype=np.uint8).reshape(height, width, channels)
        return torch.from_numpy(pixels.copy()).permute(2, 0, 1)


def images(
    path: str,
    image_size: int | None = None,
    channels: int | None = None,
    background: Background = "white",
    test_fraction: float = 0.2,
    in_memory_limit: int = 2**31,
) -> Arrays:
    """A folder of images, with a folder for each class or without classes.

    Folders ``train`` and ``test`` in it are the splits, or ``train`` and ``val``; else a fixed part
    is split off. Hidden files and folders are passed over; the log says what was taken.

    Args:
        path: the folder.
        image_size: side to which every image is resized, in pixels, without regard to its
            proportions; None keeps their one size.
        channels: 1 or 3; None follows the first image.
        background: ``white`` or ``black``, what is seen through transparent pixels.
        test_fraction: share of the test split, where there are no folders for the splits.
        in_memory_limit: bytes up to which a split is kept in memory, as 32-bit numbers; beyond,
            every batch is read from the disk.

    Raises:
        DataError: no images, one that cannot be read, sizes that differ, images both in class
            folders and beside them, folders of which it is unclear whether they are splits or
            classes, or an argument out of its range.
    """
    if image_size is not None and image_size < 1:
        raise DataError(f"`image_size` must be at least 1 or null, got {image_size}")
    root = Path(path)
    splits = _splits(root)
    if splits is not None:
        (train, train_names), (test, test_names) = (classify(split) for split in splits)
        _check_labelled(splits, train_names, test_names)
    else:
        files, names = classify(root)
        train_rows, test_rows = divide(len(files), test_fraction)
        train, test = ([files[i] for i in rows] for rows in (train_rows, test_rows))
        train_names, test_names = (
            None if names is None else [names[i] for i in rows] for rows in (train_rows, test_rows)
        )
    class_names = sorted({*(train_names or []), *(test_names or [])})
    log.info(
        "%s: %d training and %d test images, %s",
        root,
        len(train),
        len(test),
        f"classes {list_some(class_names)}" if class_names else "no classes",
    )
    train_x = ImageFiles(train, image_size, channels, background)
    test_x = train_x.alike(test)
    return Arrays(
        _in_memory(train_x, in_memory_limit),
        _classes(train_names, class_names),
        _in_memory(test_x, in_memory_limit),
        _classes(test_names, class_names),
        class_names or None,
    )


def _split_name(folder: Path) -> str:
    """The name of a folder without what names of splits often end with, as ``test_images``."""
    return re.sub(r"[ _-]?(sets?|data|images?|imgs?|split)$", "", folder.name.lower())


def _splits(root: Path) -> tuple[Path, Path] | None:
    """The folders of the training and the test split, or None where there are none.

    Raises:
        DataError: folders named like splits that are not one of each, or others beside them.
    """
    folders = sorted(
        one for one in root.glob("*") if one.is_dir() and not one.name.startswith(HIDDEN)
    )
    train = [one for one in folders if _split_name(one) in TRAIN_NAMES]
    test = [one for one in folders if _split_name(one) in TEST_NAMES]
    if not train and not test:
        return None
    named_test = [one for one in test if _split_name(one) in ("test", "testing")]
    chosen = named_test or test
    others = [one for one in folders if one not in train + test]
    if len(train) != 1 or len(chosen) != 1 or others:
        raise DataError(
            f"{root} holds folders named like splits, "
            f"{list_some([one.name for one in train + test])}"
            + (f", beside {list_some([one.name for one in others])}" if others else "")
            + ": name one train and one test and move others away, or give classes other names"
        )
    for left in test:
        if left is not chosen[0]:
            log.warning("%s is left out: the splits are %s and %s", left, train[0], chosen[0])
    return train[0], chosen[0]


def _check_labelled(
    splits: tuple[Path, Path], train: list[str] | None, test: list[str] | None
) -> None:
    """Warn of classes in one split that the other has not."""
    if train is not None and test is not None and (unknown := sorted({*test} - {*train})):
        log.warning("%s has classes that %s has not: %s", splits[1], splits[0], list_some(unknown))


def classify(folder: Path) -> tuple[list[Path], list[str] | None]:
    """As :func:`image_files`, where the subfolders are plainly classes.

    Raises:
        DataError: as there, or a single subfolder that holds folders of its own.
    """
    files, names = image_files(folder)
    deep = [file for file in files if len(file.relative_to(folder).parts) > 2]
    if names is not None and deep and len(set(names)) == 1:
        raise DataError(
            f"{folder} holds one folder, {names[0]}, with folders in it: give the one whose "
            f"folders are the classes, as {deep[0].parent.parent}"
        )
    if deep:
        log.warning(
            "%s: folders within the classes are not told apart, as %s", folder, deep[0].parent
        )
    return files, names


def image_files(folder: Path) -> tuple[list[Path], list[str] | None]:
    """Images of a folder in order and, where they lie in subfolders, the subfolders' names.

    Raises:
        DataError: no such folder, no images in it, or images both in subfolders and beside them.
    """
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}: check `path`")
    found = sorted(
        file
        for file in folder.rglob("*")
        if file.suffix.lower() in IMAGE_SUFFIXES
        and file.is_file()
        and not any(part.startswith(HIDDEN) for part in file.relative_to(folder).parts)
    )
    if not found:
        raise DataError(f"{folder} holds no images ({', '.join(IMAGE_SUFFIXES)}): check `path`")
    beside = [file for file in found if file.parent == folder]
    if len(beside) == len(found):
        return found, None
    if beside:
        raise DataError(
            f"{folder} holds images both in folders, which are read as classes, and beside them, "
            f"as {beside[0].name}: move these into a folder or away"
        )
    return found, [file.relative_to(folder).parts[0] for file in found]


def _opened(file: Path) -> Image.Image:
    try:
        with Image.open(file, formats=FORMATS) as image:
            if image.width * image.height > (Image.MAX_IMAGE_PIXELS or math.inf):
                raise ValueError(f"{image.width}x{image.height} pixels are too many")
            image.load()
    except Exception as error:  # Pillow's readers raise kinds of their own for a damaged file
        raise DataError(f"the image {file} cannot be read ({error}): mend or remove it") from error
    if image.mode.startswith(("I", "F")):
        raise DataError(f"the image {file} has more than 8 bits a channel: convert it to 8 bits")
    return image


def _opaque(image: Image.Image, background: Background, file: Path) -> Image.Image:
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


def _in_memory(files: ImageFiles, limit: int) -> Tensor | Samples:
    if 4 * np.prod(files.shape, dtype=np.int64) > limit:
        return files
    return files[torch.arange(len(files))]


def _classes(names: list[str] | None, class_names: list[str]) -> Tensor | None:
    if names is None:
        return None
    number = {name: i for i, name in enumerate(class_names)}
    return torch.tensor([number[name] for name in names])
