"""Datasets from Python: arrays, tensors and data frames."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import nn

from dcsomrl.data.array_files import drop_gaps
from dcsomrl.data.arrays import Arrays
from dcsomrl.data.columns import choose_dtype
from dcsomrl.data.features import Features, join_splits
from dcsomrl.data.frames import FRAME, tidy_frame, to_frame
from dcsomrl.data.given_labels import read_given_labels
from dcsomrl.data.large_integers import check_told_apart
from dcsomrl.data.layout import put_channels_first
from dcsomrl.data.notes import note
from dcsomrl.data.objects import to_numbers
from dcsomrl.data.roles import Roles, check_roles
from dcsomrl.data.row_checks import warn_of_rows
from dcsomrl.data.tables import take_columns
from dcsomrl.errors import DataError


def as_source(given: Callable[..., Arrays] | Arrays | Any) -> Callable[..., Arrays]:
    """A source of a dataset: the one that is given, or one of what was given in its place.

    Args:
        given: a function that gives arrays, or the arrays, or samples; see :func:`make_arrays`.

    Raises:
        DataError: it is a function that cannot be called without arguments.
    """
    if isinstance(given, Arrays):
        return lambda: given
    if not callable(given) or isinstance(given, type | nn.Module):
        return partial(make_arrays, given)
    try:
        inspect.signature(given).bind()
    except TypeError as error:
        raise DataError(
            f"the source {getattr(given, '__name__', given)} cannot be called as it is ({error}): "
            "give its arguments, as by functools.partial"
        ) from error
    except ValueError:  # it does not tell its arguments
        pass
    return given


def make_arrays(
    x: Any, y: Any = None, test_x: Any = None, test_y: Any = None, roles: Roles | None = None
) -> Arrays:
    """Samples in memory as a dataset.

    Args:
        x: an array, a tensor, a matrix of SciPy or lists (n, features), images (n, height, width)
            or (n, channels, height, width), channels first or last; or a data frame of pandas,
            Polars or Arrow, or a structured array.
        y: (n,) labels of any kind; None for none, or for those of the frame's target.
        test_x: samples of the test split, a frame where ``x`` is one; None to score the samples
            that are trained on.
        test_y: their labels.
        roles: of a frame's columns; None for features alone. Of arrays ``missing`` alone.

    Raises:
        DataError: what is given is not samples, labels do not fit them, or one of the arguments
            has no effect beside the others.
    """
    notes: list[str] = []
    roles = Roles() if roles is None else roles
    if not isinstance(roles, Roles):
        raise DataError(
            f"`roles` should be `dcsomrl.data.roles.Roles`, got a {type(roles).__name__}: give "
            "Roles(target=...)"
        )
    check_roles(roles)
    if test_x is None and test_y is not None:
        raise DataError(
            "`test_y` is given without `test_x`: give the samples that it belongs to as `test_x`, "
            "or leave it out"
        )
    train = _make_features(x, y, roles, notes, None, "")
    if test_x is None:
        return join_splits(train, train, notes, roles.missing == "median", str(FRAME))
    test = _make_features(test_x, test_y, roles, notes, train.names, "test ")
    if (train.names is None) != (test.names is None):
        named, plain = ("`x`", "`test_x`") if test.names is None else ("`test_x`", "`x`")
        raise DataError(
            f"{named} is a data frame and {plain} is none, so that their columns cannot be told to "
            "be the same: give both as data frames, or both as arrays"
        )
    return join_splits(train, test, notes, roles.missing == "median", str(FRAME))


def _make_features(
    x: Any, y: Any, roles: Roles, notes: list[str], learned: list[str] | None, split: str
) -> Features:
    frame = to_frame(x, f"{split}samples")
    if frame is not None:
        return _take_frame(frame, y, roles, notes, learned, split)
    _refuse_columns(roles)
    values = _read_values(x, f"{split}samples")
    labels = None if y is None else read_given_labels(y, len(values), f"{split}labels")
    check_told_apart(values, FRAME)
    values = put_channels_first(values, "auto", FRAME, notes)
    with np.errstate(over="ignore"):  # what is infinite then is refused
        values = values if values.dtype == np.uint8 else values.astype(choose_dtype([values.dtype]))
    if values.ndim == 2 and not split:
        warn_of_rows(values, None, FRAME, "row {}".format, notes)
    about = pd.DataFrame({"row": np.arange(len(values))})
    features = Features(np.ascontiguousarray(values), labels, None, about)
    return drop_gaps(features, str(FRAME), notes) if roles.missing == "drop" else features


def _take_frame(
    frame: pd.DataFrame,
    y: Any,
    roles: Roles,
    notes: list[str],
    learned: list[str] | None,
    split: str,
) -> Features:
    if y is not None and roles.target is not None:
        raise DataError(
            f"labels are given as `{split.strip()}{'_' if split else ''}y` and by "
            f"`target={roles.target}`: leave one of them out"
        )
    if isinstance(y, pd.Series | pd.DataFrame):
        _say_order(frame.index, y.index, split, notes)
    labels = None if y is None else read_given_labels(y, len(frame), f"{split}labels")
    table = tidy_frame(frame)
    if not table.shape[1]:
        raise DataError(f"{split}samples are a data frame without columns: give it features")
    where = [f"row {i}" for i in range(len(table))]
    features, target, about = take_columns(table, roles, FRAME, where, notes, learned)
    values = np.array(features.to_numpy(choose_dtype(features.dtypes), na_value=np.nan))
    if target is not None:
        labels = target.to_numpy()
    elif labels is not None:
        labels = labels[about["row"].to_numpy()]  # of the rows that are left
    return Features(values, labels, features.columns.tolist(), about)


def _say_order(rows: pd.Index, labelled: pd.Index, split: str, notes: list[str]) -> None:
    """Note labels whose index is the samples' in another order: they are taken by their place."""
    if len(rows) == len(labelled) and not rows.equals(labelled) and set(rows) == set(labelled):
        note(
            notes,
            f"the {split}labels have the index of the samples in another order, and are taken by "
            "their place; give y.loc[x.index] if they belong together by the index",
        )


def _refuse_columns(roles: Roles) -> None:
    """Refuse roles of columns of an array, which has no names.

    Raises:
        DataError: there are such.
    """
    plain = Roles()
    for name in ("target", "id", "keep", "columns", "ignore", "categories"):
        given = getattr(roles, name)
        if given != getattr(plain, name):
            remedy = "give labels as `y`" if name == "target" else f"leave out `{name}`"
            raise DataError(
                f"`{name}` is about columns with names, got {given!r}, and the samples are an "
                f"array: {remedy}, or give a data frame"
            )


def _read_values(x: Any, what: str) -> NDArray[Any]:
    if isinstance(x, pd.Series | pd.Index):
        raise DataError(
            f"{what} should be a data frame or an array (n, features), got one column: give "
            "x.to_frame()"
        )
    values = to_numbers(x, what)
    if not 2 <= values.ndim <= 4:
        one = ": make (n, 1) of one feature by x.reshape(-1, 1)" if values.ndim == 1 else ""
        raise DataError(
            f"{what} should be numbers of shape (n, features), (n, height, width) or (n, channels, "
            f"height, width), got {values.dtype} of shape {values.shape}{one}"
        )
    if values.size == 0:
        raise DataError(f"{what} of shape {values.shape} hold nothing: give samples with features")
    return values
