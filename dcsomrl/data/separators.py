"""What stands between the fields of a table of text, and the fields of every row."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice, zip_longest
from typing import Literal, NamedTuple

from dcsomrl.data.notes import note
from dcsomrl.data.text_files import Text
from dcsomrl.errors import DataError

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|", "space": " "}
Separator = Literal["auto", "comma", "semicolon", "tab", "bar", "space"]
# What stands for a value that is missing; in a column of labels only nothing at all does.
MISSING = ("", "NA", "N/A", "n/a", "<NA>", "#N/A", "NaN", "nan", "NAN", "NULL", "null", "None", "?")
# Of the digits 0 to 9 alone: those of other scripts are text.
POINT = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*")
COMMA = re.compile(r"\s*[+-]?([0-9]+,?[0-9]*|,[0-9]+)([eE][+-]?[0-9]+)?\s*")
# What spreadsheets write above a table to say how it is separated.
SEPARATOR_LINE = re.compile(r"sep=(.)\s*")
# Rows by which the way of writing is told.
LOOKED_AT = 1000


def read_fields(text: Text, separator: str) -> Iterator[tuple[int, list[str]]]:
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
            raise DataError(f"{text.path}, line {line}: {error}; fix it") from error


def find_separator(text: Text, given: Separator, notes: list[str]) -> tuple[str, Text]:
    """The separator, and the text without a line that does nothing but name it."""
    with text.open() as file:
        named = SEPARATOR_LINE.fullmatch(file.readline())
    if named is None or named.group(1) not in SEPARATORS.values():
        return _tell_separator(text, given), text
    note(
        notes, f"{text.path}: the first line names the separator and is not a row: {named.group(1)}"
    )
    text = replace(text, skipped=text.skipped + 1)
    return (named.group(1) if given == "auto" else _tell_separator(text, given)), text


def _tell_separator(text: Text, given: Separator) -> str:
    """The separator that gives every row the fields of the first.

    Raises:
        DataError: none does, or several do, and the fields do not tell which is meant.
    """
    if given != "auto":
        if given not in SEPARATORS:
            raise DataError(
                f"`separator` must be auto or one of {', '.join(SEPARATORS)}, got {given}"
            )
        return SEPARATORS[given]
    fit: dict[str, int] = {}
    for separator in SEPARATORS.values():
        if separator == " " and fit:
            break  # names and texts hold spaces, too
        rows = [row for _, row in islice(read_fields(text, separator), LOOKED_AT)]
        if rows and len(rows[0]) > 1 and _find_odd_row(rows) is None:
            columns = zip_longest(*rows[1:], fillvalue="")
            fit[separator] = sum(is_numeric(column) for column in columns)
    best = [separator for separator, numeric in fit.items() if numeric == max(fit.values())]
    if len(best) > 1:
        named = " or ".join(name for name, mark in SEPARATORS.items() if mark in best)
        raise DataError(
            f"{text.path} can be read with a {named} between its fields: set `separator` to the "
            "one that is meant"
        )
    if best:
        return best[0]
    return _guess_separator(text)


def _guess_separator(text: Text) -> str:
    """The separator by which most rows have as many fields, a comma where none has.

    No separator gives all rows as many: there is one column, or the odd row is refused by its line.
    """
    agreed = {",": 0}
    for separator in SEPARATORS.values():
        rows = [row for _, row in islice(read_fields(text, separator), LOOKED_AT)]
        (width, n), *_ = Counter(map(len, rows)).most_common(1) or [(0, 0)]
        if width < 2 or 2 * n <= len(rows):
            continue
        usual = [row for row in rows if len(row) == width][1:]
        # Texts hold spaces, too.
        if separator != " " or (
            len(rows[0]) > 1 and any(map(is_numeric, zip(*usual, strict=True)))
        ):
            agreed[separator] = n
    return max(agreed, key=lambda separator: agreed[separator])


def is_numeric(column: Sequence[str]) -> bool:
    """Whether all fields that are there are numbers, with whichever decimals."""
    given = [field for field in column if field.strip() not in MISSING]
    return bool(given) and all(POINT.fullmatch(one) or COMMA.fullmatch(one) for one in given)


def _find_odd_row(rows: Sequence[Sequence[str]]) -> int | None:
    """The first row of another length than the first, but for an empty field at every row's end."""
    width = len(rows[0])
    if len(rows) > 1 and all(len(row) == width + 1 and not row[-1].strip() for row in rows[1:]):
        return None
    return next((i for i, row in enumerate(rows) if len(row) != width), None)


def _refuse_open_quote(text: Text, separator: str) -> None:
    """Refuse a text that ends within quotes.

    Raises:
        DataError: it does.
    """
    before = 0
    with text.open() as file:
        reader = csv.reader(file, delimiter=separator, skipinitialspace=True, strict=True)
        try:
            for _ in reader:
                before = reader.line_num
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                raise DataError(
                    f"{text.path} has a quote that is opened in line {before + 1 + text.skipped} "
                    "and never closed: close it, or double it where it belongs to the text"
                ) from error


class Rows(NamedTuple):
    """The rows of a table below its header.

    Attributes:
        lines: that of every row.
        blank: places of rows of several fields that are all empty, as spreadsheets leave them.
        trailing: whether all rows but the first end with one more, empty field.
    """

    lines: list[int]
    blank: list[int]
    trailing: bool


def find_rows(text: Text, separator: str, header: bool) -> Rows:
    """Where the rows of a table stand.

    Raises:
        DataError: a row has more or fewer fields than the first, or the last one never ends.
    """
    lines: list[int] = []
    widths: list[int] = []
    blank: list[int] = []
    trailing = True
    for line, row in read_fields(text, separator):
        place = len(lines) - header
        if place >= 0 and len(row) > 1 and not any(map(str.strip, row)):
            blank.append(place)
        lines.append(line)
        widths.append(len(row))
        trailing = trailing and (len(lines) == 1 or not row[-1].strip())
    if lines and any("\n" in field for field in row):  # of the last row
        _refuse_open_quote(text, separator)
    trailing = trailing and len(widths) > 1 and set(widths[1:]) == {widths[0] + 1}
    odd = next((i for i, width in enumerate(widths) if width != widths[0]), None)
    if odd is not None and not trailing:
        name = next(name for name, mark in SEPARATORS.items() if mark == separator)
        if widths[0] > 1 and set(widths[1:]) == {widths[0] + 1}:
            raise DataError(
                f"{text.path} has {widths[0]} names in line {lines[0]}, but {widths[1]} fields in "
                f"every other line, with a {name} between them, as R writes names of rows: give "
                "their column a name, too (write.table: col.names=NA), or leave it out "
                "(row.names=FALSE)"
            )
        raise DataError(
            f"{text.path} has {widths[0]} fields in line {lines[0]} but {widths[odd]} in line "
            f"{lines[odd]}, with a {name} between them: give every line as many, remove those that "
            "are not rows, as comments and footers, put what holds the separator in quotes, set "
            "`separator`, or `skip_lines` where a title stands above the table"
        )
    return Rows(lines[1:] if header else lines, blank, trailing)
