"""Columns that name or number the rows of a table, and so are no features."""

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import pandas as pd

from dcsomrl.data.notes import note
from dcsomrl.errors import DataError

# What a column without a name is called.
NAMELESS = re.compile(r"\s*|Unnamed: \d+")
# What measures are called that are no names of rows: a refractive index.
MEASURE = re.compile(r".+[_ .-](idx|index)", re.IGNORECASE)
# How names of columns end that number or name the rows.
NAMES_ROWS = re.compile(r"(.*[_ .-])?(id|idx|index|uuid|guid|rowid|rownames)", re.IGNORECASE)


def find_id(
    table: pd.DataFrame,
    taken: Collection[str | None],
    path: Path,
    notes: list[str],
    written: Mapping[str, Sequence[str]],
) -> str | None:
    """A column without another role whose name says that it names the rows, and whose values do.

    Args:
        table: with a name for every column.
        taken: columns that have another role.
        path: what messages call the table.
        notes: gets a sentence on a column that was taken, or that is only called so.
        written: values of such columns as they stand in a file of text, where 01 is not 1.
    """
    for name in table.columns.tolist():
        if name in taken or not names_rows(name):
            continue
        column = table[name]
        differ = column.notna().all() and pd.Index(written.get(name, column)).is_unique
        if MEASURE.fullmatch(name) and _has_fractions(column):
            if differ:
                note(
                    notes,
                    f"{path}: column {name} holds fractions and is taken as a feature; if it names "
                    f"the rows, set `id={name}` or `ignore=[{name}]`",
                )
            continue
        if differ:
            note(
                notes,
                f"{path}: column {name} names the rows and is no feature; set `columns` to have it "
                "as one",
            )
            return str(name)
        note(
            notes,
            f"{path}: column {name} is called as what names rows, but has "
            f"{'the same value twice' if column.notna().all() else 'missing values'}, and is taken "
            f"as a feature; if it names them, set `id={name}` or `ignore=[{name}]`",
        )
    return None


def names_rows(name: str) -> bool:
    """Whether a column is called as what numbers or names rows."""
    return NAMES_ROWS.fullmatch(name) is not None


def _has_fractions(column: pd.Series) -> bool:
    return column.dtype.kind == "f" and bool((column.dropna() % 1).any())


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
    left_out = []
    for place, name in enumerate(table.columns.tolist()):
        if name in known or not NAMELESS.fullmatch(name):
            continue
        column = table[name]
        is_index = place == 0 and column.is_unique and column.dtype.kind not in "fb"
        if not is_index and not column.isna().all():
            raise DataError(
                f"{path} has a column without a name, column {place + 1}: name or remove it"
            )
        left_out.append(name)
        what = "is empty" if column.isna().all() else "numbers the rows"
        note(notes, f"{path}: column {place + 1}, which has no name and {what}, is left out")
    return left_out


def warn_of_counting(table: pd.DataFrame, path: Path, notes: list[str]) -> None:
    """Note columns (n, columns) of features that count the rows, as an index does."""
    for name in table.columns.tolist():
        column = table[name]
        whole = column.dtype.kind in "iu" and column.notna().all()
        if len(column) > 10 and whole and (column.diff().iloc[1:] == 1).all():
            note(
                notes,
                f"{path}: column {name} counts the rows and is taken as a feature; if it is an "
                f"index, set `id={name}` or `ignore=[{name}]`",
            )
