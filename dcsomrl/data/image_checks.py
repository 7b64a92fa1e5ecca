"""All image files of a folder, read once before a training starts, and what is wrong with them."""

import math
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from dcsomrl.data.constant import list_some
from dcsomrl.data.image_files import ImageFiles, SizeError, Taken
from dcsomrl.data.progress import track
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
        kinds: modes and sizes in the files, and of how many.
        span: least and greatest value; None where no image is good.
    """

    good: list[int]
    pixels: Tensor | None
    bad: list[str]
    changed: Counter[str]
    kinds: Counter[str]
    span: tuple[float, float] | None


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
    changed, kinds = Counter[str](), Counter[str]()
    low, high = math.inf, -math.inf
    for i, found in enumerate(_read_all(files)):
        if isinstance(found, SizeError):
            raise found
        if isinstance(found, DataError):
            bad.append(str(found))
            continue
        changed.update(found.lost)
        kinds[found.kind] += 1
        low, high = min(low, float(found.pixels.min())), max(high, float(found.pixels.max()))
        if pixels is not None:
            pixels[len(good)] = found.pixels
        good.append(i)
    kept = None if pixels is None else torch.from_numpy(pixels[: len(good)])
    return Checked(good, kept, bad, changed, kinds, (low, high) if good else None)


def _read_all(files: ImageFiles) -> Iterator[Taken | DataError]:
    """Every file in order as it was read, or what is wrong with it."""

    def attempt(file: Path) -> Taken | DataError:
        try:
            return files.take(file)
        except DataError as error:
            return error

    # In parts: results that nobody has taken yet would fill the memory.
    parts = [files.files[i : i + 256] for i in range(0, len(files), 256)]
    threads = min(8, 2 * (os.cpu_count() or 1))
    with ThreadPoolExecutor(threads) as pool:
        shown = track(parts, "reading images", len(files) >= WORTH_A_BAR)
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


def describe_kinds(found: Sequence[Checked]) -> str:
    """What images were in their files, and the least and greatest of their values, in words."""
    kinds = sum((part.kinds for part in found), Counter[str]()).most_common()
    spans = [part.span for part in found if part.span is not None]
    low, high = min(low for low, _ in spans), max(high for _, high in spans)
    return f"{list_some([f'{kind} ({n})' for kind, n in kinds])}, from {low:g} to {high:g}"
