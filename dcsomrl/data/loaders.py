"""Loaders of batches: for a training, which may be resumed, and in order."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from dcsomrl.data.batches import Batch, BatchDataset, EpochPermutation, InOrder


class TrainLoader(DataLoader[Batch]):
    """Batches of an :class:`EpochPermutation` that go on where a checkpoint was taken.

    Lightning stores the state of a loader with ``state_dict`` and ``load_state_dict`` in its
    checkpoints, and hands it back when it resumes in the middle of an epoch.
    """

    _epoch = 0
    _served = 0
    _resumes = False

    def __iter__(self) -> Iterator[Batch]:  # type: ignore[override]
        """Batches of the sampler's epoch, less those that a resumed epoch has behind it."""
        # A generator, so that nothing of this runs before the first batch is asked for: Lightning
        # makes the iterator before it sets the epoch, and workers would begin on the wrong one.
        assert isinstance(self.sampler, EpochPermutation)
        epoch = self.sampler.epoch
        self._served = self._served if self._resumes and self._epoch == epoch else 0
        self._epoch, self._resumes = epoch, False
        self.sampler.first = self._served
        for batch in super().__iter__():
            self._served += 1
            yield batch

    def state_dict(self) -> dict[str, int]:
        """The epoch and how many of its batches have been given out."""
        return {"epoch": self._epoch, "served": self._served}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on from there, once, if the next iteration is of the same epoch."""
        self._epoch, self._served, self._resumes = state["epoch"], state["served"], True


def make_loader(
    dataset: BatchDataset, sampler: EpochPermutation | InOrder, num_workers: int
) -> DataLoader[Batch]:
    """Batches of a split in the order of a sampler.

    Args:
        dataset: the split.
        sampler: yields rows of whole batches.
        num_workers: processes that read samples on the disk; in memory none is started.
    """
    workers = 0 if isinstance(dataset.x, Tensor) else num_workers
    return (TrainLoader if isinstance(sampler, EpochPermutation) else DataLoader)(
        dataset,
        batch_size=None,
        sampler=sampler,
        num_workers=workers,
        persistent_workers=workers > 0,
        # A loader draws from its generator even if nothing is shuffled; not from the model's.
        generator=torch.Generator(),
    )
