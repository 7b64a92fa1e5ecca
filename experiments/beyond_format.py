"""How cells of ``experiments.beyond`` are written into tables."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from experiments.runs import format_spread

Cells = Mapping[str, Mapping[str, Any]]
NAMES = {"mnist": "MNIST", "fashion": "Fashion-MNIST"}


def format_pair(cells: Sequence[Mapping[str, Any]], one: str, other: str) -> str:
    """Mean and deviation of two scores."""
    return " / ".join(format_spread(cell[name] for cell in cells) for name in (one, other))


def list_all(values: Iterable[Any]) -> str:
    """Values with commas between."""
    return ", ".join(map(str, values))
