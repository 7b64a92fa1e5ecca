"""Features as they are read, from a file or from memory, and two splits of them as a dataset."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from dcsomrl.data.arrays import Arrays
from dcsomrl.data.labels import number_labels, warn_of_classes


class Features(NamedTuple):
    """Samples as they are read, and what stands beside them.

    Attributes:
        x: (n, features) or (n, channels, height, width), bytes, float32, or
            float64 for what 32 bits would cut.
        y: (n,) labels as they stand in the file, or None.
        names: names of the columns of a table.
        about: what stands beside the results, a row a sample: ``row`` in the file and, of a table,
            ``id`` and columns that are kept.
    """

    x: NDArray[Any]
    y: NDArray[Any] | None
    names: list[str] | None
    about: pd.DataFrame

    def take(self, rows: NDArray[np.int64]) -> "Features":
        """Some of the samples, by rows (rows,)."""
        y = None if self.y is None else self.y[rows]
        return Features(self.x[rows], y, self.names, self.about.iloc[rows].reset_index(drop=True))


def join_splits(
    train: Features, test: Features, notes: list[str], may_lack: bool, origin: str
) -> Arrays:
    """Two splits as a dataset, with classes numbered over both.

    Args:
        train: the training split.
        test: the test split.
        notes: sentences on what was guessed or left out.
        may_lack: whether NaN stands for a missing value.
        origin: what messages call them.
    """
    train_y, test_y, class_names = number_labels(train.y, test.y, origin)
    if class_names is not None:
        known, other = (set() if y is None else set(y.tolist()) for y in (train_y, test_y))
        n = len(train.x) + len(test.x)
        warn_of_classes(class_names, known, other, n, origin, notes)
    return Arrays(
        torch.from_numpy(train.x),
        train_y,
        torch.from_numpy(test.x),
        test_y,
        class_names,
        train.names,
        train.about,
        test.about,
        tuple(dict.fromkeys(notes)),
        may_lack=may_lack,
    )
