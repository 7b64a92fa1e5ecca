"""The samples of a dataset by split: training part, validation part and test split."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import pandas as pd
import torch
from torch import Tensor

from dcsomrl.data.arrays import Arrays, Samples
from dcsomrl.data.fingerprint import take_fingerprint
from dcsomrl.data.notes import note

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
            the test arrays for ``test``.
        seed: draws samples from which the normalisation is estimated.
    """

    arrays: Arrays
    rows: Mapping[str, Tensor]
    seed: int

    @cached_property
    def fingerprint(self) -> str:
        """What tells the samples of all splits from others."""
        return take_fingerprint([self.arrays.train_x, self.arrays.test_x])

    def samples(self, split: str) -> Tensor | Samples:
        """Raw samples of the arrays that a split is part of, by the rows of the arrays."""
        return self.arrays.test_x if split == "test" else self.arrays.train_x

    def labels(self, split: str) -> Tensor | None:
        """(n,) classes of the samples of a split; None where there are none."""
        y = self.arrays.test_y if split == "test" else self.arrays.train_y
        return None if y is None else y[self.rows[split]]

    def about(self, split: str) -> pd.DataFrame | None:
        """What stands beside the results of a split, a row a sample; None for nothing."""
        table = self.arrays.test_about if split == "test" else self.arrays.train_about
        return None if table is None else table.iloc[self.rows[split].numpy()]

    def choose_spaced_rows(self, split: str) -> Tensor:
        """Rows evenly spaced over a split.

        At most :data:`SOME` of them, or :data:`SOME_READ` where samples are read from the disk.
        """
        rows = self.rows[split]
        limit = SOME if isinstance(self.samples(split), Tensor) else SOME_READ
        return rows[torch.linspace(0, len(rows) - 1, min(limit, len(rows))).round().long()]

    def draw_training_sample(self) -> Tensor:
        """Raw samples of the training part: all, or some of those on the disk."""
        x, rows = self.arrays.train_x, self.rows["train"]
        if not isinstance(x, Tensor):
            stream = torch.Generator().manual_seed(self.seed)
            rows = rows[torch.randperm(len(rows), generator=stream)[:STATISTICS_SAMPLE]]
        return x[rows]


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
    n = len(arrays.train_x)
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    n_val = min(round(val_fraction * n), n - 1)
    if val_fraction > 0 and n_val < FEWEST_VALIDATED:
        note(
            notes,
            f"{origin} has {n} training samples, of which {n_val} would be the validation part, "
            "too few to say anything: all are trained on",
        )
        n_val = 0
    rows = {
        "val": order[:n_val].sort().values,
        "train": order[n_val:].sort().values,
        "test": torch.arange(len(arrays.test_x)),
    }
    return Splits(arrays, rows, seed)
