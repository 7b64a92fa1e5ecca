"""Whole batches by index: no sample is ever touched alone by Python."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from dcsomrl.data.arrays import Samples
from dcsomrl.errors import DataError


class Batch(NamedTuple):
    """A batch of a split.

    Attributes:
        x: (batch, *shape) normalised samples.
        y: (batch,) classes, or None: in training always, so that no label can reach it.
        index: (batch,) rows in the split.
    """

    x: Tensor
    y: Tensor | None
    index: Tensor  # type: ignore[assignment]  # hides tuple.index, which nobody calls


class BatchDataset(Dataset[Batch]):
    """Rows of a split; an item is a whole batch, asked for by an index tensor.

    Args:
        x: samples, in memory or on the disk.
        y: classes, or None.
        transform: normalises a batch; None where the samples are normalised already.
    """

    def __init__(
        self,
        x: Tensor | Samples,
        y: Tensor | None,
        transform: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        self.x, self.y, self.transform = x, y, transform

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.x)

    def __getitem__(self, index: Tensor) -> Batch:
        """The batch of these rows."""
        x = self.x[index.to(self.x.device) if isinstance(self.x, Tensor) else index]
        x = x if self.transform is None else self.transform(x)
        return Batch(x, None if self.y is None else self.y[index], index)


class EpochPermutation(Sampler[Tensor]):
    """Batches of a permutation that depends on seed and epoch alone.

    Over several processes each takes an equal, contiguous part of every batch; what is left over
    at the end of an epoch is trimmed to a multiple of their number, and left out if it is less.

    Args:
        n: number of samples.
        batch_size: samples in a batch, over all processes.
        seed: draws the permutations, together with the epoch.

    Raises:
        DataError: at iteration, if the processes cannot divide a batch evenly.
    """

    def __init__(self, n: int, batch_size: int, seed: int) -> None:
        self.n, self.batch_size, self.seed = n, batch_size, seed
        self.epoch = 0
        self._first = 0

    def __len__(self) -> int:
        """Batches in a whole epoch."""
        return self.n // self.batch_size + (self.n % self.batch_size >= world()[1])

    def set_epoch(self, epoch: int) -> None:
        """Choose the permutation; Lightning calls it before every epoch."""
        self.epoch = epoch

    def resume(self, epoch: int, batch: int) -> None:
        """Begin the next iteration in this epoch at this batch, as after an interruption."""
        self.epoch, self._first = epoch, batch

    def __iter__(self) -> Iterator[Tensor]:
        """Rows of every batch that this process takes."""
        rank, size = world()
        if self.batch_size % size:
            raise DataError(
                f"dataset.batch_size={self.batch_size} cannot be divided among {size} processes: "
                "make it a multiple"
            )
        # The epoch's own stream: neighbouring seeds and epochs never share one.
        stream = torch.Generator().manual_seed((self.seed << 32) + self.epoch)
        order = torch.randperm(self.n, generator=stream)
        first, self._first = self._first, 0
        for batch in order.split(self.batch_size)[first : len(self)]:
            whole = batch[: len(batch) // size * size]
            yield whole.chunk(size)[rank]


class InOrder(Sampler[Tensor]):
    """A split in order, in batches; over several processes each takes a contiguous part.

    Args:
        n: number of samples.
        batch_size: samples in a batch.
        shared: whether the processes share the split; else each has all of it.
    """

    def __init__(self, n: int, batch_size: int, shared: bool) -> None:
        rank, size = world() if shared else (0, 1)
        self._batches = torch.arange(n).tensor_split(size)[rank].split(batch_size)

    def __len__(self) -> int:
        """Number of batches."""
        return len(self._batches)

    def __iter__(self) -> Iterator[Tensor]:
        """Rows of every batch."""
        return iter(self._batches)


def world() -> tuple[int, int]:
    """Rank of this process and number of processes."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return 0, 1
    return torch.distributed.get_rank(), torch.distributed.get_world_size()
