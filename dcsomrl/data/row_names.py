"""Columns that name or number the rows of a table, and so are not features."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from dcsomrl.data.constant import list_some
from dcsomrl.data.notes import note
from dcsomrl.data.roles import Roles
from dcsomrl.data.written_numbers import find_dates
from dcsomrl.errors import DataError

# What a column without a name is called.
NAMELESS = re.compile(r"\s*|Unnamed: \d+")
# What rows stand for, by which an index counts them and an id in small letters is no other word.
ROWS = (
    r"rows?|samples?|records?|items?|cases?|obs|observations?|subjects?|objects?|images?|examples?"
    r"|users?|customers?|clients?|patients?|passengers?|persons?|members?|students?|employees?"
    r"|accounts?|orders?|products?|transactions?|sessions?|tracks?|genes?|cells?|df|data|original"
)
# What measures are called that are not names of rows: a refractive index, the body's mass index.
MEASURE = re.compile(
    rf"(?!(.*[_ .-])?({ROWS})[_ .-](idx|index)$).+[_ .-](idx|index)", re.IGNORECASE
)
# What columns are called that number or name the rows: by words, in capitals as in CustomerId, or
# in front as in id_customer.
NAMES_ROWS = re.compile(
    rf"(?i:(.*[_ .-])?(id|idx|index|uuid|guid|row_?names?|({ROWS})(id|idx|index))[_ .-]?(no|nr)?"
    rf"[.]?|id[_ .-].*|#|(({ROWS})|s|sr|serial)[_ .-]?(no|nr|num|number)[.]?|.+nummer)"
    r"|.*[a-z0-9](Id|ID|Idx|Index|Uuid|UUID|Guid|GUID)|[iI]d[A-Z].*"
)


class Values(NamedTuple):
    """What tells whether the values of a column name the rows.

    Attributes:
        complete: whether none is missing.
        differ: whether none is missing and all differ.
        fractions: whether some are fractions.
    """

    complete: bool
    differ: bool
    fractions: bool


def look_at_values(column: pd.Series, written: Sequence[str] | None = None) -> Values:
    """The same of a column (n,) in memory.

    Args:
        column: its values.
        written: as they stand in a file of text, where 01 is not 1.
    """
    complete = bool(column.notna().all())
    differ = complete and pd.Index(column if written is None else written).is_unique
    fractions = column.dtype.kind == "f" and bool((column.dropna() % 1).any())
    return Values(complete, differ, fractions)


def find_ids(
    names: Sequence[str],
    taken: Collection[str | None],
    look: Callable[[str], Values],
    path: Path,
    notes: list[str],
) -> list[str]:
    """Columns without another role whose names say that they name the rows, and whose values do.

    Args:
        names: of all columns.
        taken: columns that have another role.
        look: gives what the values of a column say.
        path: what messages call the table.
        notes: gets a sentence on columns that were taken, or that are only called so.
    """
    found: list[str] = []
    for name in names:
        if name in taken or not names_rows(name):
            continue
        complete, differ, fractions = look(name)
        remedy = f"set `id={name}` or `ignore=[{name}]`"
        if MEASURE.fullmatch(name):
            if differ:
                what = "fractions" if fractions else "values that all differ"
                note(
                    notes,
                    f"{path}: column {name} holds {what} and is taken as a feature; if it names "
                    f"the rows, {remedy}",
                )
        elif not differ:
            why = "the same value twice" if complete else "missing values"
            note(
                notes,
                f"{path}: column {name} is called as what names rows, but has {why}, and is taken "
                f"as a feature; if it names them, {remedy}",
            )
        else:
            said = "names the rows, too, and is left out" if found else "names the rows"
            note(
                notes,
                f"{path}: column {name} {said} and is not a feature; set `columns` to use it",
            )
            found.append(str(name))
    return found


def names_rows(name: str) -> bool:
    """Whether a column is called as what numbers or names rows."""
    return NAMES_ROWS.fullmatch(name) is not None


def settle_index(
    index: Sequence[str],
    roles: Roles,
    look: Callable[[str], Values],
    path: Path,
    notes: list[str],
) -> Roles:
    """The roles with the index of a data frame: of the rows' names, or ignored.

    One column whose values differ names the rows; several, or one with equal values, do not.

    Args:
        index: the columns that are the index and have no role.
        roles: of the others.
        look: gives what the values of a column say.
        path: what messages call the table.
        notes: gets a sentence on what becomes of it.
    """
    if not index:
        return roles
    if len(index) == 1 and roles.id is None and look(index[0]).differ:
        note(
            notes,
            f"{path}: {index[0]}, the index, names the rows and is not a feature; set `columns` to "
            "have it as one",
        )
        return replace(roles, id=index[0])
    note(
        notes,
        f"{path}: the index ({list_some(list(index))}) is left out; set `columns` to use it as "
        "features",
    )
    return replace(roles, ignore=(*roles.ignore, *index))


def find_nameless(
    table: pd.DataFrame, known: Sequence[str | None], path: Path, notes: list[str]
) -> list[str]:
    """Columns without a name that are left out: an index in front, and empty ones.

    Args:
        table: with a name for every column.
        known: columns that have a role, whatever they are called.
        path: what messages call the table.
        notes: gets a sentence on every column that is left out.

    Raises:
        DataError: another column has no name.
    """
    left_out: list[str] = []
    for place, name in enumerate(table.columns.tolist()):
        if name in known or not NAMELESS.fullmatch(name):
            continue
        column = table[name]
        in_front = len(left_out) == place  # an index that was saved twice has two columns
        is_index = in_front and column.is_unique and column.dtype.kind not in "fb"
        if not is_index and not column.isna().all():
            raise DataError(
                f"{path} has a column without a name, column {place + 1}: name or remove it, or "
                "set `skip_lines` where titles stand above the names"
            )
        left_out.append(name)
        what = "is empty" if column.isna().all() else "numbers the rows"
        note(notes, f"{path}: column {place + 1}, which has no name and {what}, is left out")
    return left_out


def warn_of_counting(table: pd.DataFrame, path: Path, notes: list[str]) -> None:
    """Note columns (n, columns) of features that count the rows, or rise as numbers of cases do."""
    for name in table.columns.tolist():
        column = table[name]
        whole = column.dtype.kind in "iu" and column.notna().all()
        rises = whole and column.is_monotonic_increasing and column.is_unique
        if len(column) > 10 and rises and find_dates(column.to_numpy(float)) is None:
            counts = bool((column.diff().iloc[1:] == 1).all())
            say_counting(name, counts, path, notes)


def say_counting(name: str, counts: bool, path: str | Path, notes: list[str]) -> None:
    """Note a feature that counts the rows, or rises from each to the next.

    Args:
        name: of its column.
        counts: whether it does the former.
        path: what messages call the table.
        notes: gets a sentence.
    """
    does = "counts the rows" if counts else "rises from row to row, as numbers and times do,"
    note(
        notes,
        f"{path}: column {name} {does} and is taken as a feature; if it is an index, set "
        f"`id={name}` or `ignore=[{name}]`",
    )
