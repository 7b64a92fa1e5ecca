"""Files of text, packed by gzip or not: the encoding that each can be read in."""

import gzip
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dcsomrl.data.foreign import START, UNREADABLE, read_start
from dcsomrl.data.notes import note
from dcsomrl.data.text_formats import describe_format
from dcsomrl.errors import DataError

# What a file begins with that says its encoding.
MARKS = {"utf-32": (b"\xff\xfe\0\0", b"\0\0\xfe\xff"), "utf-16": (b"\xff\xfe", b"\xfe\xff")}
UNMARKED = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
# Share of digits, separators and the like from which on an encoding fits a table.
PLAIN = 0.2
# What no text holds.
BINARY = re.compile(r"[\x00-\x08\x0e-\x1f]")


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
        file = open_packed(self.path, self.encoding)
        for _ in range(self.skipped):
            file.readline()
        return file


def is_packed(path: Path) -> bool:
    """Whether a file is packed by gzip, whatever its name says."""
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def open_packed(path: Path, encoding: str) -> IO[str]:
    """A file of text, unpacked where it is packed by gzip."""
    if is_packed(path):
        return io.TextIOWrapper(gzip.open(path), encoding=encoding, newline="")
    return path.open(encoding=encoding, newline="")


def find_encoding(path: Path, given: str | None, notes: list[str]) -> str:
    """The encoding that a file can be read in.

    Raises:
        DataError: there is none, or it holds what no text does.
    """
    try:
        start = read_start(path)
    except UNREADABLE as error:
        raise DataError(f"{path} cannot be read ({error}): it is damaged") from error
    tried = [given] if given else _tell_encodings(start)
    for encoding in tried:
        try:
            found = _find_binary(path, encoding)
        except (UnicodeError, LookupError):
            continue
        except UNREADABLE as error:
            raise DataError(f"{path} cannot be read ({error}): it is damaged") from error
        if found is not None:
            remedy = _hint_at_unmarked(start) or "it is damaged or not what its name says"
            raise DataError(f"{path} holds {found!r}, which no text does: {remedy}")
        if encoding == "cp1252" and not given:
            note(notes, f"{path} is not UTF-8: it is read as Windows-1252; set `encoding`")
        return encoding
    remedy = _hint_at_unmarked(start) or "set `encoding` to what it was written in"
    raise DataError(f"{path} cannot be read as {' or '.join(tried)}: {remedy}")


def _tell_encodings(start: bytes) -> list[str]:
    """Encodings by the mark at the start of a file, or those that are tried where there is none."""
    # The mark of UTF-16 is how that of UTF-32 begins.
    for encoding, marks in MARKS.items():
        if start.startswith(marks):
            return [encoding]
    return ["utf-8-sig", "cp1252"]


def _find_binary(path: Path, encoding: str) -> str | None:
    """The first character of a file in an encoding that no text holds; None where none is.

    Raises:
        UnicodeError: it is not in that encoding.
        LookupError: there is no such encoding.
    """
    with open_packed(path, encoding) as file:
        for part in iter(lambda: file.read(1 << 20), ""):
            if found := BINARY.search(part):
                return found.group()
    return None


def _hint_at_unmarked(start: bytes) -> str | None:
    """What to do about a file that begins as a table in UTF-16 or UTF-32 without a mark."""
    shares = {}
    for encoding in UNMARKED:
        text = start[: len(start) // 4 * 4].decode(encoding, errors="replace")
        if text and not BINARY.search(text):
            shares[encoding] = sum(one.isascii() for one in text) / len(text)
    best = max(shares, key=lambda encoding: shares[encoding], default="")
    if not best or shares[best] < PLAIN:
        return None
    name = best.upper().rsplit("-", 1)[0]
    return f"it looks like {name} without a mark at its start: set `encoding={best}`"


def refuse_formats(text: Text) -> None:
    """Refuse a file of text that is not a table of separated fields, as JSON and YAML.

    Raises:
        DataError: it is such.
    """
    _refuse_json(text)
    with text.open() as file:
        found = describe_format(file.read(START), START)
    if found is not None:
        raise DataError(f"{text.path} is {found[0]}, and no table of fields: {found[1]}")


def _refuse_json(text: Text) -> None:
    """Refuse a file of JSON under the name of a table.

    Raises:
        DataError: the whole of it, or its first line, is an object or a list in JSON.
    """
    with text.open() as file:
        first = next((line for line in file if line.strip()), "")
        if not first.lstrip().startswith(("{", "[")):
            return
        for read in (lambda: first, lambda: first + file.read()):
            try:
                json.loads(read())
            except ValueError:
                continue
            raise DataError(f"{text.path} holds JSON and is not a table: save its rows as CSV")
