"""Rows of files that are larger than memory, by number, read a block at a time."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from dcsomrl.data.block_files import AT_ONCE, Block, BlockFiles
from dcsomrl.data.blocks import ORDER, BlockRows, Division
from dcsomrl.data.roles import Missing, Roles
from dcsomrl.data.stream_gaps import Lacking, look_for_gaps
from dcsomrl.errors import DataError

# Blocks, at least, that are shuffled together where row groups are small enough.
BLOCKS = 16


class Stream:
    """Rows of files by number, of which no more are held than make a window and a block.

    Within a block the rows of the training part come first, then those of the validation part and
    of the test split, so that the rows of a split are ranges of numbers, and last those that are
    left out.

    Args:
        files: the table.
        window: bytes of the rows that are shuffled together, at least 1.
        division: of the rows among the splits; None for training alone.
        missing: what becomes of missing values: those that are refused are looked for in all that
            is read.
        lacking: rows that lack a value, by :func:`dcsomrl.data.stream_gaps.look_for_gaps`, which
            are left out by ``missing="drop"``.
    """

    def __init__(
        self,
        files: BlockFiles,
        window: int,
        division: Division | None = None,
        missing: Missing = "refuse",
        lacking: Lacking | None = None,
    ) -> None:
        self._files, self._bytes, self._missing = files, window, missing
        self._lacking: Lacking = lacking or {}
        self._blocks = files.cut(max(1, window // BLOCKS))
        self.sizes = [block.count for block in self._blocks]
        self._starts = np.cumsum([0, *self.sizes])
        self.division = Division(len(self)) if division is None else division
        self.window = max(1, window // files.row_bytes)
        self._limit = self.window + max(self.sizes, default=0)
        self._held: OrderedDict[int, NDArray[Any]] = OrderedDict()
        self._beside: OrderedDict[int, pd.DataFrame] = OrderedDict()
        self._orders: OrderedDict[int, NDArray[np.int64]] = OrderedDict()

    @property
    def files(self) -> list[Path]:
        """In the order of their rows."""
        return self._files.files

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the numbers that are read."""
        return self._files.dtype

    @property
    def names(self) -> list[str] | None:
        """Of the features; None where they have none."""
        return self._files.names

    @property
    def roles(self) -> Roles:
        """Of the columns, with what was guessed of them."""
        return self._files.roles

    @property
    def lacks(self) -> bool:
        """Whether values are missing in rows that are kept."""
        return self._missing == "median" and bool(self._lacking)

    @property
    def n_kept(self) -> int:
        """Rows that belong to a split."""
        return int(self._counts.sum())

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
        block = self._find_blocks(numbers)
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
        return self.copy_with(Division(len(self), test, val_fraction, seed))

    def copy_with(self, division: Division) -> "Stream":
        """The same rows with others in each split."""
        return Stream(self._files, self._bytes, division, self._missing, self._lacking)

    def settle_gaps(self, path: str, notes: list[str]) -> "Stream":
        """The same once every value was looked at, so that it is known which are missing.

        Args:
            path: what messages call the table.
            notes: gets a sentence on rows that are left out or values that are filled later.

        Raises:
            DataError: a value is infinite, or a column has none at all.
        """
        lacking = look_for_gaps(self._files, self._blocks, self._missing, path, notes)
        return Stream(self._files, self._bytes, self.division, self._missing, lacking)

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
        block = self._find_blocks(numbers)
        row = np.empty(len(numbers), np.int64)
        for one in np.unique(block).tolist():
            places = block == one
            within = self._sort(one)[numbers[places] - self._starts[one]]
            row[places] = self._blocks[one].first + within
        table = pd.DataFrame({"row": row})
        if len(self._files.files) > 1:
            names = [str(file) for file in self.list_files()]
            table.insert(0, "file", [names[self._blocks[one].file] for one in block])
        kept = {"id": self.roles.id, **{name: name for name in self.roles.keep}}
        if not any(kept.values()):
            return table
        beside = self.read_beside(index)
        return table.assign(**{to: beside[name].array for to, name in kept.items() if name})

    def read_beside(self, index: Tensor) -> pd.DataFrame:
        """Labels, names and kept columns of rows (batch,), by their names in the files.

        Raises:
            DataError: a file is damaged.
        """
        numbers = index.numpy()
        block = self._find_blocks(numbers)
        parts, order = [], []
        for one in np.unique(block).tolist():
            places = np.flatnonzero(block == one)
            within = self._sort(one)[numbers[places] - self._starts[one]]
            parts.append(self._hold_beside(one).iloc[within])
            order.append(places)
        whole = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(self._files.beside)
        places = np.concatenate(order) if order else numbers
        return whole.iloc[np.argsort(places)].reset_index(drop=True)

    def iterate_beside(self, name: str) -> Iterator[tuple[Callable[[int], str], "pd.Series[Any]"]]:
        """One of these of all rows that belong to a split, block after block, as they stand.

        With what messages call a row by its place among these.
        """
        several = len(self._files.files) > 1
        for number, block in enumerate(self._blocks):
            rows = np.flatnonzero(~self._find_left_out(number))

            def call(place: int, block: Block = block, rows: NDArray[Any] = rows) -> str:
                row = f"row {block.first + int(rows[place])}"
                return f"{self._files.files[block.file].name} {row}" if several else row

            yield call, self._files.read_beside(block, [name])[name].iloc[rows]

    def _find_blocks(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """(batch,) the block of every row (batch,)."""
        return np.searchsorted(self._starts, numbers, side="right") - 1

    def list_files(self) -> list[Path]:
        """The files by their path within the folder that holds all of them."""
        return [file.relative_to(self._find_folder()) for file in self._files.files]

    def _find_folder(self) -> Path:
        """The folder that holds all files, itself or in others."""
        files = self._files.files
        shared = {*files[0].parents}.intersection(*(file.parents for file in files))
        return max(shared, key=lambda folder: len(folder.parts))

    def stamp(self) -> bytes:
        """What the files say of their rows without being read whole."""
        digest = hashlib.blake2b(digest_size=16)
        for part in self._files.digest():
            digest.update(part)
        if self._missing == "drop" and self._lacking:
            digest.update(b"drop")
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

    def _hold_beside(self, block: int) -> pd.DataFrame:
        """What stands beside the features of a block; that of two is kept."""
        if block not in self._beside:
            if len(self._beside) == 2:
                self._beside.popitem(last=False)
            self._beside[block] = self._files.read_beside(
                self._blocks[block], list(self._files.beside)
            )
        return self._beside[block]

    def _read(self, block: int) -> NDArray[Any]:
        order = self._sort(block) if self.is_divided else None
        x = self._files.read(self._blocks[block], order)
        if x.dtype.kind == "f":
            kept = x if self._missing == "median" else x[: int(self._counts[block].sum())]
            test = np.isinf if self._missing == "median" else lambda part: ~np.isfinite(part)
            parts = range(0, len(kept), AT_ONCE)
            if any(test(kept[first : first + AT_ONCE]).any() for first in parts):
                self._refuse()
        return x

    def _refuse(self) -> NoReturn:
        """Refuse what is missing or infinite, by a look at all of the table.

        Raises:
            DataError: always.
        """
        files = self._files
        path = str(files.files[0] if len(files.files) == 1 else self._find_folder())
        look_for_gaps(files, self._blocks, "refuse", path, [])
        raise DataError(f"{path} has changed while it was read: begin anew")

    @property
    def is_divided(self) -> bool:
        """Whether rows belong to more than one split."""
        shares = self.division.test_fraction, self.division.val_fraction
        return max(shares) > 0 or (self._missing == "drop" and bool(self._lacking))

    def _sort(self, block: int) -> NDArray[np.int64]:
        """(count,) rows of a block in the order of their splits."""
        if block in self._orders:
            return self._orders[block]
        if len(self._orders) == 2:  # of a block that is read, and asked where its rows stand
            self._orders.popitem(last=False)
        self._orders[block] = np.argsort(self._label(block), kind="stable")
        return self._orders[block]

    def _label(self, block: int) -> NDArray[np.int8]:
        """(count,) place of every row's split in the order of splits; behind them if left out."""
        labels = self.division.label(int(self._starts[block]), self.sizes[block])
        labels[self._find_left_out(block)] = len(ORDER)
        return labels

    def _find_left_out(self, block: int) -> NDArray[np.bool_]:
        """(count,) rows of a block that belong to no split, since they lack a value."""
        count = self.sizes[block]
        if self._missing != "drop" or block not in self._lacking:
            return np.zeros(count, bool)
        return np.unpackbits(self._lacking[block], count=count).astype(bool)

    @cached_property
    def _counts(self) -> NDArray[np.int64]:
        """(blocks, splits) rows of every split in every block."""
        if not self.is_divided:
            return np.array([[size, 0, 0] for size in self.sizes])
        labels = map(self._label, range(len(self._blocks)))
        return np.stack([np.bincount(one, minlength=4)[:3] for one in labels])
