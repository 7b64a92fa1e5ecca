"""A dataset as a training sees it: split, normalised by its training part, in whole batches."""

from collections.abc import Callable
from typing import Any, Literal

import torch
from pytorch_lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader

from dcsomrl.data.arrays import Arrays, Samples, checked, with_features
from dcsomrl.data.batches import Batch, BatchDataset, EpochPermutation, InOrder, TrainLoader
from dcsomrl.data.normalization import KINDS, Kind, Normalization, fit
from dcsomrl.errors import DataError

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
        normalization: see :func:`dcsomrl.data.normalization.fit`; its numbers come from the
            training part alone.
        seed: draws the validation part and the order of the batches.
        num_workers: processes that read images from the disk; in memory none is needed.
        path: where the source reads, named in messages.
        target: the labels' column, named in messages.
        sequence_length: how many consecutive samples of the training part are one sequence, which
            a batch holds whole and in order; at least 1. Needs ``val_fraction=0`` above 1.

    Raises:
        ValueError: an argument outside its range.
    """

    def __init__(
        self,
        source: Callable[[], Arrays],
        name: str,
        batch_size: int = 256,
        val_fraction: float = 0.1,
        normalization: Kind = "standard",
        seed: int = 0,
        num_workers: int = 0,
        path: str | None = None,
        target: str | None = None,
        sequence_length: int = 1,
    ) -> None:
        super().__init__()
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        if not 0 <= val_fraction < 1:
            raise ValueError(f"val_fraction must be in [0, 1), got {val_fraction}")
        if normalization not in KINDS:
            raise ValueError(f"normalization must be one of {KINDS}, got {normalization!r}")
        if sequence_length < 1 or (sequence_length > 1 and val_fraction > 0):
            raise ValueError(
                "sequence_length must be at least 1, and above 1 val_fraction must be 0, which "
                f"would tear sequences; got {sequence_length} and {val_fraction}"
            )
        self.source, self.path = source, path
        self.sequence_length = sequence_length
        self.name: str = name
        labels = f", labels from {target}" if target else ""
        self._origin = f"{name} ({path}{labels})" if path else name
        self.batch_size, self.val_fraction, self.seed = batch_size, val_fraction, seed
        self.normalization, self.num_workers = normalization, num_workers
        self._normalization: Normalization | None = None
        # Of the training, from a checkpoint.
        self._columns: list[str] | None = None
        self._arrays: Arrays | None = None
        self._rows: dict[str, Tensor] = {}
        self._normalized: dict[str, Tensor] = {}

    @property
    def arrays(self) -> Arrays:
        """The arrays of the source, after ``setup``."""
        assert self._arrays is not None, "call setup() first"
        return self._arrays

    @property
    def offset(self) -> Tensor:
        """What is subtracted from raw samples, after ``setup`` or ``load_state_dict``."""
        return self._fitted.offset

    @property
    def scale(self) -> Tensor:
        """What the difference is divided by."""
        return self._fitted.scale

    @property
    def _fitted(self) -> Normalization:
        assert self._normalization is not None, "call setup() or load_state_dict() first"
        return self._normalization

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return tuple(self.arrays.train_x.shape[1:])

    @property
    def num_classes(self) -> int:
        """Classes of the labels, 0 where there are none."""
        return len(self.arrays.class_names or [])

    @property
    def class_names(self) -> list[str] | None:
        """What the labels were called, by class; None where there are none."""
        return self.arrays.class_names

    @property
    def feature_names(self) -> list[str] | None:
        """Names of the columns of a table, after ``setup`` or ``load_state_dict``."""
        return self._columns if self._arrays is None else self._arrays.feature_names

    def setup(self, stage: str | None = None) -> None:
        """Load, check and split, once.

        Raises:
            DataError: the data is absent or unsound or, where it is for training, smaller than
                a batch.
        """
        if self._arrays is None:
            self._load()
        n_train, n_val = len(self._rows["train"]), len(self._rows["val"])
        if stage not in ("fit", None):
            return
        if n_train < self.batch_size:
            raise DataError(
                f"{self._origin} has {n_train} training samples, fewer than one batch: set "
                f"dataset.batch_size to at most {n_train}"
            )
        if self.val_fraction > 0 and n_val == 0:
            raise DataError(
                f"dataset.val_fraction={self.val_fraction} of the {n_train} training samples of "
                f"{self._origin} is not one sample: raise it, or set it to 0"
            )

    def _load(self) -> None:
        arrays = checked(self.source(), self._origin)
        if self._columns is not None:
            arrays = with_features(arrays, self._columns, self._origin)
        n = len(arrays.train_x)
        order = torch.randperm(n, generator=torch.Generator().manual_seed(self.seed))
        n_val = min(round(self.val_fraction * n), n - 1)
        self._rows = {
            "val": order[:n_val].sort().values,
            "train": order[n_val:].sort().values,
            "test": torch.arange(len(arrays.test_x)),
        }
        self._arrays = arrays
        if self._normalization is None:
            self._normalization = fit(self.normalization, self._sample())

    def transform(self, x: Tensor) -> Tensor:
        """Normalise raw samples (batch, *shape), bytes or floats, to float32."""
        return self._fitted(x)

    def denormalize(self, x: Tensor) -> Tensor:
        """The other way round; bytes come back as floats in [0, 1]."""
        return self._fitted.inverse(x)

    def state_dict(self) -> dict[str, Any]:
        """Normalisation and columns as plain values: a checkpoint is used without the data."""
        return {
            "offset": self.offset.tolist(),
            "scale": self.scale.tolist(),
            "clipped": self._fitted.clipped,
            "feature_names": self.feature_names,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the normalisation and the columns of a training."""
        offset, scale = torch.tensor(state_dict["offset"]), torch.tensor(state_dict["scale"])
        self._normalization = Normalization(offset, scale, state_dict["clipped"])
        self._columns = state_dict.get("feature_names")
        self._normalized.clear()

    def train_dataloader(self) -> DataLoader[Batch]:
        """The training part, shuffled by seed and epoch, without labels."""
        n = len(self._rows["train"])
        sampler = EpochPermutation(n, self.batch_size, self.seed, self.sequence_length)
        return self._loader("train", sampler)

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
            raise DataError(f"the {split} split of {self._origin} is empty: choose another")
        n = len(self._rows[split])
        return self._loader(split, InOrder(n, EVALUATION_BATCH, shared=False))

    def rows(self, split: Split) -> Tensor:
        """Rows of a split, in order: of the training arrays for train and val, of the test's."""
        return self._rows[split]

    def _loader(self, split: str, sampler: EpochPermutation | InOrder) -> DataLoader[Batch]:
        training = isinstance(sampler, EpochPermutation)
        arrays, rows = self.arrays, self._rows[split]
        x, y = (
            (arrays.test_x, arrays.test_y) if split == "test" else (arrays.train_x, arrays.train_y)
        )
        y = y[rows] if y is not None and not training else None
        if isinstance(x, Tensor):
            if split not in self._normalized:
                self._normalized[split] = self.transform(x[rows])
            dataset, workers = BatchDataset(self._placed(self._normalized[split]), y), 0
        else:
            dataset, workers = BatchDataset(_Rows(x, rows), y, self._fitted), self.num_workers
        return (TrainLoader if training else DataLoader)(
            dataset,
            batch_size=None,
            sampler=sampler,  # yields whole batches of rows
            num_workers=workers,
            persistent_workers=workers > 0,
            # A loader draws from its generator even if nothing is shuffled; not from the model's.
            generator=torch.Generator(),
        )

    def _placed(self, x: Tensor) -> Tensor:
        """On the training's GPU, where it takes less than a quarter of what is free there."""
        device = torch.device("cpu") if self.trainer is None else self.trainer.strategy.root_device
        if device.type != "cuda" or x.nbytes > torch.cuda.mem_get_info(device)[0] / 4:
            return x
        return x.to(device)

    def _sample(self) -> Tensor:
        """Raw samples of the training part: all, or some of those on the disk."""
        x, rows = self.arrays.train_x, self._rows["train"]
        if not isinstance(x, Tensor):
            stream = torch.Generator().manual_seed(self.seed)
            rows = rows[torch.randperm(len(rows), generator=stream)[:STATISTICS_SAMPLE]]
        return x[rows]


class _Rows:
    """Some of the samples on the disk."""

    def __init__(self, x: Samples, rows: Tensor) -> None:
        self._x, self._rows = x, rows
        self.shape = (len(rows), *x.shape[1:])

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Tensor) -> Tensor:
        return self._x[self._rows[index]]
