"""Whole numbers that are written as such and mean something else: dates, and codes as of places."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcsomrl.data.constant import SHOWN, list_some
from dcsomrl.data.notes import note

# Years that dates are of, and values that differ, at least, which tell them from other numbers.
YEARS, FEWEST = (1900, 2100), 3
LARGEST = 10**14  # beyond dates with hours, minutes and seconds
# What columns of dates and times are called, whose numbers may count days or seconds.
TIMES = re.compile(
    r"(.*[_ .-])?(date|date_?time|time_?stamp|unix_?time|epoch_?(time|s|ms)|created_at|updated_at)"
    r"|.*[a-z](Date|DateTime|Time[sS]tamp)",
    re.IGNORECASE,
)
# What such count from on: days as of spreadsheets, or seconds.
COUNTED = 10_000
# What columns of times may be called that may be of something else, too, and seconds of 2000 and
# 2040, which are also counted in thousandths and so on.
SHORT_TIMES = re.compile(r"(.*[_ .-])?(time|ts|t|seen|at)", re.IGNORECASE)
SECONDS = 946_684_800, 2_208_988_800
# What columns are called whose numbers are names of something.
CODES = re.compile(
    r"(.*[_ .-])?(zip|zip_?code|post(al)?_?code|plz|(tele|mobile_?)?phone([_ ]?(no|number))?|mobile"
    r"|fips|ssn|isbn|ean|upc|bar_?code|iban|area_?code|cod[ei]go|code)",
    re.IGNORECASE,
)


def warn_of_dates(
    x: NDArray[Any], names: Sequence[str], named: bool, path: str | Path, notes: list[str]
) -> None:
    """Note columns of numbers that are dates, as 20240131.

    Args:
        x: (n, features), NaN where a value is missing.
        names: of the features.
        named: whether these are words, which may say that numbers count days or seconds.
        path: what messages call the table.
        notes: gets a sentence on such columns.
    """
    found: dict[str, list[str]] = {}
    for name, column in zip(names, x.T, strict=True):
        what = find_dates(column)
        called = TIMES.fullmatch(name) or (SHORT_TIMES.fullmatch(name) and _are_stamps(column))
        if what is None and named and called and _is_counted(column):
            what = "are called as dates and times"
        if what is not None:
            found.setdefault(what, []).append(name)
    for what, columns in found.items():
        ignored = f" by `ignore=[{','.join(columns[:SHOWN])}]`" if named else ""
        note(
            notes,
            f"{path}: the whole numbers of column {list_some(columns)} {what} and are taken as "
            "plain numbers: make them days since the first, or parts as month and hour, or leave "
            f"them out{ignored}",
        )


def find_dates(column: NDArray[Any]) -> str | None:
    """How numbers (n,), NaN where one is missing, write dates, in words; None where they do not."""
    if column.dtype == bool or not len(column) or not _may_be_dates(column[:1]):
        return None
    values = column[~np.isnan(column)]
    if not values.size or not (abs(values) < LARGEST).all():
        return None
    low, high = (int(end) for end in (values.min(), values.max()))
    width = len(str(high))
    whole = values.astype(np.int64)
    if low <= 0 or (whole != values).any() or len(np.unique(whole)) < FEWEST:
        return None
    way = None
    if width == 6 and _are_days(whole // 100, whole % 100):
        way = "yyyymm"
    elif len(str(low)) == width and width in (8, 10, 12, 14):
        day, time = np.divmod(whole, 10 ** (width - 8))
        clock = [time // 100**i % 100 for i in reversed(range((width - 8) // 2))]
        within = all((part < most).all() for part, most in zip(clock, (24, 60, 60), strict=False))
        if within and _are_days(day // 10000, day // 100 % 100, day % 100):
            way = "yyyymmdd" + "hhmmss"[: width - 8]
    if way is None and width in (7, 8) and low >= 10**6:
        first, second, year = whole // 10**6, whole // 10**4 % 100, whole % 10**4
        ways = {"ddmmyyyy": (second, first), "mmddyyyy": (first, second)}
        way = next((way for way, parts in ways.items() if _are_days(year, *parts)), None)
    return None if way is None else f"are dates, as {whole[0]} ({way}),"


def _may_be_dates(values: NDArray[Any]) -> bool:
    """Whether the first number is one, or missing: a look that spares the others."""
    first = float(values[0])
    return np.isnan(first) or (10**5 < first < LARGEST and first == int(first))


def _are_days(year: NDArray[Any], month: NDArray[Any], day: NDArray[Any] | int = 1) -> bool:
    parts = ((year, *YEARS), (month, 1, 12), (day, 1, 31))
    return all(bool(np.all((part >= low) & (part <= high))) for part, low, high in parts)


def _are_stamps(column: NDArray[Any]) -> bool:
    """Whether all numbers (n,) that are there lie among seconds since 1970, or parts of such."""
    values = column[~np.isnan(column)]
    low, high = SECONDS
    parts = (1, 10**3, 10**6, 10**9)
    return bool(values.size) and any(
        low * part <= values.min() <= values.max() <= high * part for part in parts
    )


def _is_counted(column: NDArray[Any]) -> bool:
    """Whether all numbers (n,) that are there are whole and as large as counts of days."""
    values = column[~np.isnan(column)]
    return bool(values.size) and bool(((values % 1 == 0) & (values >= COUNTED)).all())


def warn_of_named_codes(
    x: NDArray[Any],
    names: Sequence[str],
    padded: dict[str, str],
    path: str | Path,
    notes: list[str],
) -> None:
    """Note columns of whole numbers that are called as codes, or written with zeros in front.

    Args:
        x: (n, features), NaN where a value is missing.
        names: of the features.
        padded: such a number, and where it stands, in words, by the name of its column.
        path: what messages call the table.
        notes: gets a sentence on every such column.
    """
    for name, column in zip(names, x.T, strict=True):
        if name not in padded and not (CODES.fullmatch(name) and _differ(column)):
            continue
        what = (
            f"holds numbers with zeros in front ({padded[name]}), as codes have,"
            if name in padded
            else "is called as codes are, as of places,"
        )
        note(
            notes,
            f"{path}: column {name} {what} and is taken as plain numbers; if it holds codes, set "
            f"`ignore=[{name}]`, or write a letter before each and set `categories=onehot`",
        )


def _differ(column: NDArray[Any]) -> bool:
    """Whether numbers (n,) are whole and more than two."""
    values = column[~np.isnan(column)]
    return bool((values % 1 == 0).all()) and len(np.unique(values)) >= FEWEST
