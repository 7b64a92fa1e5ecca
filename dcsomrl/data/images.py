"""Datasets of one's own: a folder of images."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from dcsomrl.data.arrays import Arrays, divide
from dcsomrl.data.bands import BandFiles, read_bands
from dcsomrl.data.constant import list_some
from dcsomrl.data.image_checks import (
    Checked,
    check_files,
    describe_bad,
    describe_kinds,
    describe_sizes,
)
from dcsomrl.data.image_files import FLATTENED, GREYED, Fit, ImageFiles, Look, SizeError
from dcsomrl.data.image_folders import check_labelled, classify, find_splits
from dcsomrl.data.inner_splits import find_inner_splits
from dcsomrl.data.notes import note
from dcsomrl.data.opened_image import open_image
from dcsomrl.data.tiff_tags import has_bands
from dcsomrl.data.variants import warn_of_variants
from dcsomrl.errors import DataError
from dcsomrl.hints import check_arguments
from dcsomrl.ranges import Count, Natural, ShareBetween

log = logging.getLogger(__name__)

OnError = Literal["refuse", "skip"]
KINDS = {1: "grey", 3: "colour", 4: "colour and transparency"}


@check_arguments
def images(
    path: str,
    image_size: Count | Sequence[Count] | None = None,
    channels: Count | None = None,
    background: str = "white",
    fit: Fit = "stretch",
    on_error: OnError = "refuse",
    test_fraction: ShareBetween = 0.2,
    in_memory_limit: Natural = 2**31,
) -> Arrays:
    """A folder of images, with a folder for each class or without classes.

    Folders ``train`` and ``test`` in it, or in each of its classes, are the splits, or ``train``
    and ``val``; else a fixed part is split off. Hidden files and folders are passed over; the log
    says what was taken. All images are read before anything else, so that those that cannot be are
    known at once.

    Args:
        path: the folder.
        image_size: side to which every image is brought, in pixels, or its height and width; None
            keeps their one size.
        channels: 1, 3, or 4 for colour and transparency, or the number that TIFF files have; None
            follows the first image.
        background: colour that is seen through transparent pixels.
        fit: how a size is reached: ``stretch``, ``pad`` or ``crop``.
        on_error: what becomes of images that cannot be read: ``refuse``, or ``skip`` to leave them
            out.
        test_fraction: share of the test split, where there are no folders for the splits.
        in_memory_limit: bytes up to which a split is kept in memory, as 32-bit numbers; beyond,
            every batch is read from the disk.

    Raises:
        DataError: no images, ones that cannot be read, sizes that differ, images both in class
            folders and beside them, folders of which it is unclear whether they are splits or
            classes, or an argument out of its range.
    """
    if path is None:
        raise DataError("`path` is `None`: give it the folder to read")
    look = Look(read_size(image_size), channels, background, fit)
    root, notes = Path(path), list[str]()
    splits = find_splits(root, notes)
    if splits is not None:
        train, test = (Part(*classify(split, notes)) for split in splits)
        check_labelled(splits, train.names, test.names, notes)
    elif (inner := find_inner_splits(root, notes)) is not None:
        train, test = (Part(*split) for split in inner)
    else:
        whole = Part(*classify(root, notes))
        train, test = (
            whole.select(rows.tolist()) for rows in divide(len(whole), test_fraction, str(root))
        )
    files = read_as(train.files, look)
    parts = [train, test]
    found = [_check(files.copy_with(part.files), root, in_memory_limit) for part in parts]
    _settle(found, len(train) + len(test), root, on_error, channels is not None, notes)
    train, test = (part.select(one.good) for part, one in zip(parts, found, strict=True))
    train_x, test_x = (
        files.copy_with(part.files) if one.pixels is None else one.pixels
        for part, one in zip((train, test), found, strict=True)
    )
    class_names = sorted({*(train.names or []), *(test.names or [])})
    warn_of_variants(class_names, "names of classes", root, notes)
    log.info(
        "%s: %d training and %d test images of %s, %d x %d, %s; in the files %s",
        root,
        len(train),
        len(test),
        KINDS.get(files.shape[1], f"{files.shape[1]} channels"),
        *files.shape[2:],
        f"classes {list_some(class_names)}" if class_names else "no classes",
        describe_kinds(found),
    )
    return Arrays(
        train_x,
        _number_classes(train.names, class_names),
        test_x,
        _number_classes(test.names, class_names),
        class_names or None,
        train_about=train.list_files(root),
        test_about=test.list_files(root),
        notes=tuple(notes),
    )


@dataclass(frozen=True)
class Part:
    """The files of a split, and the class of each where there are classes."""

    files: list[Path]
    names: list[str] | None

    def __len__(self) -> int:
        """Number of files."""
        return len(self.files)

    def select(self, rows: Sequence[int]) -> "Part":
        """The files at some places."""
        names = None if self.names is None else [self.names[i] for i in rows]
        return Part([self.files[i] for i in rows], names)

    def list_files(self, root: Path) -> pd.DataFrame:
        """The files by their path within a folder."""
        return pd.DataFrame({"file": [str(file.relative_to(root)) for file in self.files]})


def read_size(image_size: int | Sequence[int] | None) -> tuple[int, int] | None:
    """Height and width of a side, or of both.

    Raises:
        DataError: it is neither.
    """
    if image_size is None:
        return None
    sides = [image_size] * 2 if isinstance(image_size, int) else list(image_size)
    if len(sides) != 2 or not all(isinstance(side, int) and side >= 1 for side in sides):
        raise DataError(
            "`image_size` must be a side of at least 1, [height, width] or `None`, got "
            f"{image_size}"
        )
    return sides[0], sides[1]


def read_as(files: list[Path], look: Look) -> ImageFiles:
    """Images by the reader for their kind, which the first that can be read settles.

    Raises:
        DataError: none can be read, or that one is not what the look demands.
    """
    for file in files:
        banded = has_bands(file, look.channels)
        try:
            read_bands(file) if banded else open_image(file)
        except DataError:
            continue
        return BandFiles(files, look, file) if banded else ImageFiles(files, look, file)
    banded = has_bands(files[0], look.channels)
    return BandFiles(files, look, files[0]) if banded else ImageFiles(files, look)


def _check(files: ImageFiles, root: Path, limit: int) -> Checked:
    """What reading a split gives, with its pixels where they fit into memory."""
    keep = 4 * np.prod(files.shape, dtype=np.int64) <= limit
    try:
        return check_files(files, bool(keep))
    except SizeError as error:
        raise SizeError(f"{error}; sizes are {describe_sizes(files)}") from error


def _settle(
    found: Sequence[Checked],
    n: int,
    root: Path,
    on_error: OnError,
    chosen: bool,
    notes: list[str],
) -> None:
    """Refuse images that cannot be read, or say that they are left out, and what others lose.

    What channels were chosen for is not said.

    Raises:
        DataError: there are some, and they are to be refused; or no other is in a split.
    """
    bad = [one for part in found for one in part.bad]
    if bad and on_error == "refuse":
        raise DataError(
            f"{describe_bad(bad, n, root)}, or set `on_error=skip` to leave such images out"
        )
    if bad:
        note(notes, f"left out: {describe_bad(bad, n, root)}")
    for what, count in sum((part.changed for part in found), Counter[str]()).items():
        if not (chosen and what in (GREYED, FLATTENED)):
            note(notes, f"{root}: {count} of {n} images {what}")
    if not all(part.good for part in found):
        raise DataError(f"{root} has a split without any image that can be read: give it some")


def _number_classes(names: list[str] | None, class_names: list[str]) -> Tensor | None:
    if names is None:
        return None
    number = {name: i for i, name in enumerate(class_names)}
    return torch.tensor([number[name] for name in names])
