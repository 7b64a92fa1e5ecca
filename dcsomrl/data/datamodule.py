"""A dataset as a training sees it: split, normalised by its training part, in whole batches."""

from collections.abc import Callable
from typing import Any, Literal, cast

import torch
from pytorch_lightning import LightningDataModule
from pytorch_lightning.loops.progress import _ProcessedTracker
from torch import Tensor
from torch.utils.data import DataLoader

from dcsomrl.data.arrays import Arrays, Samples, checked
from dcsomrl.data.batches import Batch, BatchDataset, EpochPermutation, InOrder
from dcsomrl.errors import DataError

Normalization = Literal["standard", "half", "minmax", "none"]
Split = Literal["train", "val", "test"]

EVALUATION_BATCH = 1024
# Images on the disk from which the normalisation is estimated.
STATISTICS_SAMPLE = 2000


class ClusterData(LightningDataModule):
    """Batches of one dataset.

    Args:
        source: gives the arrays; called once.
        name: what messages and results call the dataset.
        batch_size: samples in a training step, over all devices; at least 1.
        val_fraction: share of the training split, in [0, 1), set apart at random and blind to
            the labels for validation.
        normalization: ``standard`` subtracts the training part's mean and divides by its
            deviation, one number each; ``half`` brings [0, 1] to [-1, 1]; ``minmax`` brings every
            feature to [0, 1]; ``none``. Bytes are first brought to [0, 1].
        seed: draws the validation part and the order of the batches.
        num_workers: processes that read images from the disk; in memory none is needed.
        path: where the source reads, for the configuration's sake.

    Raises:
        ValueError: an argument outside its range.
    """

    def __init__(
        self,
        source: Callable[[], Arrays],
        name: str,
        batch_size: int = 256,
        val_fraction: float = 0.1,
        normalization: Normalization = "standard",
        seed: int = 0,
        num_workers: int = 0,
        path: str | None = None,
    ) -> None:
        super().__init__()
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        if not 0 <= val_fraction < 1:
            raise ValueError(f"val_fraction must be in [0, 1), got {val_fraction}")
        if normalization not in ("standard", "half", "minmax", "none"):
            raise ValueError(
                f"normalization must be standard, half, minmax or none, got {normalization!r}"
            )
        self.source, self.path = source, path
        self.name: str = name
        self.batch_size, self.val_fraction, self.seed = batch_size, val_fraction, seed
        self.normalization, self.num_workers = normalization, num_workers
        self.offset: Tensor | None = None
        self.scale: Tensor | None = None
        self._arrays: Arrays | None = None
        self._rows: dict[str, Tensor] = {}
        self._normalized: dict[str, Tensor] = {}

    @property
    def arrays(self) -> Arrays:
        """The arrays of the source, after ``setup``."""
        assert self._arrays is not None, "call setup() first"
        return self._arrays

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return tuple(self.arrays.train_x.shape[1:])

    @property
    def num_classes(self) -> int:
        """Classes of the labels, 0 where there are none."""
        return len(self.arrays.class_names or [])

    @property
    def feature_names(self) -> list[str] | None:
        """Names of the columns of a table."""
        return self.arrays.feature_names

    def setup(self, stage: str | None = None) -> None:
        """Load, check and split, once.

        Raises:
            DataError: the data is absent or unsound, or smaller than a batch.
        """
        if self._arrays is not None:
            return
        arrays = checked(self.source(), self.name)
        n = len(arrays.train_x)
        order = torch.randperm(n, generator=torch.Generator().manual_seed(self.seed))
        n_val = round(self.val_fraction * n)
        self._rows = {
            "val": order[:n_val].sort().values,
            "train": order[n_val:].sort().values,
            "test": torch.arange(len(arrays.test_x)),
        }
        if n - n_val < self.batch_size:
            raise DataError(
                f"{self.name} has {n - n_val} training samples, fewer than one batch: set "
                f"dataset.batch_size to at most {n - n_val}"
            )
        self._arrays = arrays
        if self.offset is None:
            self.offset, self.scale = self._statistics()

    def transform(self, x: Tensor) -> Tensor:
        """Normalise raw samples (batch, *shape), bytes or floats."""
        assert self.offset is not None, "call setup() or load_state_dict() first"
        assert self.scale is not None
        x = (_as_float(x) - self.offset) / self.scale
        # What lies outside the training part's range stays in the map's cube.
        return x.clamp_(0, 1) if self.normalization == "minmax" else x

    def denormalize(self, x: Tensor) -> Tensor:
        """The other way round; bytes come back as floats in [0, 1]."""
        assert self.offset is not None, "call setup() or load_state_dict() first"
        assert self.scale is not None
        return x * self.scale + self.offset

    def state_dict(self) -> dict[str, Any]:
        """The normalisation as plain values, so that a checkpoint can be used without the data."""
        assert self.offset is not None, "call setup() first"
        assert self.scale is not None
        return {"offset": self.offset.tolist(), "scale": self.scale.tolist()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the normalisation of a training."""
        self.offset = torch.tensor(state_dict["offset"])
        self.scale = torch.tensor(state_dict["scale"])

    def train_dataloader(self) -> DataLoader[Batch]:
        """The training part, shuffled by seed and epoch, without labels."""
        sampler = EpochPermutation(len(self._rows["train"]), self.batch_size, self.seed)
        if self.trainer is not None:
            # Lightning makes the iterator before it sets the epoch, and leaves it to the loader
            # to skip the batches that an interrupted epoch has behind it.
            loop = self.trainer.fit_loop
            epochs = cast(_ProcessedTracker, loop.epoch_progress.current)
            batches = cast(_ProcessedTracker, loop.epoch_loop.batch_progress.current)
            if batches.processed < len(sampler):
                sampler.resume(epochs.processed, batches.processed)
            else:
                sampler.resume(epochs.started, 0)
        return self._loader("train", sampler, labelled=False)

    def val_dataloader(self) -> DataLoader[Batch] | list[DataLoader[Batch]]:
        """The validation part in order, shared among the processes; nothing where there is none."""
        n = len(self._rows["val"])
        return self._loader("val", InOrder(n, EVALUATION_BATCH, shared=True)) if n else []

    def split_dataloader(self, split: Split) -> DataLoader[Batch]:
        """All of a split in order, for scoring.

        Raises:
            DataError: another split than train, val or test, or an empty one.
        """
        if split not in self._rows:
            raise DataError(f"split must be train, val or test, got {split!r}")
        if not len(self._rows[split]):
            raise DataError(f"the {split} split of {self.name} is empty: choose another")
        n = len(self._rows[split])
        return self._loader(split, InOrder(n, EVALUATION_BATCH, shared=False))

    def _loader(
        self, split: str, sampler: EpochPermutation | InOrder, labelled: bool = True
    ) -> DataLoader[Batch]:
        arrays, rows = self.arrays, self._rows[split]
        x, y = (
            (arrays.test_x, arrays.test_y) if split == "test" else (arrays.train_x, arrays.train_y)
        )
        y = y[rows] if y is not None and labelled else None
        if isinstance(x, Tensor):
            if split not in self._normalized:
                self._normalized[split] = self.transform(x[rows])
            dataset, workers = BatchDataset(self._placed(self._normalized[split]), y), 0
        else:
            dataset, workers = BatchDataset(_Rows(x, rows), y, self.transform), self.num_workers
        return DataLoader(
            dataset,
            batch_size=None,
            sampler=sampler,
            num_workers=workers,
            persistent_workers=workers > 0,
        )

    def _placed(self, x: Tensor) -> Tensor:
        """On the training's GPU, where it takes less than a quarter of what is free there."""
        device = torch.device("cpu") if self.trainer is None else self.trainer.strategy.root_device
        if device.type != "cuda" or x.nbytes > torch.cuda.mem_get_info(device)[0] / 4:
            return x
        return x.to(device)

    def _statistics(self) -> tuple[Tensor, Tensor]:
        """Offset and scale, from the training part alone."""
        if self.normalization == "none":
            return torch.tensor(0.0), torch.tensor(1.0)
        if self.normalization == "half":
            return torch.tensor(0.5), torch.tensor(0.5)
        x, rows = self.arrays.train_x, self._rows["train"]
        if not isinstance(x, Tensor):
            stream = torch.Generator().manual_seed(self.seed)
            rows = rows[torch.randperm(len(rows), generator=stream)[:STATISTICS_SAMPLE]]
        sample = _as_float(x[rows])
        if self.normalization == "standard":
            deviation = sample.std()
            return sample.mean(), deviation if deviation > 0 else torch.tensor(1.0)
        low, high = sample.amin(0), sample.amax(0)
        return low, torch.where(high > low, high - low, 1.0)


class _Rows:
    """Some of the samples on the disk."""

    def __init__(self, x: Samples, rows: Tensor) -> None:
        self._x, self._rows = x, rows
        self.shape = (len(rows), *x.shape[1:])

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Tensor) -> Tensor:
        return self._x[self._rows[index]]


def _as_float(x: Tensor) -> Tensor:
    return x.float() / 255 if x.dtype == torch.uint8 else x.float()
