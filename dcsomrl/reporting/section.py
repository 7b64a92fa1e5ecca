"""A part of a report: one figure and the numbers that go with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

Measures = Mapping[str, float | int | None]


@dataclass(frozen=True)
class Section:
    """A part of a report.

    Attributes:
        name: of its files; unique in a report.
        title: the heading.
        caption: what one sees, with the numbers that say whether it is so.
        figure: None where numbers are all.
        measures: numbers by name.
    """

    name: str
    title: str
    caption: str
    figure: Figure | None
    measures: Measures = field(default_factory=dict)


def shown(images: NDArray[np.floating]) -> NDArray[np.floating]:
    """Decoded images within the range that can be drawn."""
    return images.clip(0, 1)


def most_used(wins: NDArray[np.integer], n: int) -> NDArray[np.int64]:
    """The n nodes with the most samples, or all that have one."""
    order = np.argsort(-wins, kind="stable")
    return order[: min(n, max(1, int((wins > 0).sum())))]
