"""A section of a report: one figure and the numbers that go with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dcsomrl.reporting.context import Context
from dcsomrl.reporting.run_data import RunData

Measures = Mapping[str, float | int | None]


@dataclass(frozen=True)
class Section:
    """A section of a report.

    Attributes:
        name: of its files; unique in a report.
        title: the heading.
        caption: what one sees, with the numbers that say whether it is so.
        figure: None where numbers are all.
        measures: numbers by name.
        source: the number of the paper's figure that it is after; empty where there is none.
        question: that it helps to answer, a key of :data:`dcsomrl.reporting.html.QUESTIONS`; empty
            where it stands among all pictures.
    """

    name: str
    title: str
    caption: str
    figure: Figure | None
    measures: Measures = field(default_factory=dict)
    source: str = ""
    question: str = ""


# What a section can need, and whether a run has it.
NEEDS: Mapping[str, Callable[[RunData], bool]] = {
    "nodes": lambda run: len(run.slots) > 0,
    "clusters": lambda run: run.cluster is not None,
    "former": lambda run: run.former is not None,
    "images": lambda run: run.image,
    "labels": lambda run: run.labels is not None,
    "relevances": lambda run: run.relevances is not None,
    "map": lambda run: run.edges is not None,
    "edges": lambda run: len(run.graph) > 0,
    "history": lambda run: not run.history.empty,
    "steps": lambda run: run.steps is not None and not run.steps.empty,
    "paths": lambda run: run.paths is not None and len(run.paths["slot"]) > 0,
}


@dataclass(frozen=True)
class Part:
    """What draws a section.

    Attributes:
        draw: makes it; None where a run that has all needs has nothing to show.
        needs: keys of :data:`NEEDS`; a run that lacks one has no such section.
    """

    draw: Callable[[Context], Section | None]
    needs: tuple[str, ...]

    def applies(self, run: RunData) -> bool:
        """Whether a run has what the section needs."""
        return all(NEEDS[need](run) for need in self.needs)


def clip_images(images: NDArray[np.floating]) -> NDArray[np.floating]:
    """Decoded images within the range that can be drawn."""
    return images.clip(0, 1)


def find_most_used(wins: NDArray[np.integer], n: int) -> NDArray[np.int64]:
    """The n nodes with the most samples, or all that have one."""
    order = np.argsort(-wins, kind="stable")
    return order[: min(n, max(1, int((wins > 0).sum())))]
