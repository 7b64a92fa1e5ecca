"""How soon a training has its scores (Fig. 7)."""

import numpy as np
from numpy.typing import NDArray

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
    last = max(1, round(END * len(values)))
    reached = values >= share * np.median(values[-last:])
    return int(steps[reached.argmax()])
