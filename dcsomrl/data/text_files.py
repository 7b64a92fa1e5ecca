"""Files of text, packed by gzip or not: the encoding that each can be read in."""

import gzip
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dcsomrl.data.notes import note
from dcsomrl.errors import DataError

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
        with gzip.open(path) if is_packed(path) else path.open("rb") as file:
            start = file.read(2)
    except (OSError, EOFError) as error:
        raise DataError(f"{path} cannot be read ({error}): it is damaged") from error
    marked = "utf-16" if start in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    tried = [given] if given else [marked, *(["cp1252"] if marked == "utf-8-sig" else [])]
    for encoding in tried:
        try:
            with open_packed(path, encoding) as file:
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
