"""The order of a stream: blocks at random, and rows mixed within windows of some blocks."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from dcsomrl.data.batches import EpochPermutation
from dcsomrl.data.blocks import BlockRows


class WindowPermutation(EpochPermutation):
    """Batches of a stream: blocks in an order of each pass, rows mixed within windows of blocks.

    What is behind a pass that is resumed is left out without a row being read.

    Args:
        rows: of the training part.
        sizes: rows that are read for every block, of all splits.
        window: rows that are read for a window, at least.
        batch_size: see :class:`EpochPermutation`, as ``seed`` and ``passes``.
        seed: draws the order.
        passes: how often an epoch goes over the rows.
    """

    def __init__(
        self,
        rows: BlockRows,
        sizes: list[int],
        window: int,
        batch_size: int,
        seed: int,
        passes: int = 1,
    ) -> None:
        super().__init__(len(rows), batch_size, seed, passes=passes)
        self._rows, self._sizes, self._window = rows, sizes, window

    def cut_batches(self, of_pass: int, first: int) -> Iterator[Tensor]:
        """Rows of the batches of a pass from one on; one may lie across two windows."""
        seed = (*self.choose_seed(of_pass), 0, 0)  # of a length that no other draw has
        behind, held = first * self.batch_size, torch.empty(0, dtype=torch.int64)
        counts, starts = self._rows.counts, self._rows.starts.tolist()
        windows = cut_windows(counts, self._sizes, self._window, seed)
        for number, window in enumerate(windows):
            n = sum(counts[block] for block in window)
            if behind >= n:
                behind -= n
                continue
            order = np.random.default_rng((*seed, number)).permutation(n)[behind:]
            rows = np.concatenate([np.arange(starts[one], starts[one + 1]) for one in window])
            held = torch.cat([held, torch.from_numpy(rows[order])])
            whole, behind = len(held) // self.batch_size * self.batch_size, 0
            yield from held[:whole].split(self.batch_size) if whole else ()
            held = held[whole:]
        if len(held):
            yield held


def cut_windows(
    counts: Sequence[int], sizes: Sequence[int], least: int, seed: Sequence[int]
) -> Iterator[list[int]]:
    """Blocks in an order drawn by a seed, as many at once as have so many rows.

    Args:
        counts: rows of every block that are wanted; blocks without any are left out.
        sizes: rows of every block that are read.
        least: rows that are read for a window, at least, but for the last.
        seed: draws the order.
    """
    window: list[int] = []
    read = 0
    for block in np.random.default_rng(tuple(seed)).permutation(len(counts)).tolist():
        if not counts[block]:
            continue
        window.append(block)
        read += sizes[block]
        if read >= least:
            yield window
            window, read = [], 0
    if window:
        yield window
