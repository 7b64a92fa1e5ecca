"""Files that are there whole or not at all, and tables in Markdown."""

import errno
import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from glob import escape
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def make_folder(folder: Path) -> None:
    """Make a folder where there is none, and see whether files can be written into it.

    Raises:
        OSError: there can be no such folder, or no files in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        TemporaryFile(dir=folder).close()
    except OSError as error:
        # The folder is there: one of the system's own, as /proc, takes no files.
        number = errno.EACCES if error.errno == errno.ENOENT else error.errno
        raise OSError(number, error.strerror, str(folder)) from error


def make_room(path: Path) -> None:
    """See whether a file can be written, before what is to stand in it is computed.

    Raises:
        OSError: it cannot.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    make_folder(path.parent)


@contextmanager
def swapped(path: Path, alone: bool = False) -> Iterator[Path]:
    """A file to write, which then takes the place of another: a reader never sees half of one.

    Args:
        path: the file in the end; what was there stays if writing fails.
        alone: whether no other process can write it meanwhile, as in the folder of a training
            that goes on: what a killed process left half is then written over by the next one.
    """
    part = path.with_name(f"{path.name}.part" if alone else f"{path.name}.{uuid4().hex[:8]}.part")
    try:
        with nullcontext() if alone else _hold(path, part):
            yield part
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _hold(path: Path, part: Path) -> Iterator[None]:
    """Make a file to write and hold it; remove such of the same that killed processes left.

    The lock dies with this process, by which others see that the file is left.
    """
    for left in path.parent.glob(f"{escape(path.name)}.{'[0-9a-f]' * 8}.part"):
        with suppress(OSError), left.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left.unlink()
    there = False
    while not there:  # until it is held: before, another process may take it for one that is left
        with part.open("wb") as file:
            with suppress(OSError):  # of file systems without locks, where nothing is removed
                fcntl.flock(file, fcntl.LOCK_EX)
            there = os.fstat(file.fileno()).st_nlink > 0
            if there:
                yield


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all; see :func:`swapped`."""
    with swapped(path) as part:
        part.write_text(text, encoding="utf-8", newline="")


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file whole or not at all; NaN becomes null."""
    valid = {name: None if value != value else value for name, value in content.items()}
    write_text(path, json.dumps(valid, indent=2, allow_nan=False) + "\n")


def save_figure(figure: "Figure", path: Path, dpi: float | Literal["figure"] = "figure") -> None:
    """Write a picture whole or not at all.

    Args:
        figure: as drawn.
        path: its ending says in what format, as ``.png``.
        dpi: pixels an inch; ``figure`` for the figure's own.
    """
    with swapped(path) as part:
        figure.savefig(part, format=path.suffix.removeprefix("."), dpi=dpi)


def tabulate(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
