"""How soon a training has its scores (Fig. 7)."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

# Share of the steps, at the end, whose median is the final value.
END = 0.05


def steps_to_share(
    steps: NDArray[np.integer], values: NDArray[np.floating], share: float
) -> int | None:
    """The first step whose value reaches a share of the final one; None for no value.

    The final value is the median of the last twentieth of the steps: a score of few samples jumps.

    Args:
        steps: (n,) numbers of the steps, ascending.
        values: (n,) score after each.
        share: in (0, 1].
    """
    if len(values) == 0:
        return None
    return int(steps[(values >= share * final_value(values)).argmax()])


def final_value(values: NDArray[np.floating]) -> float:
    """Median of the last twentieth of the values (n,), n > 0."""
    return float(np.median(values[-max(1, round(END * len(values))) :]))


def chance_scores(
    n_nodes: int, per_class: int, n_classes: int, draws: int = 50, seed: int = 0
) -> tuple[float, float]:
    """Mean purity and NMI of a few samples of every class, dealt to nodes at random.

    With as many nodes as samples both are far from 0, which a curve of them has to be read against.

    Args:
        n_nodes: nodes, at least 1.
        per_class: samples of every class.
        n_classes: classes, at least 2.
        draws: deals over which it is averaged.
        seed: draws them.
    """
    n = per_class * n_classes
    node = np.random.default_rng(seed).integers(n_nodes, size=(draws, n))
    label = np.repeat(np.arange(n_classes), per_class)
    cell = (np.arange(draws)[:, None] * n_nodes + node) * n_classes + label
    counts = np.bincount(cell.ravel(), minlength=draws * n_nodes * n_classes)
    share = counts.reshape(draws, n_nodes, n_classes) / n
    purity = share.max(2).sum(1)
    of_nodes, of_classes = entr(share.sum(2)).sum(1), entr(share.sum(1)).sum(1)
    mutual = of_nodes + of_classes - entr(share).sum((1, 2))
    return float(purity.mean()), float((2 * mutual / (of_nodes + of_classes)).mean())
