"""Missing and infinite values of a table: refused, left out with their rows, or kept."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dcsomrl.data.constant import list_some
from dcsomrl.data.notes import note
from dcsomrl.data.roles import Roles
from dcsomrl.errors import DataError


def find_whole_rows(
    features: pd.DataFrame, roles: Roles, path: Path, where: Sequence[str], notes: list[str]
) -> NDArray[np.bool_]:
    """Which rows are kept, (n,), by what becomes of missing values.

    Args:
        features: columns of numbers, NaN where a value is missing.
        roles: says what becomes of missing values.
        path: what messages call the table.
        where: what they call each row.
        notes: gets a sentence on rows that are left out and values that are filled later.

    Raises:
        DataError: a value is infinite, or missing where that is refused; or a column has no value
            at all.
    """
    values = features.to_numpy(float, na_value=np.nan)
    _refuse_first(np.isinf(values), features, path, where, "an infinite value", "mend it")
    missing = np.isnan(values)
    names = features.columns.tolist()
    if empty := [name for name, none in zip(names, missing.all(0), strict=True) if none]:
        raise DataError(
            f"{path} has columns without any value: {list_some(empty)}; leave them out by `ignore`"
        )
    gaps = missing.any(1)
    if not gaps.any():
        return ~gaps
    columns = [name for name, some in zip(names, missing.any(0), strict=True) if some]
    if roles.missing == "refuse":
        remedy = (
            f"{int(missing.sum())} are missing in {int(gaps.sum())} rows and columns "
            f"{list_some(columns)}: fill them, or set `missing=drop` to leave these rows out or "
            "`missing=median` to take the column's median"
        )
        _refuse_first(missing, features, path, where, "no value", remedy)
    some = list_some([where[i] for i in np.flatnonzero(gaps).tolist()])
    if roles.missing == "drop":
        note(notes, f"{path}: {int(gaps.sum())} rows with missing values are left out: {some}")
        return ~gaps
    note(
        notes,
        f"{path}: {int(missing.sum())} missing values in columns {list_some(columns)} are taken as "
        "the medians of the training part",
    )
    return np.ones(len(features), dtype=bool)


def _refuse_first(
    bad: NDArray[np.bool_],
    features: pd.DataFrame,
    path: Path,
    where: Sequence[str],
    what: str,
    remedy: str,
) -> None:
    """Refuse a table by the first cell that is bad, if any is."""
    if bad.any():
        row, column = (int(place[0]) for place in bad.nonzero())
        name = features.columns[column]
        raise DataError(f"{path} has {what} in {where[row]}, column {name}; {remedy}")
