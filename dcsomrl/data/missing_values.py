"""Missing and infinite values of a table: refused, left out with their rows, or kept."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dcsomrl.data.constant import SHOWN, list_some
from dcsomrl.data.notes import note
from dcsomrl.data.roles import Missing, Roles
from dcsomrl.errors import DataError


class Gaps(NamedTuple):
    """Where values of a table are missing.

    Attributes:
        names: of the columns.
        counts: (columns,) values that are missing.
        n: rows of the table.
        rows: how many of them lack some value.
        called: what messages call the first :data:`dcsomrl.data.constant.SHOWN` of these.
        first: the first such value, in a sentence without an end.
        remedy: what to do about columns without any value.
    """

    names: Sequence[str]
    counts: NDArray[Any]
    n: int
    rows: int
    called: Sequence[str]
    first: str
    remedy: str = "leave them out by `ignore`"


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
    names = features.columns.tolist()
    infinite = np.isinf(values)
    if infinite.any():
        row, column = (int(place[0]) for place in infinite.nonzero())
        refuse_infinite(str(path), where[row], names[column])
    missing = np.isnan(values)
    gaps = missing.any(1)
    if gaps.any():
        row, column = (int(place[0]) for place in missing.nonzero())
        rows = np.flatnonzero(gaps)
        called = [where[i] for i in rows[:SHOWN].tolist()]
        first = f"{path} has no value in {where[row]}, column {names[column]}"
        found = Gaps(names, missing.sum(0), len(values), len(rows), called, first)
        settle_gaps(found, roles.missing, str(path), notes)
    return ~gaps if roles.missing == "drop" else np.ones(len(features), dtype=bool)


def settle_gaps(gaps: Gaps, missing: Missing, path: str, notes: list[str]) -> None:
    """Refuse missing values, or note what becomes of them.

    Args:
        gaps: at least one.
        missing: what becomes of them.
        path: what messages call the table.
        notes: gets a sentence on rows that are left out or values that are filled later.

    Raises:
        DataError: they are refused, or a column has no value at all.
    """
    if empty := [gaps.names[i] for i in np.flatnonzero(gaps.counts == gaps.n).tolist()]:
        raise DataError(f"{path} has columns without any value: {list_some(empty)}; {gaps.remedy}")
    total = int(gaps.counts.sum())
    columns = list_some([gaps.names[i] for i in np.flatnonzero(gaps.counts).tolist()])
    if missing == "refuse":
        raise DataError(
            f"{gaps.first}; {total} are missing in {gaps.rows} rows and columns {columns}: fill "
            "them, or set `missing=drop` to leave these rows out or `missing=median` to take the "
            "column's median"
        )
    if missing == "drop":
        more = gaps.rows - len(gaps.called)
        some = ", ".join(gaps.called) + (f" and {more} more" if more else "")
        note(notes, f"{path}: {gaps.rows} rows with missing values are left out: {some}")
        return
    note(
        notes,
        f"{path}: {total} missing values in columns {columns} are taken as the medians of the "
        "training part",
    )


def refuse_infinite(path: str, row: str, column: str) -> NoReturn:
    """Refuse a table by the first infinite value.

    Raises:
        DataError: always.
    """
    raise DataError(f"{path} has an infinite value in {row}, column {column}; fix it")
