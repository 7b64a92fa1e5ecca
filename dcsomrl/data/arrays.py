"""What a source gives: two splits of samples, with labels or without, and the check of both."""

from dataclasses import dataclass, replace
from typing import Protocol

import pandas as pd
import torch
from torch import Tensor

from dcsomrl.errors import DataError


class Samples(Protocol):
    """Samples by index: a tensor, or a folder of images that are read when they are asked for."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of samples, and the shape of one."""
        ...

    def __len__(self) -> int:
        """Number of samples."""
        ...

    def __getitem__(self, index: Tensor) -> Tensor:
        """Samples (batch, *shape) of an index tensor (batch,)."""
        ...


class Classes(Protocol):
    """Classes by index: a tensor, or those of a stream, which are read when they are asked for."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of samples."""
        ...

    def __len__(self) -> int:
        """Number of samples."""
        ...

    def __getitem__(self, index: Tensor) -> Tensor:
        """Classes (batch,) of an index tensor (batch,)."""
        ...


@dataclass(frozen=True)
class Arrays:
    """A dataset as its source gives it, not normalised.

    Attributes:
        train_x: samples of the training split, (n, *shape): images (n, channels, height, width)
            as bytes or floats, or vectors (n, features).
        train_y: (n,) classes 0, 1, ..., or None.
        test_x: samples of the test split.
        test_y: their classes, or None.
        class_names: what the labels were called, by class.
        feature_names: names of the columns of a table.
        train_about: what stands beside the results of the training samples, a row each: their
            ``row`` or ``file``, ``id``, columns that are kept; None for nothing.
        test_about: likewise of the test samples.
        notes: sentences on what was guessed or left out.
        may_lack: whether NaN stands for a missing value, taken as the median of its column.
    """

    train_x: Tensor | Samples
    train_y: Tensor | Classes | None
    test_x: Tensor | Samples
    test_y: Tensor | Classes | None
    class_names: list[str] | None = None
    feature_names: list[str] | None = None
    train_about: pd.DataFrame | None = None
    test_about: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()
    may_lack: bool = False


def check_arrays(arrays: Arrays, name: str) -> Arrays:
    """The same arrays with classes numbered from 0, if they are sound.

    Raises:
        DataError: a split is empty, the splits differ in shape, a value is not finite, or there
            are more or fewer labels than samples.
    """
    splits = (
        ("training", arrays.train_x, arrays.train_y, arrays.train_about),
        ("test", arrays.test_x, arrays.test_y, arrays.test_about),
    )
    for split, x, y, about in splits:
        if len(x) == 0:
            raise DataError(f"{name} has no {split} samples: give it at least one")
        if isinstance(x, Tensor) and x.is_floating_point():
            _check_finite(x, name, split, arrays.may_lack, about)
        if y is not None and y.shape != (len(x),):
            raise DataError(
                f"{name} has {len(x)} {split} samples but labels of shape {tuple(y.shape)}: "
                "give one label to each sample"
            )
    shapes = tuple(arrays.train_x.shape[1:]), tuple(arrays.test_x.shape[1:])
    if shapes[0] != shapes[1]:
        raise DataError(
            f"{name} has training samples of shape {shapes[0]} and test samples of shape "
            f"{shapes[1]}: make them alike"
        )
    return _number_classes(arrays)


def choose_features(arrays: Arrays, names: list[str], origin: str) -> Arrays:
    """The columns of these names alone, in this order; as it is where nothing has names.

    Raises:
        DataError: a column is absent.
    """
    found = arrays.feature_names
    if found is None or found == names:
        return arrays
    if absent := [name for name in names if name not in found]:
        raise DataError(
            f"{origin} lacks columns that the model was trained on: {', '.join(absent)}; add them"
        )
    order = torch.tensor([found.index(name) for name in names])
    train_x, test_x = arrays.train_x, arrays.test_x
    assert isinstance(train_x, Tensor)
    assert isinstance(test_x, Tensor)
    return replace(arrays, train_x=train_x[:, order], test_x=test_x[:, order], feature_names=names)


def _check_finite(
    x: Tensor, name: str, split: str, may_lack: bool, about: pd.DataFrame | None
) -> None:
    fine = x.isfinite() | x.isnan() if may_lack else x.isfinite()
    bad = ~fine.flatten(1).all(1)
    if bad.any():
        first = int(bad.int().argmax())
        known = about is not None and "row" in about
        row = int(about["row"].iloc[first]) if about is not None and known else first
        lacking = bool(x[bad].isnan().any()) and not x[bad].isinf().any() and known
        remedy = ", or set `missing=drop` or `missing=median`" if lacking else ""
        raise DataError(
            f"{name} has {int(bad.sum())} {split} samples with NaN or infinite values, the first "
            f"at row {row}{' of the file' if known else ''}: fix or remove them{remedy}"
        )


def _number_classes(arrays: Arrays) -> Arrays:
    both = [y if isinstance(y, Tensor) else None for y in (arrays.train_y, arrays.test_y)]
    labels = [y for y in both if y is not None]
    if not labels:  # none, or those of a stream, which are numbered already
        return arrays
    values = torch.cat(labels).unique()
    train_y, test_y = (None if y is None else torch.searchsorted(values, y) for y in both)
    known = arrays.class_names
    names = [known[value] if known else str(value) for value in values.tolist()]
    return replace(arrays, train_y=train_y, test_y=test_y, class_names=names)


def divide(n: int, fraction: float, origin: str = "the data") -> tuple[Tensor, Tensor]:
    """Rows of a training and a test split, the same in every run, in their own order.

    Args:
        n: number of samples.
        fraction: share of the test split, in (0, 1).
        origin: what messages call the data.

    Raises:
        DataError: there are too few samples for two splits.
    """
    if n < 2:
        raise DataError(f"two splits need two samples or more, and {origin} has {n}: add some")
    order = torch.randperm(n, generator=torch.Generator().manual_seed(0))
    n_test = min(max(round(fraction * n), 1), n - 1)
    return order[n_test:].sort().values, order[:n_test].sort().values
