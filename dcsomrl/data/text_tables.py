"""How a table of text is written: its encoding, separator, decimal mark and header."""

import csv
import gzip
import io
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, zip_longest
from pathlib import Path
from typing import IO, Literal

import pandas as pd

from dcsomrl.data.constant import list_some
from dcsomrl.errors import DataError

log = logging.getLogger(__name__)

SUFFIXES = (".csv", ".tsv", ".tab", ".txt", ".data")
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|", "space": " "}
Separator = Literal["auto", "comma", "semicolon", "tab", "bar", "space"]
Decimal = Literal["auto", "point", "comma"]
# What stands for a value that is missing; in a column of labels only nothing at all does.
MISSING = ("", "NA", "N/A", "n/a", "<NA>", "#N/A", "NaN", "nan", "NAN", "NULL", "null", "None", "?")
# Of the digits 0 to 9 alone: those of other scripts are text.
POINT = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*")
COMMA = re.compile(r"\s*[+-]?([0-9]+,?[0-9]*|,[0-9]+)([eE][+-]?[0-9]+)?\s*")
# A comma before three digits may as well set thousands apart.
THOUSANDS = re.compile(r"\s*[+-]?[0-9]{1,3},[0-9]{3}\s*")
# What spreadsheets write above a table to say how it is separated.
SEPARATOR_LINE = re.compile(r"sep=(.)\s*")
# Rows by which the way of writing is told.
LOOKED_AT = 1000
# What no text holds.
BINARY = re.compile(r"[\x00-\x08\x0e-\x1f]")


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


@dataclass(frozen=True)
class Text:
    """A file that is known to be text.

    Attributes:
        path: the file, which may be packed by gzip.
        encoding: in which it can be read.
        skipped: lines above the table.
    """

    path: Path
    encoding: str
    skipped: int = 0

    def open(self) -> IO[str]:
        """The file from the table's first line on."""
        file = _opened(self.path, self.encoding)
        for _ in range(self.skipped):
            file.readline()
        return file


def read_text_table(
    path: Path, writing: Writing, notes: list[str], verbatim: Sequence[str] = ()
) -> pd.DataFrame:
    """A table of text, with the names of its header.

    Its ``attrs`` have ``lines``, that of every row, and ``decimal``, the mark.

    Args:
        path: the file, which may be packed by gzip.
        writing: how it is written.
        notes: gets a sentence on everything that was guessed.
        verbatim: columns that stay text as it stands, so that a label NA is no missing value.

    Raises:
        DataError: it is not plainly a table, or can be read in more than one way.
    """
    text = _text(path, writing, notes)
    separator, text = _separator(text, writing, notes)
    rows = _fields(text, separator)
    first = next(rows, (1, []))
    if not first[1]:
        raise DataError(f"{path} is empty: give it a line of names and a line for each sample")
    head = [first, *islice(rows, LOOKED_AT)]
    columns = list(zip_longest(*(row for _, row in head), fillvalue=""))
    decimal = _decimal(path, columns, writing.decimal)
    header = _has_header(path, columns, decimal, writing.header, notes)
    names = name_columns(first[1] if header else None, len(first[1]), path)
    lines, trailing = _lines(text, separator, header)
    names += [f"Unnamed: {len(names)}"] * trailing
    try:
        with text.open() as file:
            table = pd.read_csv(
                file,
                sep=r"\s+" if separator == " " else separator,
                decimal=decimal,
                header=0 if header else None,
                names=names,
                index_col=False,
                dtype=dict.fromkeys(verbatim, str),
                na_values={name: list(MISSING) for name in names if name not in verbatim},
                keep_default_na=False,
                skipinitialspace=True,
                low_memory=False,
            )
    except Exception as error:  # the reader raises kinds of its own for a damaged file
        raise DataError(
            f"{path} cannot be read ({error}): it is damaged or not what its name says"
        ) from error
    table.attrs |= {"lines": lines if len(lines) == len(table) else None, "decimal": decimal}
    return table


def number_with(decimal: str) -> re.Pattern[str]:
    """What a number looks like with this mark of decimals."""
    return COMMA if decimal == "," else POINT


def is_packed(path: Path) -> bool:
    """Whether a file is packed by gzip, whatever its name says."""
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def kind_of(path: Path) -> str:
    """The ending of a name in small letters, without that of gzip."""
    name = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    return name.suffix.lower()


def _opened(path: Path, encoding: str) -> IO[str]:
    if is_packed(path):
        return io.TextIOWrapper(gzip.open(path), encoding=encoding, newline="")
    return path.open(encoding=encoding, newline="")


def _text(path: Path, writing: Writing, notes: list[str]) -> Text:
    if not isinstance(writing.skip_lines, int) or writing.skip_lines < 0:
        raise DataError(
            f"`skip_lines` must be an integer of at least 0, got {writing.skip_lines}: give the "
            "number of lines above the table"
        )
    return Text(path, _encoding(path, writing.encoding, notes), writing.skip_lines)


def _encoding(path: Path, given: str | None, notes: list[str]) -> str:
    """The encoding that a file can be read in.

    Raises:
        DataError: there is none, or it holds what no text does.
    """
    try:
        with gzip.open(path) if is_packed(path) else path.open("rb") as file:
            start = file.read(2)
    except (OSError, EOFError) as error:
        raise DataError(f"{path} cannot be read ({error}): it is damaged") from error
    marked = "utf-16" if start in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    tried = [given] if given else [marked, *(["cp1252"] if marked == "utf-8-sig" else [])]
    for encoding in tried:
        try:
            with _opened(path, encoding) as file:
                for part in iter(lambda: file.read(1 << 20), ""):
                    if found := BINARY.search(part):
                        raise DataError(
                            f"{path} holds {found.group()!r}, which no text does: it is damaged "
                            "or not what its name says"
                        )
        except (UnicodeError, LookupError):
            continue
        except (OSError, EOFError) as error:
            raise DataError(f"{path} cannot be read ({error}): it is damaged") from error
        if encoding == "cp1252" and not given:
            note(notes, f"{path} is not UTF-8: it is read as Windows-1252; set `encoding`")
        return encoding
    raise DataError(
        f"{path} cannot be read as {' or '.join(tried)}: set `encoding` to what it was written in"
    )


def _fields(text: Text, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Line and fields of every row that is not blank."""
    with text.open() as file:
        if separator == " ":
            yield from (
                (line, row.split())
                for line, row in enumerate(file, start=1 + text.skipped)
                if row.strip()
            )
            return
        reader = csv.reader(file, delimiter=separator, skipinitialspace=True)
        try:
            for row in reader:
                if row:
                    yield reader.line_num + text.skipped, row
        except csv.Error as error:
            line = reader.line_num + text.skipped
            raise DataError(f"{text.path}, line {line}: {error}; mend it") from error


def _separator(text: Text, writing: Writing, notes: list[str]) -> tuple[str, Text]:
    """The separator, and the text without a line that does nothing but name it."""
    with text.open() as file:
        named = SEPARATOR_LINE.fullmatch(file.readline())
    if named is None or named.group(1) not in SEPARATORS.values():
        return _tell_separator(text, writing), text
    note(notes, f"{text.path}: the first line names the separator and is no row: {named.group(1)}")
    text = replace(text, skipped=text.skipped + 1)
    return (named.group(1) if writing.separator == "auto" else _tell_separator(text, writing)), text


def _tell_separator(text: Text, writing: Writing) -> str:
    """The separator that gives every row the fields of the first.

    Raises:
        DataError: none does, or several do, and the fields do not tell which is meant.
    """
    if writing.separator != "auto":
        if writing.separator not in SEPARATORS:
            raise DataError(
                f"`separator` must be auto or one of {', '.join(SEPARATORS)}, got "
                f"{writing.separator}"
            )
        return SEPARATORS[writing.separator]
    fit: dict[str, int] = {}
    for separator in SEPARATORS.values():
        if separator == " " and fit:
            break  # names and texts hold spaces, too
        rows = [row for _, row in islice(_fields(text, separator), LOOKED_AT)]
        if rows and len(rows[0]) > 1 and _odd_row(rows) is None:
            columns = zip_longest(*rows[1:], fillvalue="")
            fit[separator] = sum(_is_numeric(column) for column in columns)
    best = [separator for separator, numeric in fit.items() if numeric == max(fit.values())]
    if len(best) > 1:
        named = " or ".join(name for name, mark in SEPARATORS.items() if mark in best)
        raise DataError(
            f"{text.path} can be read with a {named} between its fields: set `separator` to the "
            "one that is meant"
        )
    if best:
        return best[0]
    return ","  # one column, or rows that are refused by their line


def _is_numeric(column: Sequence[str]) -> bool:
    """Whether all fields that are there are numbers, with whichever decimals."""
    given = [field for field in column if field.strip() not in MISSING]
    return bool(given) and all(POINT.fullmatch(one) or COMMA.fullmatch(one) for one in given)


def _decimal(path: Path, columns: Sequence[Sequence[str]], given: Decimal) -> str:
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
        if _is_numeric(column[1:]) and any("," in one for one in column[1:])
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
    number = number_with(decimal)
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
        bool(number.fullmatch(column[0])) for column in columns if _is_numeric(column[1:])
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
    """Names of columns; those without one are called ``Unnamed: 0`` and so on, by their place.

    Raises:
        DataError: a name stands twice.
    """
    if first is None:
        return [f"column_{i + 1}" for i in range(n)]
    names = [one.strip() or f"Unnamed: {i}" for i, one in enumerate(first)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(
            f"{path} has several columns of one name ({list_some(twice)}): give each its own"
        )
    return names


def _odd_row(rows: Sequence[Sequence[str]]) -> int | None:
    """The first row of another length than the first, but for an empty field at every row's end."""
    width = len(rows[0])
    if len(rows) > 1 and all(len(row) == width + 1 and not row[-1].strip() for row in rows[1:]):
        return None
    return next((i for i, row in enumerate(rows) if len(row) != width), None)


def _lines(text: Text, separator: str, header: bool) -> tuple[list[int], bool]:
    """Line of every row, and whether all rows but the first end with one more, empty field.

    Raises:
        DataError: a row has more or fewer fields than the first.
    """
    lines, widths, blank = [], [], True
    for line, row in _fields(text, separator):
        lines.append(line)
        widths.append(len(row))
        blank = blank and (len(lines) == 1 or not row[-1].strip())
    trailing = blank and len(widths) > 1 and set(widths[1:]) == {widths[0] + 1}
    odd = next((i for i, width in enumerate(widths) if width != widths[0]), None)
    if odd is not None and not trailing:
        name = next(name for name, mark in SEPARATORS.items() if mark == separator)
        raise DataError(
            f"{text.path} has {widths[0]} fields in line {lines[0]} but {widths[odd]} in line "
            f"{lines[odd]}, with a {name} between them: give every line as many, put what holds "
            "the separator in quotes, set `separator`, or `skip_lines` where a title stands above "
            "the table"
        )
    return (lines[1:] if header else lines), trailing


def note(notes: list[str], sentence: str) -> None:
    """Say what was guessed or left out in the log, and keep it for the summary of a run."""
    log.warning(sentence)
    notes.append(sentence)
