"""Files that are there whole or not at all, and tables in Markdown."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@contextmanager
def swapped(path: Path, shared: bool = False) -> Iterator[Path]:
    """A file to write, which then takes the place of another: a reader never sees half of one.

    Args:
        path: the file in the end; what was there stays if writing fails.
        shared: whether several processes may write it at once.
    """
    part = path.with_name(f"{path.name}.{uuid4().hex}.part" if shared else f"{path.name}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_text(path: Path, text: str, shared: bool = False) -> None:
    """Write a text file whole or not at all; see :func:`swapped`."""
    with swapped(path, shared) as part:
        part.write_text(text, encoding="utf-8", newline="")


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file whole or not at all; NaN becomes null."""
    valid = {name: None if value != value else value for name, value in content.items()}
    write_text(path, json.dumps(valid, indent=2, allow_nan=False) + "\n")


def save_figure(
    figure: "Figure", path: Path, dpi: float | Literal["figure"] = "figure", shared: bool = False
) -> None:
    """Write a picture whole or not at all.

    Args:
        figure: as drawn.
        path: its ending says in what format, as ``.png``.
        dpi: pixels an inch; ``figure`` for the figure's own.
        shared: see :func:`swapped`.
    """
    with swapped(path, shared) as part:
        figure.savefig(part, format=path.suffix.removeprefix("."), dpi=dpi)


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
