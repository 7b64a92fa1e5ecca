"""Chances of several tests at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dcsomrl.extras import explained


def correct_p_values(p: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Values of p (n,), in [0, 1], corrected for their number; NaN stays so and does not count.

    Raises:
        MissingPackageError: statsmodels is not installed.

    Source: Holm 1979, "A simple sequentially rejective multiple test procedure".
    """
    with explained():
        from statsmodels.stats.multitest import multipletests  # late: it takes a second

    corrected = np.array(p, dtype=float)
    there = ~np.isnan(corrected)
    if there.any():
        corrected[there] = multipletests(corrected[there], method="holm")[1]
    return corrected
