"""Tables of one's own, csv and parquet: read plainly, or refused with what to do."""

import csv
import logging
import re
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dcsomrl.data.constant import list_some
from dcsomrl.errors import DataError

log = logging.getLogger(__name__)

SUFFIXES = (".csv", ".parquet")
# What pandas calls a column whose header is empty.
NAMELESS = re.compile(r"\s*|Unnamed: \d+")
NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
SAVE = "save it with commas between fields and points in numbers"


class Table(NamedTuple):
    """A table as it was read.

    Attributes:
        features: columns of numbers, a row a sample.
        labels: the labels' column, or None.
    """

    features: pd.DataFrame
    labels: pd.Series | None


def read_table(path: Path, target: str | None, columns: list[str] | None) -> Table:
    """The features and the labels of a csv or parquet file; the log says what was taken.

    Args:
        path: the file.
        target: column of the labels.
        columns: those that are features, in this order; None for all but the labels and a
            nameless index.

    Raises:
        DataError: the file is damaged, is not plainly a table of the columns in its header, or
            these hold no features.
    """
    table = _read(path)
    if target is not None and target not in table:
        raise DataError(
            f"{path} has no column {target}; it has {', '.join(map(str, table.columns))}: set "
            "`target` to one of these"
        )
    if columns is None:
        left_out = _nameless(table, path)
        features = table.drop(columns=[*left_out, *([] if target is None else [target])])
    else:
        if absent := [name for name in columns if name not in table]:
            raise DataError(
                f"{path} lacks columns that the model was trained on: {', '.join(absent)}; add them"
            )
        features = table[columns]
        left_out = [name for name in table.columns.tolist() if name not in {*columns, target}]
    left_out += [f"index {name}" for name in table.index.names if name is not None]
    _check_numbers(features, path, explicit=columns is not None)
    labels = None if target is None else table[target]
    if labels is not None and labels.isna().any():
        raise DataError(
            f"{path} has {int(labels.isna().sum())} rows without a label in {target}: fill or "
            "remove them"
        )
    log.info(
        "%s: %d rows, %d features (%s), %s%s",
        path,
        len(features),
        features.shape[1],
        list_some(features.columns.tolist()),
        f"labels from {target}" if target else "no labels",
        f"; left out: {list_some(left_out)}" if left_out else "",
    )
    return Table(features, labels)


def _read(path: Path) -> pd.DataFrame:
    """A table whose columns have the names of its header, as text."""
    try:
        if path.suffix == ".csv":
            _check_fields(path)
            table = pd.read_csv(path, index_col=False)
        else:
            table = pd.read_parquet(path)
    except DataError:
        raise
    except Exception as error:  # each reader raises kinds of its own for a damaged file
        raise DataError(
            f"{path} cannot be read ({error}): it is damaged or not what its name says"
        ) from error
    table.columns = pd.Index([str(name) for name in table.columns])
    _check_names(table.columns.tolist(), path)
    return table


def _check_fields(path: Path) -> None:
    """Refuse a csv whose rows have not the fields of its header: pandas would guess."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        header = next(rows, [])
        if len(header) == 1 and (found := re.search(r"[;\t|]", header[0])):
            raise DataError(
                f"{path} has {found.group()!r} in the one field of its header, {header[0]!r}: "
                f"{SAVE}"
            )
        _check_names(header, path)
        for row in rows:
            if row and len(row) != len(header):
                raise DataError(
                    f"{path} has {len(header)} fields in its header but {len(row)} in line "
                    f"{rows.line_num}: {SAVE}, as many in every line"
                )


def _check_names(names: list[str], path: Path) -> None:
    """Refuse names that stand twice, and a first row of numbers in the place of names."""
    named = [name for name in names if not NAMELESS.fullmatch(name)]
    numbers = [name.strip() for name in named if NUMBER.fullmatch(name)]
    if numbers and not _counted(numbers):
        raise DataError(
            f"{path} has numbers in the place of column names ({list_some(numbers)}): put a first "
            "line of names above the samples"
        )
    if twice := [name for name, count in Counter(named).items() if count > 1]:
        raise DataError(
            f"{path} has several columns of one name ({list_some(twice)}): give each its own"
        )


def _counted(numbers: list[str]) -> bool:
    """Whether these names are such as pandas numbers columns with: 0, or several in a row."""
    if not all(number.isdigit() for number in numbers):
        return False
    values = [int(number) for number in numbers]
    return values == [0] or (
        len(values) > 1 and all(after == before + 1 for before, after in pairwise(values))
    )


def _nameless(table: pd.DataFrame, path: Path) -> list[str]:
    """Columns without a name that are left out: an index in front, and empty ones."""
    left_out = []
    for place, name in enumerate(table.columns.tolist()):
        if not NAMELESS.fullmatch(name):
            continue
        column = table[name]
        is_index = place == 0 and column.dtype.kind in "iu" and column.is_unique
        if not is_index and not column.isna().all():
            raise DataError(
                f"{path} has a column without a name, column {place + 1}: name or remove it"
            )
        left_out.append(name)
    return left_out


def _check_numbers(features: pd.DataFrame, path: Path, explicit: bool) -> None:
    words = [str(name) for name in features if features[name].dtype.kind not in "fiub"]
    if words:
        raise DataError(
            f"{path} has columns that are not numbers: {list_some(words)}; encode or remove them"
            + ("" if explicit else ", or name the labels' column by `target`")
        )
    if features.shape[1] == 0:
        raise DataError(f"{path} has no column of features: check `target`")


def check_told_apart(x: NDArray[np.generic], path: Path) -> None:
    """Refuse integers (n, ...) so large that floats of 64 bits hardly tell them apart.

    Raises:
        DataError: a feature's range holds fewer than a hundred of the floats about it.
    """
    if x.dtype.kind not in "iu" or x.dtype.itemsize < 8 or x.size == 0:
        return
    flat = x.reshape(len(x), -1)
    for low, high in zip(flat.min(0).tolist(), flat.max(0).tolist(), strict=True):
        grain = float(np.spacing(float(max(abs(low), abs(high)))))
        if grain > 1 and 0 < high - low < 100 * grain:
            raise DataError(
                f"{path} holds integers from {low} to {high}, which floats of 64 bits round to "
                f"multiples of {grain:.0f}: subtract their least value first"
            )


def common_dtype(dtypes: Iterable[np.dtype]) -> type[np.floating]:
    """The floats that hold numbers of these kinds to the last digit: float32, or else float64."""
    narrow = ("bool", "int8", "uint8", "int16", "float16", "float32")
    return np.float32 if all(dtype.name.lower() in narrow for dtype in dtypes) else np.float64
