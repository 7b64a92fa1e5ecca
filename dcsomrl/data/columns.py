"""One column of a table: as numbers, as categories, as what a list in it holds."""

import re
from collections.abc import Iterable, Sequence
from numbers import Number
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dcsomrl.data.text_tables import choose_number_pattern
from dcsomrl.errors import DataError

MONTH = r"(jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])[a-z]*"
# Of days, in digits or with the month in letters, and times of day, also counted from 0.
DATE = re.compile(
    r"\s*(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})(\b|T\d).*"
    rf"|\s*(\d{{1,2}}[-./ ]*{MONTH}|{MONTH}[-./ ]*\d{{1,2}})[-.,/ ]+\d{{2,4}}\b.*"
    rf"|\s*\d{{1,2}}{MONTH}\d{{2,4}}\b.*"
    r"|\s*(19|20)\d{2}([-/.](0?[1-9]|1[0-2])|-?W\d{2}(-?[1-7])?|[- ]?Q[1-4])\s*"
    r"|\s*Q[1-4][- /](19|20)\d{2}\s*|\s*\d{8}T\d{2,6}.*"
    r"|\s*P(?=[\dT])(\d+[YMWD])*(T(\d+[HMS])+)?\s*|\s*(\d+\s?[dhm]\s+)+\d+\s?(m|s|min|sec)\s*"
    r"|\s*(\d+ days? )?\d{1,3}:\d{2}(:\d{2}([.,]\d+)?)?(\s*[ap]\.?m\.?)?\s*",
    re.IGNORECASE,
)
# Lists and dicts that are written as text, but for intervals.
LISTED = re.compile(
    r"\s*(?!\[[^\s,]+, ?[^\s,]+\])(\[.*[,\s].*\]|\{.*:.*\}|(array|tensor)\(.*\))\s*", re.DOTALL
)
# Numbers with a unit of measure behind each.
MEASURED = re.compile(
    r"\s*[+-]?\d+([.,]\d+)?(\s?(?P<long>[cmk]m|[km]g|lbs?|oz|ft|\u00b0[CF]?|hrs?|hours?|mins?|minutes?"
    r"|sec|seconds?|ms|yrs?|years?|days?|weeks?|months?|ml|[kmg]b|bn|mph|km/?h|[km]?hz|k?cal|[kmhgs])"
    r"|\s(?P<short>[CFKVWAl]|in))\s*",
    re.IGNORECASE,
)
TRUTH = {"true": 1, "false": 0}
# More values than these are not categories, but names.
MOST_CATEGORIES = 100
# Share of values that differ, of this many at least, above which they are names or free text.
MOST_APART, FEWEST_TOLD = 0.8, 10


def as_numbers(column: pd.Series, decimal: str = ".") -> pd.Series | None:
    """A column as numbers, NaN where one is missing; None where it holds something else.

    Numbers, truth values, and words true and false are numbers; so are texts that all are, with
    this mark of decimals.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        return None
    if column.dtype.kind in "fiub":
        missing = column.isna().any()
        wide = bool(missing) or column.dtype.kind == "f"
        return column.astype(float) if wide and not isinstance(column.dtype, np.dtype) else column
    if column.dtype.kind in "mM":
        return None
    values = column.dropna()
    if not len(values):
        return column.astype(float)
    if all(isinstance(one, Number) and not isinstance(one, complex) for one in values):
        return values.astype(float).reindex(column.index)
    words = values.astype(str).str.strip()
    if words.str.lower().isin(TRUTH).all():
        return words.str.lower().map(TRUTH).reindex(column.index).astype(float)
    number = choose_number_pattern(decimal)
    text = values.map(lambda one: isinstance(one, str))
    rest = values[~text].map(lambda one: isinstance(one, Number) and not isinstance(one, complex))
    if rest.all() and all(number.fullmatch(one) for one in values[text]):
        plain = words.where(~text, words.str.replace(decimal, ".", regex=False))
        return pd.to_numeric(plain).reindex(column.index).astype(float)
    return None


def tell_kind(column: pd.Series) -> str:
    """What a column holds that is not a number: dates, durations, text, objects and so on.

    Times of day are ``dates``.
    """
    if column.dtype.kind in "mM":
        return "dates" if column.dtype.kind == "M" else "durations"
    some = list(column.dropna().head(20))
    if not all(isinstance(one, str | Number | np.generic) for one in some):
        return "objects"
    if any(isinstance(one, complex | np.complexfloating) for one in some):
        return "objects"
    values = column.dropna().head(20).astype(str)
    if all(LISTED.fullmatch(one) for one in values):
        return "lists as text"
    measured = [MEASURED.fullmatch(one) for one in values]
    if len({one["long"] or one["short"] for one in measured if one}) == 1 and all(measured):
        return "numbers with a unit"
    return "dates" if all(DATE.fullmatch(one) for one in values) else "text"


def encode_one_hot(column: pd.Series, path: Path) -> pd.DataFrame:
    """A column of 0 and 1 for every value, called ``column=value``; NaN where one is missing.

    Raises:
        DataError: there are too many values.
    """
    text = as_text(column)
    values = sorted(set(text.dropna()))
    refuse_many_values(str(column.name), values, int(text.count()), path)
    return pd.DataFrame(
        {f"{column.name}={value}": mark_value(text, value) for value in values}, index=column.index
    )


def refuse_many_values(
    name: str, values: Sequence[str] | None, n: int, path: Path
) -> Sequence[str]:
    """The same values, if they are few enough for categories.

    Args:
        name: of the column.
        values: each once; None where they are more than :data:`MOST_CATEGORIES`.
        n: how many there are with those that are equal.
        path: what messages call the table.

    Raises:
        DataError: there are too many.
    """
    many = values is None or len(values) > MOST_CATEGORIES
    if values is not None and not many and (n < FEWEST_TOLD or len(values) <= MOST_APART * n):
        return values
    found = f"more than {MOST_CATEGORIES}" if values is None else str(len(values))
    as_one = f", as {values[0][:40]!r}" if values else ""
    raise DataError(
        f"{path} has {found} different values in {n} rows of column {name}{as_one}, too many for "
        "categories: name it by `id` or leave it out by `ignore`"
    )


def as_text(column: pd.Series) -> pd.Series:
    """Values as text, and what is missing as it is; 1.0 is 1, as which it stands beside no gap."""
    return column.astype(object).map(_write, na_action="ignore")


def _write(value: Any) -> str:
    is_whole = isinstance(value, float | np.floating) and float(value).is_integer()
    return str(int(value)) if is_whole else str(value)


def mark_value(text: pd.Series, value: str) -> pd.Series:
    """1 where a text is this one, 0 where it is another, NaN where it is missing."""
    found, missing = (text == value).astype(np.int8), text.isna()
    return found.astype(np.float32).mask(missing) if missing.any() else found


def spread_lists(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Columns that hold lists of numbers, as embeddings, as columns ``name.0`` and so on.

    ``attrs["spread"]`` has the columns that each of them became. Of lists that are all empty there
    is one column, without values.

    Raises:
        DataError: lists of one column differ in length.
    """
    parts: list[pd.DataFrame] = []
    spread: dict[str, list[str]] = {}
    for name in table.columns:
        column = table[name]
        first = column.dropna().head(1)
        if not len(first) or not isinstance(first.iloc[0], list | tuple | np.ndarray):
            parts.append(column.to_frame())
            continue
        missing = column.isna().to_numpy()
        length = len(first.iloc[0])
        if not any(map(_measure_length, column[~missing])):  # nothing but empty lists
            parts.append(pd.Series(np.nan, table.index, name=name).to_frame())
            continue
        odd = [
            i for i, one in enumerate(column) if not missing[i] and _measure_length(one) != length
        ]
        if odd:
            raise DataError(
                f"{path} has lists of {length} numbers in column {name}, but of "
                f"{max(_measure_length(column.iloc[odd[0]]), 0)} in row {odd[0]}: make them as long"
            )
        gap = np.full(length, np.nan)
        values = np.stack([gap if missing[i] else np.asarray(x) for i, x in enumerate(column)])
        if values.ndim > 2 or values.dtype.kind not in "fiub":  # lists of something else
            parts.append(column.to_frame())
            continue
        names = [f"{name}.{i}" for i in range(values.shape[1])]
        parts.append(pd.DataFrame(values, columns=names, index=table.index))
        spread[str(name)] = names
    whole = pd.concat(parts, axis=1) if parts else table.copy()
    whole.attrs |= {**table.attrs, "spread": spread}
    return whole


def _measure_length(one: Any) -> int:
    return len(one) if hasattr(one, "__len__") else -1


def choose_dtype(dtypes: Iterable[np.dtype]) -> type[np.floating]:
    """The floats that hold numbers of these kinds to the last digit: float32, or else float64."""
    narrow = ("bool", "int8", "uint8", "int16", "float16", "float32")
    return np.float32 if all(dtype.name.lower() in narrow for dtype in dtypes) else np.float64
