"""Which rows of a table in blocks belong to each split, without a number kept for every row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

# Rows that are divided among the splits by one draw, so that every part of a file is in all.
CELL = 4096
# Splits in the order in which a block has them.
ORDER = ("train", "val", "test")


@dataclass(frozen=True)
class Division:
    """Shares of the rows of a table, drawn from every :data:`CELL` of them.

    Which rows they are depends on the rows' numbers alone, and not on how the table is read.

    Attributes:
        n: rows of the table.
        test_fraction: share of the test split, in [0, 1); the same rows in every run.
        val_fraction: share of the validation part in the rest, in [0, 1).
        seed: draws the validation part.
    """

    n: int
    test_fraction: float = 0.0
    val_fraction: float = 0.0
    seed: int = 0

    def label(self, first: int, count: int) -> NDArray[np.int8]:
        """(count,) place in :data:`ORDER` of the split of every row from ``first`` on."""
        cells = range(first // CELL, -(-(first + count) // CELL))
        labels = [_label_cell(self, cell) for cell in cells]
        skipped = first - cells.start * CELL
        return np.concatenate(labels)[skipped : skipped + count]

    def count(self, rows: int | None = None) -> tuple[int, int, int]:
        """Rows of every split of :data:`ORDER`, among all or the first so many."""
        rows = self.n if rows is None else rows
        test = round(self.test_fraction * rows)
        val = round(self.val_fraction * (rows - test))
        return rows - test - val, val, test


@lru_cache(4)  # neighbouring blocks may share a cell
def _label_cell(division: Division, cell: int) -> NDArray[np.int8]:
    first, last = cell * CELL, min((cell + 1) * CELL, division.n)
    _, n_val, n_test = np.subtract(division.count(last), division.count(first)).tolist()
    labels = np.zeros(last - first, np.int8)
    labels[np.random.default_rng((0, cell)).permutation(len(labels))[:n_test]] = 2
    rest = np.flatnonzero(labels == 0)
    drawn = np.random.default_rng((division.seed, cell, 1)).permutation(len(rest))
    labels[rest[drawn[:n_val]]] = 1
    return labels


class BlockRows:
    """Rows of a split of a stream, in order; what a tensor of them would give, but computed.

    Args:
        first: number in the stream of the first row of the split in every block.
        counts: rows of the split in every block; they follow each other.
    """

    def __init__(self, first: Sequence[int], counts: Sequence[int]) -> None:
        self.counts = list(counts)
        self.starts = torch.tensor([0, *np.cumsum(counts).tolist()])
        self._shift = torch.tensor(list(first)) - self.starts[:-1]

    def __len__(self) -> int:
        """Rows of the split."""
        return int(self.starts[-1])

    def __getitem__(self, index: Tensor) -> Tensor:
        """(batch,) rows in the stream of places (batch,) in the split."""
        return index + self._shift[torch.searchsorted(self.starts, index, right=True) - 1]

    def split(self, size: int) -> Iterator[Tensor]:
        """All rows in order, so many at once."""
        for first in range(0, len(self), size):
            yield self[torch.arange(first, min(first + size, len(self)))]

    def choose_spaced(self, limit: int, blocks: int) -> Tensor:
        """At most ``limit`` rows, evenly spaced over some blocks that are so themselves."""
        held = [number for number, count in enumerate(self.counts) if count]
        places = np.linspace(0, len(held) - 1, min(blocks, len(held))).round().astype(int)
        ranges = [
            torch.arange(int(self.starts[held[i]]), int(self.starts[held[i] + 1])) for i in places
        ]
        index = torch.cat(ranges)
        spaced = torch.linspace(0, len(index) - 1, min(limit, len(index))).round().long()
        return self[index[spaced]]
