"""A dataset as a training sees it: split, normalised by its training part, in whole batches."""

import inspect
import logging
import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Literal

import pandas as pd
import torch
from pytorch_lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader

from dcsomrl.data.arrays import Arrays, Samples, check_arrays, with_features
from dcsomrl.data.augmentation import Augmentation
from dcsomrl.data.batches import Batch, BatchDataset, EpochPermutation, InOrder, Rows, TrainLoader
from dcsomrl.data.constant import constant, names_of, warn_of
from dcsomrl.data.fingerprint import fingerprint
from dcsomrl.data.in_memory import arrays_of
from dcsomrl.data.neighbors import Neighbors, shrunk
from dcsomrl.data.normalization import KINDS, Kind
from dcsomrl.data.preparation import Preparation, finite, prepare
from dcsomrl.data.roles import Roles
from dcsomrl.data.text_tables import note
from dcsomrl.data.views import with_views
from dcsomrl.errors import DataError

log = logging.getLogger(__name__)

Split = Literal["train", "val", "test"]

EVALUATION_BATCH = 1024
# Images on the disk from which the normalisation is estimated.
STATISTICS_SAMPLE = 2000
# Steps of an epoch, at least, where ``passes`` is auto.
STEPS = 20
# A validation part of fewer samples is left out.
FEWEST_VALIDATED = 5
# Samples that tell how the nodes of a map hang together.
SOME, SOME_READ = 20_000, 2000


class ClusterData(LightningDataModule):
    """Batches of one dataset.

    Args:
        source: gives the arrays; called once. Or samples themselves, as an array, a tensor or a
            data frame, which are trained on and scored; see :meth:`of` for labels and a test split.
        name: what messages and results call the dataset.
        batch_size: samples in a training step, over all devices, at least 1; all of the training
            part where it has fewer.
        val_fraction: share of the training split, in [0, 1), set apart at random and blind to
            the labels for validation; of less than five samples none is.
        normalization: see :func:`dcsomrl.data.normalization.fit`; its numbers come from the
            training part alone.
        seed: draws the validation part and the order of the batches.
        num_workers: processes that read images from the disk; in memory none is needed.
        path: where the source reads, named in messages.
        target: the labels' column, named in messages.
        sequence_length: how many consecutive samples of the training part are one sequence, which
            a batch holds whole and in order; at least 1. Needs ``val_fraction=0`` above 1.
        augmentation: makes the views of batches that a trainer trains on and validates with; None
            for no views.
        neighbors: finds the nearest neighbours of the training part and, among themselves, of the
            validation part, of which a batch has one beside every sample; None for none.
        passes: how often an epoch goes over the training part, at least 1; ``auto`` as often as
            makes :data:`STEPS` steps.

    Attributes:
        notes: sentences on what was guessed, left out or changed, after ``setup``.

    Raises:
        ValueError: an argument outside its range.
    """

    def __init__(
        self,
        source: Callable[[], Arrays] | Arrays | Any,
        name: str = "data",
        batch_size: int = 256,
        val_fraction: float = 0.1,
        normalization: Kind = "standard",
        seed: int = 0,
        num_workers: int = 0,
        path: str | None = None,
        target: str | None = None,
        sequence_length: int = 1,
        augmentation: Augmentation | None = None,
        neighbors: Neighbors | None = None,
        passes: int | Literal["auto"] = 1,
    ) -> None:
        super().__init__()
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        if not 0 <= val_fraction < 1:
            raise ValueError(f"val_fraction must be in [0, 1), got {val_fraction}")
        if passes != "auto" and (not isinstance(passes, int) or passes < 1):
            raise ValueError(f"passes must be auto or an integer of at least 1, got {passes}")
        if normalization not in KINDS:
            raise ValueError(f"normalization must be one of {KINDS}, got {normalization!r}")
        if sequence_length < 1 or (sequence_length > 1 and val_fraction > 0):
            raise ValueError(
                "sequence_length must be at least 1, and above 1 val_fraction must be 0, which "
                f"would tear sequences; got {sequence_length} and {val_fraction}"
            )
        if isinstance(source, Arrays):
            given = source
            source = lambda: given  # noqa: E731
        elif not callable(source):
            source = partial(arrays_of, source)
        self.source: Callable[..., Arrays] = source
        self.path = path
        self.sequence_length, self.augmentation = sequence_length, augmentation
        self.neighbors, self.passes = neighbors, passes
        self.name: str = name
        labels = f", labels from {target}" if target else ""
        self._origin = f"{name} ({path}{labels})" if path else name
        self.batch_size, self.val_fraction, self.seed = batch_size, val_fraction, seed
        self.normalization, self.num_workers = normalization, num_workers
        self._preparation: Preparation | None = None
        # Of the training, from a checkpoint; and whether other samples than its own are loaded.
        self._columns: list[str] | None = None
        self._trained_fingerprint, self._other = "", False
        self._arrays: Arrays | None = None
        self.notes: list[str] = []
        self._rows: dict[str, Tensor] = {}
        self._normalized: dict[str, Tensor] = {}
        self._graphs: dict[str, Tensor] = {}
        self._constant: Tensor | None = None
        self._fingerprint: str | None = None

    @classmethod
    def of(
        cls,
        x: Any,
        y: Any = None,
        test_x: Any = None,
        test_y: Any = None,
        roles: Roles | None = None,
        **settings: Any,
    ) -> "ClusterData":
        """Batches of samples in memory, with labels and a test split or without.

        Args:
            x: see :func:`dcsomrl.data.in_memory.arrays_of`, as ``y``, ``test_x``, ``test_y`` and
                ``roles``.
            y: labels of x; they only score.
            test_x: samples to score; None for x.
            test_y: their labels.
            roles: of the columns of a data frame.
            settings: further arguments of the class.
        """
        return cls(partial(arrays_of, x, y, test_x, test_y, roles), **settings)

    @property
    def arrays(self) -> Arrays:
        """The arrays of the source, after ``setup``."""
        assert self._arrays is not None, "call setup() first"
        return self._arrays

    @property
    def offset(self) -> Tensor:
        """What is subtracted from raw samples, after ``setup`` or ``load_state_dict``."""
        return self.preparation.normalization.offset

    @property
    def scale(self) -> Tensor:
        """What the difference is divided by."""
        return self.preparation.normalization.scale

    @property
    def preparation(self) -> Preparation:
        """What raw samples go through, after ``setup`` or ``load_state_dict``."""
        assert self._preparation is not None, "call setup() or load_state_dict() first"
        return self._preparation

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

    @property
    def constant(self) -> list[str]:
        """Features, by name, that are one value in all of the training part once normalised.

        "feature 3" where nothing has names; "all samples" alone where all are; of images only that.
        """
        return names_of(self._constant_features, self.feature_names)

    @property
    def n_constant(self) -> int:
        """How many features, pixels of images too, are such."""
        return int(self._constant_features.sum())

    @property
    def _constant_features(self) -> Tensor:
        if self._constant is None:
            sample = self.preparation.filled(self._sample())
            self._constant = constant(sample.amin(0), sample.amax(0), self.preparation.by_feature)
        return self._constant

    @property
    def fingerprint(self) -> str:
        """What tells the raw samples of both splits from others, after ``setup``."""
        if self._fingerprint is None:
            self._fingerprint = fingerprint([self.arrays.train_x, self.arrays.test_x])
        return self._fingerprint

    def check_same(self, state: Mapping[str, Any] | None = None) -> None:
        """Refuse samples, once they are loaded, that are not those of a training.

        Args:
            state: of the training's datamodule; None for the loaded one. Older states, which do
                not tell the samples, are believed.

        Raises:
            DataError: they are others.
        """
        trained = self._trained_fingerprint if state is None else state.get("fingerprint", "")
        if trained and self.fingerprint and self.fingerprint != trained:
            raise DataError(
                f"{self._origin} holds other samples than those that the model was trained on: "
                "give back the data of the training, start afresh (`ckpt_path=null`) under another "
                "`name`, or evaluate them as another `dataset`"
            )

    def setup(self, stage: str | None = None) -> None:
        """Load, check and split, once.

        Raises:
            DataError: the data is absent or unsound, or shorter than a sequence.
        """
        if self._arrays is None:
            self._load()
        n_train = len(self._rows["train"])
        if stage not in ("fit", None):
            return
        if self.augmentation is not None and self.augmentation.replace and len(self.shape) != 3:
            log.info("samples of shape %s are no images: no views of them are made", self.shape)
            self.augmentation = None
        if n_train < self.sequence_length:
            raise DataError(
                f"{self._origin} has {n_train} training samples, fewer than one sequence: set "
                f"`sequence_length` to at most {n_train}"
            )
        if n_train < self.batch_size:
            log.info(
                "%s has %d training samples, fewer than a batch of %d: every step takes all of "
                "them",
                self._origin,
                n_train,
                self.batch_size,
            )
        if self._passes > 1:
            log.info("every epoch goes %d times over the %d samples", self._passes, n_train)

    def _load(self) -> None:
        arrays = check_arrays(self._read(), self._origin)
        if self._columns is not None:
            arrays = with_features(arrays, self._columns, self._origin)
        n = len(arrays.train_x)
        order = torch.randperm(n, generator=torch.Generator().manual_seed(self.seed))
        n_val = min(round(self.val_fraction * n), n - 1)
        self.notes = list(arrays.notes)
        if self.val_fraction > 0 and n_val < FEWEST_VALIDATED:
            note(
                self.notes,
                f"{self._origin} has {n} training samples, of which {n_val} would be the "
                "validation part, too few to say anything: all are trained on",
            )
            self.val_fraction, n_val = 0.0, 0
        self._rows = {
            "val": order[:n_val].sort().values,
            "train": order[n_val:].sort().values,
            "test": torch.arange(len(arrays.test_x)),
        }
        self._arrays = arrays
        if self._preparation is None:
            named = arrays.feature_names is not None
            self._preparation = prepare(self.normalization, self._sample(), named, self._origin)
            warn_of(self.constant, self._origin)
        elif self._other:
            parts = [x for x in (arrays.train_x, arrays.test_x) if isinstance(x, Tensor)]
            files = len(parts) < 2
            self._preparation = self._preparation.judged(parts, self._origin, files)

    def _read(self) -> Arrays:
        """What the source gives; one that can choose its columns is told those of the training."""
        if self._columns and "feature_names" in inspect.signature(self.source).parameters:
            return self.source(feature_names=self._columns)
        return self.source()

    def raw(self, split: Split, index: Tensor) -> Tensor:
        """Raw samples (batch, *shape) at places (batch,) of a split, missing values filled."""
        x = self.arrays.test_x if split == "test" else self.arrays.train_x
        return self.preparation.filled(x[self._rows[split][index]])

    def about(self, split: Split) -> pd.DataFrame | None:
        """What stands beside the results of a split, a row a sample; None for nothing."""
        arrays = self.arrays
        table = arrays.test_about if split == "test" else arrays.train_about
        return None if table is None else table.iloc[self._rows[split].numpy()]

    def normalize(self, x: Tensor) -> Tensor:
        """Normalise raw samples (batch, *shape) of these arrays to float32."""
        return self.preparation(x)

    def transform(self, x: Tensor) -> Tensor:
        """Normalise raw samples (batch, *shape) that come after the training to float32.

        Whether they are on the scale of the training is judged by all of x: give what belongs
        together at once, or use :meth:`normalizer`.

        Raises:
            DataError: they are on another scale, it cannot be told, or they overflow.
        """
        return self.normalizer(x)(x) if len(x) else x.float()

    def normalizer(
        self, x: Tensor | Samples, origin: str = "the input"
    ) -> Callable[[Tensor], Tensor]:
        """What normalises parts of raw samples (n, *shape) that come after the training.

        Args:
            x: all of them; on the disk they are image files, whose pixels go from 0 to 255.
            origin: what messages call them.

        Raises:
            DataError: they are on another scale than the training's, or it cannot be told; when
                it is called also that they overflow.
        """
        parts = [x] if isinstance(x, Tensor) else []
        judged = self.preparation.judged(parts, origin, files=not parts)
        return lambda part: finite(judged(part), origin)

    def denormalize(self, x: Tensor) -> Tensor:
        """The other way round; bytes come back as floats in [0, 1], wide numbers as float64."""
        return self.preparation.normalization.inverse(x)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint needs to be used without the data, as plain values."""
        loaded = self._arrays is not None
        return {
            **self.preparation.state(),
            "feature_names": self.feature_names,
            "fingerprint": self.fingerprint if loaded else self._trained_fingerprint,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the normalisation, the scale and the columns of a training."""
        self._preparation = Preparation.of_state(state_dict)
        self._columns = state_dict.get("feature_names")
        self._trained_fingerprint = state_dict.get("fingerprint", "")
        self._normalized.clear()
        self._graphs.clear()
        self._constant = None

    def follow(self, training: "ClusterData") -> None:
        """Before ``setup``: bring other samples to the scale and the columns of a training."""
        self.load_state_dict(training.state_dict())
        self._other = True

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Add the views, on the device of the training."""
        assert self.trainer is not None
        if self.augmentation is None or not (self.trainer.training or self.trainer.validating):
            return batch
        epoch = self.trainer.current_epoch
        black = float(-self.offset / self.scale) if self.scale.ndim == 0 and self.scale > 0 else 0.0
        replace = self.augmentation.replace and self.trainer.training
        return with_views(batch, self.augmentation, self.seed, epoch, black, replace)

    def graph(self, split: Split) -> Tensor | None:
        """Nearest neighbours (n, k) of the samples of a split, as its rows; None without them.

        Found when it is first asked for.

        Raises:
            DataError: features were given that are not of these samples, or there is but one.
        """
        if self.neighbors is None:
            return None
        if split not in self._graphs:
            self._graphs[split] = self.neighbors.graph(self._compared(split), self._device)
        return self._graphs[split]

    def _compared(self, split: Split) -> Tensor:
        """What neighbours of a split are found by, in memory."""
        assert self.neighbors is not None
        x, rows = self.arrays.train_x, self._rows[split]
        if self.neighbors.features is not None:
            return self.neighbors.given(rows, len(x))
        if isinstance(x, Tensor):
            return self._normalized_samples(split, x)
        parts = rows.split(EVALUATION_BATCH)
        return torch.cat([shrunk(self.preparation(x[part])).half() for part in parts])

    def train_dataloader(self) -> DataLoader[Batch]:
        """The training part, shuffled by seed and epoch, without labels."""
        sampler = EpochPermutation(
            len(self._rows["train"]),
            self.batch_size,
            self.seed,
            self.sequence_length,
            self.graph("train"),
            self._passes,
        )
        return self._loader("train", sampler)

    @property
    def _passes(self) -> int:
        """How often an epoch goes over the training part."""
        if self.passes != "auto":
            return self.passes
        return math.ceil(STEPS / math.ceil(len(self._rows["train"]) / self.batch_size))

    def val_dataloader(self) -> DataLoader[Batch] | list[DataLoader[Batch]]:
        """The validation part in order, shared among the processes; nothing where there is none."""
        n = len(self._rows["val"])
        if not n:
            return []
        graph = self.graph("val")
        return self._loader("val", InOrder(n, EVALUATION_BATCH, True, graph, self.seed))

    def test_dataloader(self) -> DataLoader[Batch]:
        """The test split in order."""
        return self.split_dataloader("test")

    def predict_dataloader(self) -> DataLoader[Batch]:
        """The test split in order."""
        return self.split_dataloader("test")

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

    def some_samples(self, split: Split) -> Iterator[Tensor]:
        """Normalised samples evenly spaced over a split, in batches, without labels.

        At most :data:`SOME` of them, or :data:`SOME_READ` that are read from the disk.
        """
        x = self.arrays.test_x if split == "test" else self.arrays.train_x
        rows = self._rows[split]
        limit = SOME if isinstance(x, Tensor) else SOME_READ
        rows = rows[torch.linspace(0, len(rows) - 1, min(limit, len(rows))).round().long()]
        for part in rows.split(EVALUATION_BATCH):
            yield self.normalize(x[part])

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
            dataset, workers = BatchDataset(self._placed(self._normalized_samples(split, x)), y), 0
        else:
            dataset, workers = BatchDataset(Rows(x, rows), y, self.preparation), self.num_workers
        return (TrainLoader if training else DataLoader)(
            dataset,
            batch_size=None,
            sampler=sampler,  # yields whole batches of rows
            num_workers=workers,
            persistent_workers=workers > 0,
            # A loader draws from its generator even if nothing is shuffled; not from the model's.
            generator=torch.Generator(),
        )

    def _normalized_samples(self, split: str, x: Tensor) -> Tensor:
        """The samples of a split out of all of its arrays, normalised once."""
        if split not in self._normalized:
            self._normalized[split] = finite(self.preparation(x[self._rows[split]]), self._origin)
        return self._normalized[split]

    @property
    def _device(self) -> torch.device:
        """The training's."""
        return torch.device("cpu") if self.trainer is None else self.trainer.strategy.root_device

    def _placed(self, x: Tensor) -> Tensor:
        """On the training's GPU, where it takes less than a quarter of what is free there."""
        device = self._device
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
