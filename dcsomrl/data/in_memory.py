"""Datasets from Python: arrays, tensors and data frames."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from dcsomrl.data.arrays import Arrays
from dcsomrl.data.columns import choose_dtype
from dcsomrl.data.features import Features, join_splits
from dcsomrl.data.layout import put_channels_first
from dcsomrl.data.roles import Roles
from dcsomrl.data.tables import take_columns
from dcsomrl.errors import DataError

# What messages call them.
FRAME = Path("the data")


def as_source(given: Callable[..., Arrays] | Arrays | Any) -> Callable[..., Arrays]:
    """A source of a dataset: the one that is given, or one of what was given in its place.

    Args:
        given: a function that gives arrays, or the arrays, or samples; see :func:`make_arrays`.
    """
    if isinstance(given, Arrays):
        return lambda: given
    return given if callable(given) else partial(make_arrays, given)


def make_arrays(
    x: Any, y: Any = None, test_x: Any = None, test_y: Any = None, roles: Roles | None = None
) -> Arrays:
    """Samples in memory as a dataset.

    Args:
        x: an array, a tensor or a matrix of SciPy (n, features), images (n, height, width) or
            (n, channels, height, width), channels first or last; or a data frame.
        y: (n,) labels of any kind; None for none, or for those of the frame's target.
        test_x: samples of the test split; None to score the samples that are trained on.
        test_y: their labels.
        roles: of a frame's columns; None for features alone.

    Raises:
        DataError: what is given is no samples, or labels do not fit them.
    """
    notes: list[str] = []
    roles = Roles() if roles is None else roles
    train = _make_features(x, y, roles, notes, None)
    test = train if test_x is None else _make_features(test_x, test_y, roles, notes, train.names)
    return join_splits(train, test, notes, roles.missing == "median", str(FRAME))


def refuse_masked(given: object, what: str) -> None:
    """Refuse values that are masked: what lies beneath the mask would count as it stands.

    Args:
        given: an array, or a list of numbers or arrays, however deep.
        what: what messages call it.

    Raises:
        DataError: a value is masked.
    """
    if n := _count_masked(given):
        raise DataError(
            f"{what} hold {n} masked values, which would count as they stand beneath the mask: "
            "fill them, as by x.filled(0), or by NaN where missing values are taken"
        )


def _count_masked(given: object) -> int:
    if isinstance(given, np.ma.MaskedArray):
        return int(np.ma.getmaskarray(given).sum())
    return sum(map(_count_masked, given)) if isinstance(given, list | tuple) else 0


def _make_features(
    x: Any, y: Any, roles: Roles, notes: list[str], learned: list[str] | None
) -> Features:
    refuse_masked(x, "samples")
    refuse_masked(y, "labels")
    labels = None if y is None else np.asarray(y)
    if isinstance(x, pd.DataFrame):
        frame = x.set_axis([str(name) for name in x.columns], axis=1)
        where = [f"row {i}" for i in range(len(x))]
        features, given, about = take_columns(frame, roles, FRAME, where, notes, learned)
        values = np.array(features.to_numpy(choose_dtype(features.dtypes), na_value=np.nan))
        labels = labels if given is None else given.to_numpy()
        return Features(values, labels, features.columns.tolist(), about)
    values = _read_values(x)
    if labels is not None and labels.shape != (len(values),):
        raise DataError(
            f"there are {len(values)} samples but labels of shape {labels.shape}: give one to each"
        )
    values = put_channels_first(values, "auto", FRAME)
    values = values if values.dtype == np.uint8 else values.astype(choose_dtype([values.dtype]))
    about = pd.DataFrame({"row": np.arange(len(values))})
    return Features(np.ascontiguousarray(values), labels, None, about)


def _read_values(x: Any) -> NDArray[Any]:
    values = x.detach().cpu() if isinstance(x, torch.Tensor) else x
    values = np.asarray(values.toarray() if hasattr(values, "toarray") else values)
    if values.dtype.kind not in "fiub" or not 2 <= values.ndim <= 4:
        raise DataError(
            "samples should be numbers of shape (n, features), (n, height, width) or (n, channels, "
            f"height, width), got {values.dtype} of shape {values.shape}"
        )
    return values
