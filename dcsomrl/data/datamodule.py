"""A dataset in batches, as a trainer of Lightning takes it."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Literal

import torch
from pytorch_lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader

from dcsomrl.data.arguments import read_text
from dcsomrl.data.arrays import Arrays
from dcsomrl.data.augmentation import Augmentation
from dcsomrl.data.batches import (
    EVALUATION_BATCH,
    Batch,
    EpochPermutation,
    InOrder,
    check_training_part,
    count_passes,
)
from dcsomrl.data.blocks import BlockRows
from dcsomrl.data.in_memory import make_arrays
from dcsomrl.data.loaded import LoadedData
from dcsomrl.data.loaders import make_loader
from dcsomrl.data.neighbors import Neighbors
from dcsomrl.data.normalization import Kind
from dcsomrl.data.roles import Name, Roles
from dcsomrl.data.splits import Split
from dcsomrl.data.streams import Stream
from dcsomrl.data.views import add_views
from dcsomrl.data.windows import WindowPermutation
from dcsomrl.errors import DataError
from dcsomrl.hints import check_arguments
from dcsomrl.ranges import Count, Natural, Range, ShareBelowOne

log = logging.getLogger(__name__)

# How many processes may read images; more would leave none to a machine.
Workers = Annotated[int, Range(0, 1024)]
# What Lightning sets a datamodule up for.
STAGES = ("fit", "validate", "test", "predict")


class ClusterData(LoadedData, LightningDataModule):
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
            makes :data:`dcsomrl.data.batches.STEPS` steps.

    Attributes:
        notes: sentences on what was guessed, left out or changed, after ``setup``.

    Raises:
        ValueError: an argument of another kind or outside its range, or one without effect.
        TypeError: another augmentation or other neighbours than the classes make.
    """

    @check_arguments
    def __init__(
        self,
        source: Callable[[], Arrays] | Arrays | Any,
        name: str = "data",
        batch_size: Count = 256,
        val_fraction: ShareBelowOne = 0.1,
        normalization: Kind = "standard",
        seed: Natural = 0,
        num_workers: Workers = 0,
        path: str | None = None,
        target: Name | None = None,
        sequence_length: Count = 1,
        augmentation: Augmentation | None = None,
        neighbors: Neighbors | None = None,
        passes: Count | Literal["auto"] = 1,
    ) -> None:
        super().__init__(source, name, val_fraction, normalization, seed, path, target)
        self.name: str = read_text("name", name)
        self.batch_size, self.passes = batch_size, passes
        self.num_workers, self.sequence_length = num_workers, sequence_length
        if sequence_length > 1 and val_fraction > 0:
            raise ValueError(
                "with a sequence_length above 1 val_fraction must be 0, since it would tear "
                f"sequences; got {sequence_length} and {val_fraction}"
            )
        if not isinstance(augmentation, Augmentation | None):
            raise TypeError(f"augmentation cannot be {augmentation!r}: give an `Augmentation`")
        if not isinstance(neighbors, Neighbors | None):
            raise TypeError(f"neighbors cannot be {neighbors!r}: give `Neighbors`")
        self.augmentation, self.neighbors = augmentation, neighbors

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
            x: see :func:`dcsomrl.data.in_memory.make_arrays`, as ``y``, ``test_x``, ``test_y`` and
                ``roles``.
            y: labels of x; they only score.
            test_x: samples to score; None for x.
            test_y: their labels.
            roles: of the columns of a data frame.
            settings: further arguments of the class.
        """
        return cls(partial(make_arrays, x, y, test_x, test_y, roles), **settings)

    def setup(self, stage: str | None = None) -> None:
        """Load, check and split, once.

        Raises:
            DataError: the data is absent or unsound, or shorter than a sequence; or there is no
                such stage.
        """
        if stage is not None and (not isinstance(stage, str) or stage not in STAGES):
            raise DataError(f"`stage` must be one of {', '.join(STAGES)} or None, got {stage!r}")
        self.load()
        if stage not in ("fit", None):
            return
        if self.augmentation is not None and self.augmentation.replace and len(self.shape) != 3:
            log.info("samples of shape %s are not images: no views of them are made", self.shape)
            self.augmentation = None
        check_training_part(
            len(self.rows("train")),
            self.batch_size,
            self.sequence_length,
            self._passes,
            self._origin,
        )

    def check_loaded(self, arrays: Arrays) -> None:
        """Refuse what needs all samples of a stream at once.

        Raises:
            DataError: it was asked for.
        """
        if not isinstance(arrays.train_x, Stream):
            return
        if self.neighbors is not None:
            raise DataError(
                f"{self._origin} is read as a stream, and neighbours are found among all samples "
                "at once: leave out `neighbors`, or read a part of it by "
                "`dcsomrl.data.files.arrays`"
            )
        if self.sequence_length > 1:
            raise DataError(
                f"{self._origin} is read as a stream, whose rows are mixed: set `sequence_length=1`"
            )

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Add the views, on the device of the training."""
        assert self.trainer is not None
        if self.augmentation is None or not (self.trainer.training or self.trainer.validating):
            return batch
        epoch = self.trainer.current_epoch
        black = float(-self.offset / self.scale) if self.scale.ndim == 0 and self.scale > 0 else 0.0
        replace = self.augmentation.replace and self.trainer.training
        return add_views(batch, self.augmentation, self.seed, epoch, black, replace)

    def graph(self, split: Split) -> Tensor | None:
        """Nearest neighbours (n, k) of the samples of a split, as its rows; None without them.

        Found when it is first asked for.

        Raises:
            DataError: features were given that are not of these samples, or there is but one.
        """
        if self.neighbors is None:
            return None
        self.rows(split)
        return self._ready.find_graph(split, self.neighbors, self._device)

    def train_dataloader(self) -> DataLoader[Batch]:
        """The training part, shuffled by seed and epoch, without labels."""
        x, rows = self.arrays.train_x, self.rows("train")
        if isinstance(x, Stream) and isinstance(rows, BlockRows):
            mixed = WindowPermutation(
                rows, x.sizes, x.window, self.batch_size, self.seed, self._passes
            )
            return self._make_loader("train", mixed)
        sampler = EpochPermutation(
            len(rows),
            self.batch_size,
            self.seed,
            self.sequence_length,
            self.graph("train"),
            self._passes,
        )
        return self._make_loader("train", sampler)

    @property
    def _passes(self) -> int:
        """How often an epoch goes over the training part."""
        if self.passes != "auto":
            return self.passes
        return count_passes(len(self.rows("train")), self.batch_size)

    def val_dataloader(self) -> DataLoader[Batch] | list[DataLoader[Batch]]:
        """The validation part in order, shared among the processes; nothing where there is none."""
        n = len(self.rows("val"))
        if not n:
            return []
        graph = self.graph("val")
        return self._make_loader("val", InOrder(n, EVALUATION_BATCH, True, graph, self.seed))

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
        n = len(self.rows(split))
        if not n:
            raise DataError(f"the {split} split of {self._origin} is empty: choose another")
        return self._make_loader(split, InOrder(n, EVALUATION_BATCH, shared=False))

    def _make_loader(self, split: Split, sampler: EpochPermutation | InOrder) -> DataLoader[Batch]:
        labelled = not isinstance(sampler, EpochPermutation)
        dataset = self._ready.make_dataset(split, labelled, self._device)
        return make_loader(dataset, sampler, self.num_workers)

    @property
    def _device(self) -> torch.device:
        """The training's."""
        return torch.device("cpu") if self.trainer is None else self.trainer.strategy.root_device
