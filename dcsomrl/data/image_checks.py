"""All image files of a folder, read once before a training starts, and what is wrong with them."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dcsomrl.data.constant import list_some
from dcsomrl.data.image_files import ImageFiles, SizeError
from dcsomrl.errors import DataError

# Files from which on their reading is worth a bar.
WORTH_A_BAR = 2000
NAMED = 5  # files that a message names


class Checked(NamedTuple):
    """What reading all files of a folder gave.

    Attributes:
        good: places of the files that can be read, in order.
        pixels: (n, channels, height, width) of these, where they were to be kept.
        bad: of the others, why not.
        changed: in words what became of images, and of how many.
    """

    good: list[int]
    pixels: Tensor | None
    bad: list[str]
    changed: Counter[str]


def check_files(files: ImageFiles, keep: bool) -> Checked:
    """Read all files, several at once, and gather what is wrong with each.

    Args:
        files: the images.
        keep: whether their pixels are to be returned.

    Raises:
        SizeError: sizes differ.
    """
    kind = np.uint8 if files.depth == "8 bits" else np.float32
    pixels = np.empty(files.shape, kind) if keep else None
    good: list[int] = []
    bad: list[str] = []
    changed = Counter[str]()
    for i, found in enumerate(_read_all(files)):
        if isinstance(found, SizeError):
            raise found
        if isinstance(found, DataError):
            bad.append(str(found))
            continue
        image, words = found
        changed.update(words)
        if pixels is not None:
            pixels[len(good)] = image
        good.append(i)
    kept = None if pixels is None else torch.from_numpy(pixels[: len(good)])
    return Checked(good, kept, bad, changed)


def _read_all(files: ImageFiles) -> Iterator[tuple[NDArray[Any], list[str]] | DataError]:
    """Pixels and in words what became of them, or what is wrong, of every file in order."""

    def attempt(file: Path) -> tuple[NDArray[Any], list[str]] | DataError:
        try:
            return files.take(file)
        except DataError as error:
            return error

    from rich.progress import track  # which a training on other data may lack

    # In parts: results that nobody has taken yet would fill the memory.
    parts = [files.files[i : i + 256] for i in range(0, len(files), 256)]
    threads = min(8, 2 * (os.cpu_count() or 1))
    with ThreadPoolExecutor(threads) as pool:
        shown = track(parts, "reading images", disable=len(files) < WORTH_A_BAR)
        for part in shown:
            yield from pool.map(attempt, part)


def describe_bad(bad: Sequence[str], n: int, folder: Path) -> str:
    """What to say of images that cannot be read, out of n: each, up to some."""
    if len(bad) == 1:
        return bad[0]
    more = f", and {len(bad) - NAMED} more" if len(bad) > NAMED else ""
    return f"{len(bad)} of {n} images in {folder} cannot be used: {'; '.join(bad[:NAMED])}{more}"


def describe_sizes(files: ImageFiles) -> str:
    """The sizes of images in words."""
    found = set()
    for file in files.files:
        try:
            found.add(files.read_size(file))
        except Exception:  # said elsewhere
            continue
    shown = sorted(found)
    return list_some([f"{width}x{height}" for width, height in shown])
