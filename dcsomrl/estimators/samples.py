"""Samples that the estimators are given, as rows of numbers that scikit-learn takes."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor

from dcsomrl.data.columns import as_numbers, tell_kind
from dcsomrl.data.constant import list_some
from dcsomrl.data.frames import FRAME, holds_array, tidy_frame, to_frame
from dcsomrl.data.large_integers import check_told_apart
from dcsomrl.data.objects import LISTS, refuse_masked, to_numbers
from dcsomrl.data.roles import join_levels
from dcsomrl.data.row_checks import warn_of_rows
from dcsomrl.data.text_tables import check_names
from dcsomrl.errors import DataError

log = logging.getLogger(__name__)

# Megabytes of sparse samples that are made dense, from which on it is a warning.
LARGE = 100
# Rows that are looked at at once.
ROWS = 1024


def read_rows(x: Any) -> Any:
    """A data frame of numbers, a matrix of SciPy, or an array (n, features), as it was given.

    Args:
        x: see :func:`dcsomrl.data.in_memory.make_arrays`, without images.

    Raises:
        DataError: it holds something else than numbers in rows.
    """
    refuse_masked(x, "samples")
    frame = to_frame(x, "samples")
    if frame is not None:
        return _read_columns(frame)
    is_sparse = sparse.issparse(x)
    found = x if is_sparse else to_numbers(x, "samples")
    if found.ndim != 2:
        one = "x.reshape(-1, 1) of one feature or x.reshape(1, -1) of one sample"
        remedy = one if found.ndim == 1 else "x.reshape(len(x), -1)"
        raise DataError(
            f"samples should be rows of numbers (n, features), got shape {found.shape}: Reshape "
            f"your data, as by {remedy}"
        )
    if is_sparse:
        to_numbers(np.empty(0, x.dtype), "samples")
        found = x.tocsr()
        if x.dtype.kind in "iu" and x.dtype.itemsize == 8 and x.shape[0]:
            ends = [end.toarray() for end in (found.min(axis=0), found.max(axis=0))]
            check_told_apart(np.vstack([end.reshape(1, -1) for end in ends]), FRAME)
        return found
    check_told_apart(found, FRAME)
    return found


def refuse_gaps(x: Any, names: list[Any]) -> None:
    """Refuse samples (n, features), dense or sparse, with a value that is not a finite number.

    Args:
        x: numbers.
        names: of the columns; empty where they have none.

    Raises:
        DataError: there is such a value.
    """
    known: NDArray[np.floating] = x.data if hasattr(x, "tocoo") else x
    if all(np.isfinite(known[i : i + ROWS]).all() for i in range(0, len(known), ROWS)):
        return
    listed = x.tocoo() if hasattr(x, "tocoo") else None
    values: NDArray[np.floating] = x if listed is None else listed.data
    bad = ~np.isfinite(values)
    found = values[bad][0]
    places = bad.nonzero() if listed is None else (listed.row[bad], listed.col[bad])
    row, column = (int(place[0]) for place in places)
    is_missing = np.isnan(found)
    what = "NaN" if is_missing else "an infinite value (inf)"
    remedy = "fill or remove them, as by sklearn.impute.SimpleImputer"
    name = names[column] if column < len(names) else column
    raise DataError(
        f"samples have {int(bad.sum())} values that are NaN or infinite, the first {what} in row "
        f"{row}, column {name}: {remedy if is_missing else 'fix or remove them'}"
    )


def warn_of_doubtful(x: Any, names: Sequence[str] | None) -> None:
    """Warn of what is doubtful among numbers; see :func:`dcsomrl.data.row_checks.warn_of_rows`.

    Args:
        x: (n, features) floats; sparse matrices are not looked at.
        names: of the columns; None where they have none.
    """
    if sparse.issparse(x):
        return
    remedy = "fill it, or leave such samples out"
    warn_of_rows(x, names, FRAME, "row {}".format, [], remedy)


def to_floats(x: Any) -> NDArray[np.floating]:
    """Numbers (n, features), dense or sparse, as an array of 64 bits, or of the 32 they have."""
    dense = x.toarray() if hasattr(x, "toarray") else x
    kind = np.float32 if dense.dtype == np.float32 else np.float64
    return np.ascontiguousarray(dense, kind)  # torch takes no array that runs backwards


def announce_dense(given: Any, shape: tuple[int, ...]) -> None:
    """Say in the log how much memory sparse samples of a shape take when they are made dense."""
    if isinstance(given, pd.DataFrame):
        is_sparse = any(isinstance(one, pd.SparseDtype) for one in given.dtypes)
    elif isinstance(given, Tensor):
        is_sparse = given.layout != torch.strided
    else:
        is_sparse = sparse.issparse(given)
    if is_sparse:
        size = 8 * shape[0] * shape[1] / 1e6
        level = logging.INFO if size < LARGE else logging.WARNING
        log.log(level, "sparse samples of shape %s are made dense: %.1f MB", shape, size)


def name_columns(rows: Any) -> list[str] | None:
    """Names of a data frame's columns that are not texts; None of texts and of what has none."""
    if not isinstance(rows, pd.DataFrame) or all(isinstance(name, str) for name in rows.columns):
        return None
    return [join_levels(name) for name in rows.columns]


def check_order(names: list[str] | None, trained: list[str] | None) -> None:
    """Refuse a data frame whose columns, by names that are not texts, are not those of a training.

    Args:
        names: of its columns, from :func:`name_columns`.
        trained: of those of the training, likewise.

    Raises:
        DataError: they are others, or in another order.
    """
    if names is None or trained is None or names == trained or len(names) != len(trained):
        return
    raise DataError(
        f"samples have the columns {list_some(names)}, and the training had {list_some(trained)}, "
        "in this order: give these"
    )


def _read_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """A data frame of numbers, its columns of lists spread.

    Raises:
        DataError: a column is not of numbers, or has values that floats hardly tell apart.
    """
    names = frame.columns
    if len({type(name) for name in names}) > 1 and any(isinstance(one, str) for one in names):
        frame = frame.set_axis(pd.Index([join_levels(one) for one in names], dtype=object), axis=1)
    check_names([str(one) for one in frame.columns], FRAME)
    if not frame.shape[1]:
        raise DataError("samples are a data frame without columns: give it features")
    if any(map(_holds_lists, (frame.iloc[:, i] for i in range(frame.shape[1])))):
        frame = tidy_frame(frame)
        check_names(frame.columns.tolist(), FRAME)
    if not all(isinstance(one, np.dtype) and one.kind in "fiub" for one in frame.dtypes):
        columns, odd = [], []
        for i, name in enumerate(frame.columns):
            column = frame.iloc[:, i]
            numbers = as_numbers(_read_categories(column))
            columns.append(column if numbers is None else numbers)
            odd += [f"{name} ({_tell(column)})"] if numbers is None else []
        if odd:
            raise DataError(
                f"samples have columns that are not numbers: {list_some(odd)}; make them numbers "
                "(sklearn.preprocessing.OneHotEncoder does of categories), or leave them out"
            )
        values = [np.asarray(one.to_numpy(float, na_value=np.nan)) for one in columns]
        whole = [one for one in columns if one.dtype.kind in "iu" and not one.isna().any()]
        for one in whole:
            check_told_apart(one.to_numpy(), FRAME)
        return pd.DataFrame(np.stack(values, 1), columns=frame.columns, index=frame.index)
    for i in range(frame.shape[1]):
        check_told_apart(frame.iloc[:, i].to_numpy(), FRAME)
    return frame


def _holds_lists(column: pd.Series) -> bool:
    if column.dtype.kind not in "O":
        return False
    first = column.dropna().head(1)
    return bool(len(first)) and (
        isinstance(first.iloc[0], (*LISTS, np.ndarray)) or holds_array(first.iloc[0])
    )


def _read_categories(column: pd.Series) -> pd.Series:
    """Categories that are numbers as these, which the log says; all else as it is."""
    if not isinstance(column.dtype, pd.CategoricalDtype):
        return column
    if column.cat.categories.dtype.kind not in "fiub":
        return column
    log.warning("column %s has categories that are numbers, and is taken as these", column.name)
    return column.astype(object)


def _tell(column: pd.Series) -> str:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return "categories"
    if isinstance(column.dtype, pd.PeriodDtype):
        return "dates"
    return "complex numbers" if column.dtype.kind == "c" else tell_kind(column)
