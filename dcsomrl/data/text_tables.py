"""How a table of text is written: its encoding, separator, decimal mark and header."""

import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, islice, zip_longest
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from dcsomrl.data.comments import find_heading, split_comments
from dcsomrl.data.constant import list_some
from dcsomrl.data.foreign import describe_damage, refuse_foreign
from dcsomrl.data.header_levels import refuse_levels
from dcsomrl.data.large_integers import restore_integers
from dcsomrl.data.notes import note
from dcsomrl.data.padded import find_padded_fields
from dcsomrl.data.row_names import names_rows
from dcsomrl.data.separators import (
    COMMA,
    LOOKED_AT,
    MISSING,
    POINT,
    Separator,
    find_rows,
    find_separator,
    is_numeric,
    read_fields,
)
from dcsomrl.data.text_files import Text, find_encoding, refuse_formats
from dcsomrl.data.thousands import find_pointed
from dcsomrl.errors import DataError

log = logging.getLogger(__name__)

SUFFIXES = (".csv", ".tsv", ".tab", ".txt", ".data")
Decimal = Literal["auto", "point", "comma"]
# What is not part of a name though it is not seen, as marks of a text's beginning.
BLANK = " \t\r\n\u00a0\u200b\ufeff\u2060"
# A comma before three digits may as well set thousands apart.
THOUSANDS = re.compile(r"\s*[+-]?[0-9]{1,3},[0-9]{3}\s*")


@dataclass(frozen=True)
class Writing:
    """How a table of text is written; ``auto`` and None are told from the file.

    Attributes:
        separator: between fields: ``comma``, ``semicolon``, ``tab``, ``bar``, ``space``, ``auto``.
        decimal: mark of decimals: ``point``, ``comma``, ``auto``.
        encoding: such as ``utf-8`` or ``cp1252``.
        header: whether the first line names the columns.
        skip_lines: lines above the table, such as a title.
    """

    separator: Separator = "auto"
    decimal: Decimal = "auto"
    encoding: str | None = None
    header: bool | None = None
    skip_lines: int = 0


def read_text_table(
    path: Path, writing: Writing, notes: list[str], verbatim: Sequence[str] = ()
) -> pd.DataFrame:
    """A table of text, with the names of its header.

    Its ``attrs`` have ``lines``, that of every row, ``decimal``, the mark, and ``written``, the
    values of columns that may name the rows as they stand.

    Args:
        path: the file, which may be packed by gzip.
        writing: how it is written.
        notes: gets a sentence on everything that was guessed.
        verbatim: columns that stay text as it stands, so that a label NA is not a missing value.

    Raises:
        DataError: it is not plainly a table, or can be read in more than one way.
    """
    refuse_foreign(path)
    text = _find_text(path, writing, notes)
    refuse_formats(text)
    text, comments = split_comments(text)
    separator, text = find_separator(text, writing.separator, notes)
    rows = read_fields(text, separator)
    first = next(rows, (1, []))
    if not first[1]:
        raise DataError(f"{path} is empty: give it a line of names and a line for each sample")
    head = [first, *islice(rows, LOOKED_AT)]
    columns = list(zip_longest(*(row for _, row in head), fillvalue=""))
    decimal = _find_decimal(path, columns, writing.decimal)
    heading = None
    if comments and writing.header is not False:
        heading = find_heading(text, comments, separator, first[1], notes)
    header = heading is None and _has_header(path, columns, decimal, writing.header, notes)
    if header:
        refuse_levels(head, path)
    named = heading or (first[1] if header else None)
    names = name_columns(named, len(first[1]), path)
    lines, blank, trailing = find_rows(text, separator, header)
    names += [f"Unnamed: {len(names)}"] * trailing
    form: dict[str, Any] = {
        "sep": r"\s+" if separator == " " else separator,
        "decimal": decimal,
        "header": 0 if header else None,
        "names": names,
        "index_col": False,
        "keep_default_na": False,
        "skipinitialspace": True,
        "low_memory": False,
    }
    missing = {name: list(MISSING) for name in names if name not in verbatim}
    rowlike = [name for name in names if names_rows(name) and name not in verbatim]

    def reread(columns: Sequence[str]) -> pd.DataFrame:
        """Columns as they stand."""
        with text.open() as file:
            return pd.read_csv(file, dtype=str, usecols=list(columns), **form)

    try:
        with text.open() as file:
            table = pd.read_csv(file, dtype=dict.fromkeys(verbatim, str), na_values=missing, **form)
        table = restore_integers(table, reread)
        written = reread(rowlike) if rowlike else table[[]]
        unsure = writing.decimal == "auto" and decimal == "."
        pointed = find_pointed(table, reread, separator == ";") if unsure else None
        zeros = find_padded_fields(text, form, table, verbatim)
    except Exception as error:  # the reader raises kinds of its own for a damaged file
        raise DataError(describe_damage(path, error)) from error
    if pointed is not None:
        note(
            notes,
            f"{path} holds {pointed!r}, whose point is read as a decimal sign: set `decimal=point` "
            "if it is one, and save it without if it sets thousands apart",
        )
    known = len(lines) == len(table)
    padded = {
        name: f"{one.strip()!r} in line {lines[place]}" if known else repr(one.strip())
        for name, (place, one) in zeros.items()
    }
    if known and blank:
        some = list_some([f"line {lines[place]}" for place in blank])
        note(notes, f"{path}: {len(blank)} rows without any value are left out: {some}")
        table = table.drop(index=blank).reset_index(drop=True)
        written = written.drop(index=blank)
        left_out = set(blank)
        lines = [line for place, line in enumerate(lines) if place not in left_out]
    table.attrs |= {
        "padded": padded,
        "lines": lines if known else None,
        "decimal": decimal,
        "written": {name: written[name].tolist() for name in rowlike},
    }
    return table


def choose_number_pattern(decimal: str) -> re.Pattern[str]:
    """What a number looks like with this mark of decimals."""
    return COMMA if decimal == "," else POINT


def name_kind(path: Path) -> str:
    """The ending of a name in small letters, without that of gzip."""
    name = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    return name.suffix.lower()


def _find_text(path: Path, writing: Writing, notes: list[str]) -> Text:
    return Text(path, find_encoding(path, writing.encoding, notes), writing.skip_lines)


def _find_decimal(
    path: Path,
    columns: Sequence[Sequence[str]],
    given: Decimal,
) -> str:
    """The mark of decimals: a comma where numbers cannot be read otherwise.

    Raises:
        DataError: another one is given, or it may as well set thousands apart.
    """
    if given not in ("auto", "point", "comma"):
        raise DataError(f"`decimal` must be auto, point or comma, got {given}")
    if given != "auto":
        return "," if given == "comma" else "."
    numbers = [
        [one for one in column[1:] if "," in one]
        for column in columns
        if is_numeric(column[1:]) and any("," in one for one in column[1:])
    ]
    if not numbers:
        return "."
    if all(THOUSANDS.fullmatch(one) for column in numbers for one in column):
        raise DataError(
            f"{path} holds {numbers[0][0]!r}, whose comma may mark decimals or thousands: set "
            "`decimal=comma`, or save it without marks of thousands"
        )
    log.info("%s: numbers have decimal commas", path)
    return ","


def _has_header(
    path: Path,
    columns: Sequence[Sequence[str]],
    decimal: str,
    given: bool | None,
    notes: list[str],
) -> bool:
    """Whether the first line names the columns.

    Raises:
        DataError: it holds whole numbers, which may be names or values.
    """
    if given is not None:
        return given
    number = choose_number_pattern(decimal)
    first = [column[0].strip() for column in columns]
    numbers = [one for one in first if number.fullmatch(one)]
    if not numbers:
        return True
    if numbers == [str(i) for i in range(len(numbers))]:  # as pandas numbers columns
        note(
            notes,
            f"{path}: the first line counts from 0 and is read as names of the columns; set "
            "`header=false` if it is a sample",
        )
        return True
    over_numbers = [
        bool(number.fullmatch(column[0])) for column in columns if is_numeric(column[1:])
    ]
    fractions = [one for one in numbers if not one.isdigit()]
    if all(over_numbers) and (fractions or len(set(numbers)) < len(numbers)):
        note(
            notes,
            f"{path} begins with a line of numbers: it is read as a sample, and columns are named "
            "column_1 and so on; set `header=true` if it names the columns",
        )
        return False
    raise DataError(
        f"{path} has numbers in the place of column names ({list_some(numbers)}): set "
        "`header=true` if they are names, `header=false` if they are values, or `skip_lines` if "
        "they stand above the table"
    )


def name_columns(first: Sequence[str] | None, n: int, path: Path) -> list[str]:
    """Names of columns; those without one are called ``Unnamed: 0`` and so on.

    Raises:
        DataError: a name stands twice.
    """
    if first is None:
        return [f"column_{i + 1}" for i in range(n)]
    free = (name for i in count(n + 1) if (name := f"Unnamed: {i}") not in first)
    unnamed = [f"Unnamed: {i}" for i in range(n)]
    names = [
        one.strip(BLANK) or (name if name not in first else next(free))
        for one, name in zip(first, unnamed, strict=True)
    ]
    check_names(names, path)
    return names


def check_names(names: Sequence[str], path: Path) -> None:
    """Refuse names of columns of which one stands twice.

    Raises:
        DataError: there is such a name.
    """
    if len(set(names)) == len(names):
        return
    twice = sorted(name for name, n in Counter(names).items() if n > 1)
    raise DataError(
        f"{path} has several columns of one name ({list_some(twice)}): give each its own"
    )
