"""Rows of files that are larger than memory, by number, read a block at a time."""

import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from dcsomrl.data.block_files import BlockFiles
from dcsomrl.data.blocks import ORDER, BlockRows, Division

# Blocks, at least, that are shuffled together where row groups are small enough.
BLOCKS = 16


class Stream:
    """Rows of files by number, of which no more are held than make a window and a block.

    Within a block the rows of the training part come first, then those of the validation part and
    of the test split, so that the rows of a split are ranges of numbers.

    Args:
        files: the table.
        window: bytes of the rows that are shuffled together, at least 1.
        division: of the rows among the splits; None for training alone.
    """

    def __init__(self, files: BlockFiles, window: int, division: Division | None = None) -> None:
        self._files, self._bytes = files, window
        self._blocks = files.cut(max(1, window // BLOCKS))
        self.sizes = [block.count for block in self._blocks]
        self._starts = np.cumsum([0, *self.sizes])
        self.division = Division(len(self)) if division is None else division
        self.window = max(1, window // files.row_bytes)
        self._limit = self.window + max(self.sizes, default=0)
        self._held: OrderedDict[int, NDArray[Any]] = OrderedDict()

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows, and features of one."""
        return len(self), self._files.width

    def __len__(self) -> int:
        """Number of rows."""
        return int(self._starts[-1])

    def __getitem__(self, index: Tensor) -> Tensor:
        """Rows (batch, features) of an index tensor (batch,)."""
        numbers = index.numpy()
        block = np.searchsorted(self._starts, numbers, side="right") - 1
        x = np.empty((len(numbers), self._files.width), self._files.dtype)
        # What is held first: what is read takes its place.
        for one in sorted(np.unique(block).tolist(), key=lambda one: one not in self._held):
            places = np.flatnonzero(block == one)
            x[places] = self._hold(one)[numbers[places] - self._starts[one]]
        return torch.from_numpy(x)

    def rows(self, split: str) -> BlockRows:
        """The rows of a split."""
        place = ORDER.index(split)
        first = self._starts[:-1] + self._counts[:, :place].sum(1)
        return BlockRows(first.tolist(), self._counts[:, place].tolist())

    def divide(self, val_fraction: float, seed: int) -> "Stream":
        """The same rows with a validation part, drawn by a seed."""
        test = self.division.test_fraction
        return Stream(self._files, self._bytes, Division(len(self), test, val_fraction, seed))

    def read_blocks(self, split: str) -> Iterator[Tensor]:
        """Rows (n, features) of a split, block after block; the others are looked at, too.

        Raises:
            DataError: a number in a block is missing or not finite.
        """
        place = ORDER.index(split)
        for number, count in enumerate(self._counts):
            first = int(count[:place].sum())
            yield torch.from_numpy(self._read(number)[first : first + int(count[place])])

    def locate(self, index: Tensor) -> pd.DataFrame:
        """Where rows (batch,) stand: ``row`` in the file, and ``file`` where there are several."""
        numbers = index.numpy()
        block = np.searchsorted(self._starts, numbers, side="right") - 1
        row = np.empty(len(numbers), np.int64)
        for one in np.unique(block).tolist():
            places = block == one
            within = self._sort(one)[numbers[places] - self._starts[one]]
            row[places] = self._blocks[one].first + within
        if len(self._files.files) == 1:
            return pd.DataFrame({"row": row})
        names = [str(file) for file in self.list_files()]
        return pd.DataFrame({"file": [names[self._blocks[one].file] for one in block], "row": row})

    def list_files(self) -> list[Path]:
        """The files by their path within the folder that holds all of them."""
        files = self._files.files
        shared = {*files[0].parents}.intersection(*(file.parents for file in files))
        top = max(shared, key=lambda folder: len(folder.parts))
        return [file.relative_to(top) for file in files]

    def stamp(self) -> bytes:
        """What the files say of their rows without being read whole."""
        digest = hashlib.blake2b(digest_size=16)
        for part in self._files.digest():
            digest.update(part)
        return digest.digest()

    def describe(self) -> str:
        """How it is read, in words."""
        read = f"{len(self._files.files)} files, " if len(self._files.files) > 1 else ""
        windows = -(-len(self) // max(self.window, 1))
        return (
            f"{read}{len(self):,} rows in {len(self._blocks)} blocks, {self._files.width} features"
            f" of {self._files.dtype}, shuffled in about {windows} windows of {self.window:,} rows"
        )

    def _hold(self, block: int) -> NDArray[Any]:
        """A block in memory; what was not asked for the longest makes room for it."""
        if block in self._held:
            self._held.move_to_end(block)
            return self._held[block]
        held = sum(self.sizes[one] for one in self._held)
        while self._held and held + self.sizes[block] > self._limit:
            held -= self.sizes[self._held.popitem(last=False)[0]]
        self._held[block] = self._read(block)
        return self._held[block]

    def _read(self, block: int) -> NDArray[Any]:
        order = self._sort(block) if self.is_divided else None
        return self._files.read(self._blocks[block], order)

    @property
    def is_divided(self) -> bool:
        """Whether rows belong to more than one split."""
        return self.division.test_fraction > 0 or self.division.val_fraction > 0

    def _sort(self, block: int) -> NDArray[np.int64]:
        """(count,) rows of a block in the order of their splits."""
        return _sort_rows(self.division, int(self._starts[block]), self.sizes[block])

    @cached_property
    def _counts(self) -> NDArray[np.int64]:
        """(blocks, splits) rows of every split in every block."""
        if not self.is_divided:
            return np.array([[size, 0, 0] for size in self.sizes])
        ranges = zip(self._starts.tolist(), self.sizes, strict=False)
        labels = (self.division.label(first, count) for first, count in ranges)
        return np.stack([np.bincount(one, minlength=3) for one in labels])


@lru_cache(2)  # of a block that is read, and asked where its rows stand
def _sort_rows(division: Division, first: int, count: int) -> NDArray[np.int64]:
    return np.argsort(division.label(first, count), kind="stable")
