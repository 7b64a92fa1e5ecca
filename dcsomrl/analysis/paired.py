"""Which differences between methods are more than noise."""

from collections.abc import Mapping

import numpy as np
from scipy.stats import ttest_rel

from dcsomrl.analysis.holm import correct_p_values

Scores = Mapping[int, float]  # by seed


def compare_paired(scores: Mapping[str, Scores], against: str) -> dict[str, float]:
    """Paired t-tests of one method against every other, over the seeds that both have.

    Args:
        scores: score by seed, by method.
        against: the method that the others are compared with.

    Returns:
        Two-sided p by method, corrected for their number after Holm; NaN where fewer than two
        seeds are shared. 1 where all differences are 0.
    """
    reference = scores[against]
    raw: dict[str, float] = {}
    for method, values in scores.items():
        if method == against:
            continue
        seeds = sorted(reference.keys() & values.keys())
        one, other = (
            np.array([by_seed[seed] for seed in seeds]) for by_seed in (reference, values)
        )
        if len(seeds) < 2:
            raw[method] = float("nan")
        elif np.allclose(one, other, rtol=0, atol=1e-12):
            raw[method] = 1.0
        else:
            raw[method] = float(ttest_rel(one, other).pvalue)
    corrected = correct_p_values(list(raw.values()))
    return dict(zip(raw, corrected.tolist(), strict=True))
