"""Whether there are more or fewer clusters than a page shows."""

import numpy as np
from numpy.typing import NDArray

from dcsomrl.analysis.clusters import STANDS_OUT
from dcsomrl.reporting.html import Answer
from dcsomrl.reporting.run_data import RunData

# Numbers of clusters that are listed on either side of the one that is shown.
BESIDE = 3
# A part of a cluster below this share of it is not worth a word.
SMALLEST = 0.1


def answer_number(run: RunData) -> Answer | None:
    """How clear the number of clusters is, and what others would change; None without clusters."""
    if run.cluster is None or run.numbers is None or run.merge is None or len(run.slots) == 0:
        return None
    shown = int(run.cluster.max()) + 1
    head = ["clusters", "holds over", "test samples in each", "compared with those shown"]
    rows = []
    for number in range(max(1, shown - BESIDE), min(len(run.slots), shown + BESIDE) + 1):
        other = run.cluster if number == shown else run.merge(number)[run.slots]
        if other.max() + 1 != number:
            continue
        sizes = np.bincount(other[run.winner[run.winner >= 0]], minlength=number)
        changes = "shown" if number == shown else describe_changes(run.cluster, other, run.wins)
        held = f"{run.numbers.get(number, 0):.0%}"
        rows.append([str(number), held, ", ".join(map(str, sizes)), changes])
    return Answer(_judge(run, shown, run.numbers), head, rows)


def _judge(run: RunData, shown: int, numbers: dict[int, float]) -> str:
    ranked = sorted(numbers, key=lambda number: (-numbers[number], number))
    best, share = ranked[0], numbers[ranked[0]]
    others = ", ".join(f"{number} over {numbers[number]:.0%}" for number in ranked[1:4])
    if run.config.get("n_clusters") not in (None, "auto"):
        said = f"{shown} clusters were asked for. By itself, the map divides into {best}: this"
    else:
        said = f"By itself, the map divides into the {shown} clusters shown: this"
    said += (
        f" number holds over {share:.0%} of the range from a coarse to a fine grouping of its nodes"
    )
    said += f", more than any other; next are {others}. " if others else ". "
    if share < STANDS_OUT:
        said += "No number stands out: there may well be more or fewer clusters. "
    elif others and numbers[ranked[1]] > 0.7 * share:
        said += f"It was close: {ranked[1]} clusters hold over nearly as much. "
    else:
        said += "It stands out. "
    return said + (
        "Any other number can be had without training, with python -m dcsomrl.predict and "
        "n_clusters=...; the table shows what it would change."
    )


def describe_changes(
    shown: NDArray[np.integer], other: NDArray[np.integer], wins: NDArray[np.integer]
) -> str:
    """What another grouping of nodes joins and parts, in words.

    Args:
        shown: (K,) cluster of each node, from 0.
        other: (K,) likewise, in another number.
        wins: (K,) samples of each node.
    """
    table = np.zeros((shown.max() + 1, other.max() + 1))
    np.add.at(table, (shown, other), wins)
    share = table / np.maximum(table.sum(1, keepdims=True), 1)
    said = []
    for column in (share > 0.5).T:
        if column.sum() > 1:
            *first, last = (str(number) for number in np.flatnonzero(column))
            said.append(f"{', '.join(first)} and {last} are merged")
    for number, row in enumerate(share):
        parts = np.sort(row[row >= SMALLEST])[::-1]
        if len(parts) > 1:
            said.append(f"{number} is split: {', '.join(f'{part:.0%}' for part in parts)}")
    return "; ".join(said) or "nearly the same samples"
