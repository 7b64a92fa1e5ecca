"""The questions that a page answers, and what an answer is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

import numpy as np
from numpy.typing import NDArray

from dcsomrl.reporting.html.strips import draw_strip

# In the order of the page, by their anchors.
QUESTIONS = {
    "clusters": "Which clusters are there?",
    "odd": "Which samples are odd?",
    "apart": "What separates two clusters?",
    "trained": "Was the training long enough?",
    "number": "Are there more clusters, or fewer?",
}


@dataclass(frozen=True)
class Answer:
    """A sentence or some, and a table.

    Args:
        text: the answer in words.
        head: headings of the table; none where there is no table.
        rows: of the table, a cell for each heading.
        pictures: (rows, h, w, 1 or 3) bytes, one for each row; None where there are none.
    """

    text: str
    head: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    pictures: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class Comparison:
    """What tells any two of C clusters apart.

    Args:
        sizes: (C,) samples of each.
        border: (C, C) samples of the first cluster whose second nearest node is of the second.
        pictures: (C, h, w, 1 or 3) bytes, the mean sample of each; None for tables.
        means: (C, f) mean of each feature, in its unit; None for images.
        deviation: (f,) of all samples; None for images.
        names: of the f features; None for images.
    """

    sizes: NDArray[np.integer]
    border: NDArray[np.integer]
    pictures: NDArray[np.uint8] | None
    means: NDArray[np.floating] | None
    deviation: NDArray[np.floating] | None
    names: list[str] | None


def check_answers(answers: Mapping[str, Answer], comparison: Comparison | None) -> None:
    """Whether the parts of answers fit each other.

    Raises:
        ValueError: they do not; one sentence says where.
    """
    for key, answer in answers.items():
        if key not in QUESTIONS:
            raise ValueError(f"there is no question {key!r}.")
        if any(len(row) != len(answer.head) for row in answer.rows):
            raise ValueError(f"the answer {key!r} has a row of another length than its head.")
        if answer.pictures is not None and len(answer.pictures) != len(answer.rows):
            raise ValueError(f"the answer {key!r} must have a picture for each row.")
    if comparison is None:
        return
    c = len(comparison.sizes)
    if comparison.border.shape != (c, c):
        raise ValueError(f"border must have the shape ({c}, {c}), got {comparison.border.shape}.")
    if comparison.pictures is not None:
        if len(comparison.pictures) != c or comparison.pictures.ndim != 4:
            raise ValueError(f"pictures must have the shape ({c}, h, w, 1 or 3).")
        return
    if comparison.means is None or comparison.deviation is None or comparison.names is None:
        raise ValueError("a comparison needs pictures, or means, deviation and names.")
    f = len(comparison.names)
    if comparison.means.shape != (c, f) or comparison.deviation.shape != (f,):
        raise ValueError(f"means must have the shape ({c}, {f}), deviation ({f},).")


def make_answer(answer: Answer, label: str) -> str:
    """An answer as HTML.

    Args:
        answer: in words and rows.
        label: what its table is called where it is read aloud.
    """
    text = f'<p class="answer">{escape(answer.text)}</p>'
    if not answer.rows:
        return text
    parts = [f'<th scope="col">{escape(one)}</th>' if one else "<td></td>" for one in answer.head]
    rows = []
    for number, row in enumerate(answer.rows):
        cells = [f'<th scope="row">{escape(row[0])}</th>']
        cells += [f"<td>{escape(cell)}</td>" for cell in row[1:]]
        if answer.pictures is not None:
            strip = draw_strip(answer.pictures[number : number + 1], row[0])
            cells.insert(1, f"<td>{strip}</td>")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    if answer.pictures is not None:
        parts.insert(1, "<td></td>")
    head = "".join(parts)
    return (
        f'{text}<div class="scroll" role="region" aria-label="{escape(label)}" tabindex="0">'
        f'<table class="answers"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )
