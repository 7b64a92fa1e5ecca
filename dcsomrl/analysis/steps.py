"""How soon a training has its scores (Fig. 7).

Numbered figures, tables, sections and equations are those of "Shaping latent representations using
Self-Organizing Maps with Relevance Learning", submitted to ICLR 2022.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from dcsomrl.metrics import count_contingency, nmi, purity

# Share of the steps, at the end, whose median is the final value.
END = 0.05
# A lead over chance below it is none.
ROUNDING = 1e-6


def find_step_of_share(
    steps: NDArray[np.integer], values: NDArray[np.floating], share: float
) -> int | None:
    """The first step whose value reaches a share of the final one.

    None where there is no value, or none to reach: a final one of 0, or below, or NaN. The final
    value is the median of the last twentieth of the steps: a score of few samples jumps.

    Args:
        steps: (n,) numbers of the steps, ascending.
        values: (n,) score after each.
        share: in (0, 1].
    """
    if len(values) == 0 or not (final := find_end(values)) > ROUNDING:
        return None
    return int(steps[(values >= share * final).argmax()])


def find_end(values: NDArray[np.floating]) -> float:
    """Median of the last twentieth of the values (n,), n > 0."""
    return float(np.median(values[-max(1, round(END * len(values))) :]))


def score_by_chance(
    n_nodes: int, class_sizes: NDArray[np.integer], draws: int = 50, seed: int = 0
) -> tuple[float, float]:
    """Mean purity and NMI of a few samples of every class, dealt to nodes at random.

    With as many nodes as samples both are far from 0, which a curve of them has to be read against.

    Args:
        n_nodes: nodes, at least 1.
        class_sizes: (classes,) samples of every class.
        draws: deals over which it is averaged.
        seed: draws them.
    """
    n_classes = len(class_sizes)
    label = torch.from_numpy(np.repeat(np.arange(n_classes), class_sizes))
    drawn = np.random.default_rng(seed).integers(n_nodes, size=(draws, len(label)))
    deals = [count_contingency(node, label, n_nodes, n_classes) for node in torch.from_numpy(drawn)]
    return (
        float(np.mean([float(purity(deal)) for deal in deals])),
        float(np.mean([float(nmi(deal)) for deal in deals])),
    )
