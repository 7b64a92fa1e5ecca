"""Whole batches by index: no sample is ever touched alone by Python."""

import logging
import math
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from dcsomrl.data.arrays import Classes, Samples
from dcsomrl.data.blocks import BlockRows
from dcsomrl.data.neighbors import draw_neighbors
from dcsomrl.errors import DataError
from dcsomrl.processes import get_rank_and_size

log = logging.getLogger(__name__)

# Samples that are read, normalised or scored at once where nothing is trained.
EVALUATION_BATCH = 1024
# Steps of an epoch, at least, where an epoch goes over few samples several times.
STEPS = 20


class Batch(NamedTuple):
    """A batch of a split.

    Attributes:
        x: (batch, *shape) normalised samples.
        y: (batch,) classes, or None: in training always, so that no label can reach it.
        index: (batch,) rows in the split.
        views: random views of the samples, each of the shape of ``x``; none without augmentation.
        neighbor: a nearest neighbour of every sample, of the shape of ``x``, where the data has
            a graph of them.
        neighbor_index: (batch,) their rows in the split.
    """

    x: Tensor
    y: Tensor | None
    index: Tensor  # type: ignore[assignment]  # hides tuple.index, which nobody calls
    views: tuple[Tensor, ...] = ()
    neighbor: Tensor | None = None
    neighbor_index: Tensor | None = None


def as_batch(given: Any, dtype: torch.dtype) -> Batch:
    """The samples of a batch of a plain loader, whose rows are not known, and without its labels.

    Args:
        given: normalised samples (batch, *shape), or a list or tuple that begins with them.
        dtype: of the floats that they become.

    Raises:
        DataError: it holds no samples that are floats.
    """
    first = given[0] if isinstance(given, list | tuple) and given else given
    if not isinstance(first, Tensor) or not first.is_floating_point() or first.ndim < 2:
        kind = f"{first.dtype} of shape {tuple(first.shape)}" if isinstance(first, Tensor) else ""
        raise DataError(
            f"a batch of the loader is {kind or type(given).__name__}: give samples that are "
            "normalised, as floats (batch, *shape), alone or first in a list, or a ClusterData as "
            "datamodule, which normalises them"
        )
    return Batch(first.to(dtype), None, first.new_full((len(first),), -1, dtype=torch.long))


class Rows:
    """Some of the samples on the disk, or of their classes."""

    def __init__(self, x: Samples | Classes, rows: Tensor | BlockRows) -> None:
        self._x, self._rows = x, rows
        self.shape = (len(rows), *x.shape[1:])

    def __len__(self) -> int:
        """Number of samples."""
        return len(self._rows)

    def __getitem__(self, index: Tensor) -> Tensor:
        """Samples (batch, *shape) of an index tensor (batch,)."""
        return self._x[self._rows[index]]


class BatchDataset(Dataset[Batch]):
    """Rows of a split; an item is a whole batch, asked for by an index tensor.

    The index is (batch,), or (2, batch) with a neighbour of every row beside it.

    Args:
        x: samples, in memory or on the disk.
        y: classes, or None.
        transform: normalises a batch; None where the samples are normalised already.
    """

    def __init__(
        self,
        x: Tensor | Samples,
        y: Tensor | Rows | None,
        transform: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        self.x, self.y, self.transform = x, y, transform

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.x)

    def __getitem__(self, index: Tensor) -> Batch:
        """The batch of these rows."""
        index, near = index if index.ndim == 2 else (index, None)
        x, y = self._take_samples(index), None if self.y is None else self.y[index]
        if near is None:
            return Batch(x, y, index)
        return Batch(x, y, index, neighbor=self._take_samples(near), neighbor_index=near)

    def _take_samples(self, index: Tensor) -> Tensor:
        # Not blocking: the host would wait for the GPU at every batch.
        rows = index.to(self.x.device, non_blocking=True) if isinstance(self.x, Tensor) else index
        x = self.x[rows]
        return x if self.transform is None else self.transform(x)


class EpochPermutation(Sampler[Tensor]):
    """Batches of permutations that depend on seed and epoch alone.

    Over several processes each takes an equal, contiguous part of every batch; what is left over
    at the end of a pass is trimmed to a multiple of their number, and left out if it is less.

    Args:
        n: number of samples.
        batch_size: samples in a batch, over all processes.
        seed: draws the permutations, together with the epoch.
        sequence_length: how many consecutive samples stay together, in order; what is left over
            at the end of the split is left out.
        graph: (n, k) neighbours, of which one is drawn for every row of a batch.
        passes: how often an epoch goes over the samples, each time in another order.

    Raises:
        DataError: at iteration, if the processes cannot divide a batch evenly.
    """

    def __init__(
        self,
        n: int,
        batch_size: int,
        seed: int,
        sequence_length: int = 1,
        graph: Tensor | None = None,
        passes: int = 1,
    ) -> None:
        self.n = n // sequence_length * sequence_length
        self.batch_size, self.seed, self.sequence_length = batch_size, seed, sequence_length
        self.graph, self.passes = graph, passes
        self.epoch = 0
        self.first = 0  # batch of the epoch with which the next iteration begins

    def __len__(self) -> int:
        """Batches in a whole epoch."""
        return self.passes * self._in_a_pass

    @property
    def _in_a_pass(self) -> int:
        return self.n // self.batch_size + (self.n % self.batch_size >= get_rank_and_size()[1])

    def set_epoch(self, epoch: int) -> None:
        """Choose the permutation; Lightning calls it before every epoch."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[Tensor]:
        """Rows of every batch that this process takes."""
        rank, size = get_rank_and_size()
        length = self.sequence_length
        if self.batch_size % (size * length):
            raise DataError(
                f"`batch_size={self.batch_size}` cannot be divided among {size} processes "
                f"in sequences of {length}: make it a multiple of {size * length}"
            )
        (begun, place), self.first = divmod(self.first, max(self._in_a_pass, 1)), 0
        for of_pass in range(begun, self.passes):
            draw = self.epoch * self.passes + of_pass  # of neighbours
            for batch in islice(self.cut_batches(of_pass, place), self._in_a_pass - place):
                whole = batch[: len(batch) // (size * length) * size * length]
                yield pair_with_neighbors(whole.chunk(size)[rank], self.graph, self.seed, draw)
            place = 0

    def cut_batches(self, of_pass: int, first: int) -> Iterator[Tensor]:
        """Rows of the batches of a pass from one on, sequences whole."""
        length = self.sequence_length
        draw = np.random.default_rng(self.choose_seed(of_pass)).permutation(self.n // length)
        order = (torch.from_numpy(draw)[:, None] * length + torch.arange(length)).flatten()
        return iter(order[first * self.batch_size :].split(self.batch_size))

    def choose_seed(self, of_pass: int) -> tuple[int, ...]:
        """What the order of a pass is drawn by."""
        # NumPy takes them all; torch's generator keeps only 32 bits of what it is seeded with.
        return (self.seed, self.epoch, *([of_pass] if of_pass else []))


class InOrder(Sampler[Tensor]):
    """A split in order, in batches; over several processes each takes a contiguous part.

    Args:
        n: number of samples.
        batch_size: samples in a batch.
        shared: whether the processes share the split; else each has all of it.
        graph: (n, k) neighbours, of which every row has the same one beside it in every epoch.
        seed: draws them.
    """

    def __init__(
        self, n: int, batch_size: int, shared: bool, graph: Tensor | None = None, seed: int = 0
    ) -> None:
        rank, size = get_rank_and_size() if shared else (0, 1)
        each, more = divmod(n, size)  # the first processes have one more
        first = rank * each + min(rank, more)
        self._rows = range(first, first + each + (rank < more))
        self._batch_size, self._graph, self._seed = batch_size, graph, seed

    def __len__(self) -> int:
        """Number of batches."""
        return -(-len(self._rows) // self._batch_size)

    def __iter__(self) -> Iterator[Tensor]:
        """Rows of every batch."""
        for place in range(0, len(self._rows), self._batch_size):
            some = self._rows[place : place + self._batch_size]
            rows = torch.arange(some.start, some.stop)
            yield pair_with_neighbors(rows, self._graph, self._seed, 0)


def count_passes(n: int, batch_size: int) -> int:
    """How often an epoch goes over n samples to have at least :data:`STEPS` steps."""
    return math.ceil(STEPS / math.ceil(n / batch_size))


def check_training_part(
    n: int, batch_size: int, sequence_length: int, passes: int, origin: str
) -> None:
    """Refuse a training part that is shorter than a sequence; log what few samples change.

    Args:
        n: its samples.
        batch_size: samples in a batch.
        sequence_length: consecutive samples that stay together.
        passes: how often an epoch goes over the samples.
        origin: what messages call the data.

    Raises:
        DataError: it is shorter than a sequence.
    """
    if n < sequence_length:
        raise DataError(
            f"{origin} has {n} training samples, fewer than one sequence: set `sequence_length` to "
            f"at most {n}"
        )
    if n < batch_size:
        log.info(
            "%s has %d training samples, fewer than a batch of %d: every step takes all of them",
            origin,
            n,
            batch_size,
        )
    if passes > 1:
        log.info("every epoch goes %d times over the %d samples", passes, n)


def pair_with_neighbors(rows: Tensor, graph: Tensor | None, seed: int, epoch: int) -> Tensor:
    """Rows (batch,), or (2, batch) with a neighbour of each beside it where there is a graph."""
    return rows if graph is None else torch.stack([rows, draw_neighbors(graph, rows, seed, epoch)])
