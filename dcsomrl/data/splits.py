"""The samples of a dataset by split: training part, validation part and test split."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import pandas as pd
import torch
from torch import Tensor

from dcsomrl.data.arrays import Arrays, Samples
from dcsomrl.data.batches import Rows
from dcsomrl.data.blocks import BlockRows
from dcsomrl.data.fingerprint import take_fingerprint
from dcsomrl.data.medians import find_medians
from dcsomrl.data.notes import note
from dcsomrl.data.stream_labels import StreamLabels
from dcsomrl.data.streams import BLOCKS, Stream
from dcsomrl.data.summary import Summary, summarize

Split = Literal["train", "val", "test"]

# Images on the disk from which the normalisation is estimated.
STATISTICS_SAMPLE = 2000
# A validation part of fewer samples is left out.
FEWEST_VALIDATED = 5
# Samples that tell how the nodes of a map hang together, in memory and on the disk.
SOME, SOME_READ = 20_000, 2000


@dataclass(frozen=True)
class Splits:
    """A dataset, not normalised, and which of its rows belong to each split.

    Attributes:
        arrays: the dataset.
        rows: by split, rows (n,) in order: of the training arrays for ``train`` and ``val``, of
            the test arrays for ``test``; computed where they are a stream.
        seed: draws samples from which the normalisation is estimated.
        origin: what messages call the dataset.
    """

    arrays: Arrays
    rows: Mapping[str, Tensor | BlockRows]
    seed: int
    origin: str = "the data"

    @cached_property
    def fingerprint(self) -> str:
        """What tells the samples of all splits from others."""
        return take_fingerprint([self.arrays.train_x, self.arrays.test_x])

    def samples(self, split: str) -> Tensor | Samples:
        """Raw samples of the arrays that a split is part of, by the rows of the arrays."""
        return self.arrays.test_x if split == "test" else self.arrays.train_x

    def labels(self, split: str) -> Tensor | Rows | None:
        """(n,) classes of the samples of a split, of a stream as they are read; None for none."""
        y = self.arrays.test_y if split == "test" else self.arrays.train_y
        rows = self.rows[split]
        if y is None or isinstance(y, Tensor):
            return y[rows] if y is not None and isinstance(rows, Tensor) else None
        return Rows(y, rows)

    def about(self, split: str, index: Tensor | None = None) -> pd.DataFrame | None:
        """What stands beside the results of a split, a row a sample; None for nothing.

        Args:
            split: train, val or test.
            index: (n,) places in the split; None for all.
        """
        index = torch.arange(len(self.rows[split])) if index is None else index
        rows, x = self.rows[split][index], self.samples(split)
        if isinstance(x, Stream):
            return x.locate(rows)
        table = self.arrays.test_about if split == "test" else self.arrays.train_about
        return None if table is None else table.iloc[rows.numpy()].reset_index(drop=True)

    def choose_spaced_rows(self, split: str, limit: int | None = None) -> Tensor:
        """Rows evenly spaced over a split, of a stream over some of its blocks.

        Args:
            split: train, val or test.
            limit: how many at most; None for :data:`SOME`, or :data:`SOME_READ` where samples are
                read from the disk one by one.
        """
        rows, x = self.rows[split], self.samples(split)
        by_one = not isinstance(x, Tensor | Stream)
        limit = (SOME_READ if by_one else SOME) if limit is None else limit
        if isinstance(rows, BlockRows):
            return rows.choose_spaced(limit, BLOCKS)
        return rows[torch.linspace(0, len(rows) - 1, min(limit, len(rows))).round().long()]

    @cached_property
    def summary(self) -> Summary | None:
        """Of the training part of a stream, read once for it; None of what is not a stream.

        Raises:
            DataError: a number in a split is missing or not finite.
        """
        x, test = self.arrays.train_x, self.arrays.test_x
        if not isinstance(x, Stream):
            return None
        fill = None
        if self.arrays.may_lack and x.dtype.kind == "f":
            fill = find_medians(lambda: x.read_blocks("train"), x.names, self.origin)
        found = summarize(x.read_blocks("train"), fill)
        if isinstance(test, Stream) and test is not x:
            for _ in test.read_blocks("test"):  # a bad row is better known now than in the end
                pass
        return found

    def draw_training_sample(self) -> Tensor:
        """Raw samples of the training part: all, some of those on the disk, a stream's bounds."""
        if self.summary is not None:
            return self.summary.bounds
        return self.arrays.train_x[self.training_sample_rows]

    @cached_property
    def training_sample_rows(self) -> Tensor:
        """Rows of the training arrays that tell of the training part, of what is not a stream."""
        rows = self.rows["train"]
        assert isinstance(rows, Tensor)
        if isinstance(self.arrays.train_x, Tensor):
            return rows
        stream = torch.Generator().manual_seed(self.seed)
        return rows[torch.randperm(len(rows), generator=stream)[:STATISTICS_SAMPLE]]


def split_arrays(
    arrays: Arrays, val_fraction: float, seed: int, notes: list[str], origin: str
) -> Splits:
    """Set a validation part apart from the training arrays, at random and blind to the labels.

    Args:
        arrays: the dataset.
        val_fraction: share of the validation part, in [0, 1); of less than
            :data:`FEWEST_VALIDATED` samples there is none.
        seed: draws the validation part.
        notes: gets a sentence where there is none for that reason.
        origin: what messages call the dataset.
    """
    x, test = arrays.train_x, arrays.test_x
    if isinstance(x, Stream):
        return _split_stream(x, arrays, val_fraction, seed, notes, origin)
    n = len(x)
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    n_val = min(round(val_fraction * n), n - 1)
    if val_fraction > 0 and n_val < FEWEST_VALIDATED:
        _say_too_few(n, n_val, notes, origin)
        n_val = 0
    rows = {
        "val": order[:n_val].sort().values,
        "train": order[n_val:].sort().values,
        "test": torch.arange(len(test)),
    }
    return Splits(arrays, rows, seed, origin)


def _split_stream(
    x: Stream, arrays: Arrays, val_fraction: float, seed: int, notes: list[str], origin: str
) -> Splits:
    """As :func:`split_arrays` for rows that are read as they are needed."""
    divided = x.divide(val_fraction, seed)
    n_train, n_val = (len(divided.rows(split)) for split in ("train", "val"))
    if val_fraction > 0 and n_val < FEWEST_VALIDATED:
        _say_too_few(n_train + n_val, n_val, notes, origin)
        divided = x
    # Its own test split stands among the rows that are trained on.
    test = divided if arrays.test_x is x else arrays.test_x
    assert isinstance(test, Stream)
    rows = {split: divided.rows(split) for split in ("val", "train")}
    rows["test"] = test.rows("test" if test is divided else "train")
    train_y, test_y = arrays.train_y, arrays.test_y
    if isinstance(train_y, StreamLabels) and isinstance(test_y, StreamLabels):
        train_y, test_y = train_y.of(divided), test_y.of(test)
    arrays = replace(arrays, train_x=divided, test_x=test, train_y=train_y, test_y=test_y)
    return Splits(arrays, rows, seed, origin)


def _say_too_few(n: int, n_val: int, notes: list[str], origin: str) -> None:
    note(
        notes,
        f"{origin} has {n} training samples, of which {n_val} would be the validation part, too "
        "few to say anything: all are trained on",
    )
