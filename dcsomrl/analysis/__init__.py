"""What a trained map shows: arrays in, arrays out."""

from dcsomrl.analysis.coefficients import rank_correlations, regressors, sensitivity
from dcsomrl.analysis.merging import merge, winner_counts
from dcsomrl.analysis.paired import paired_p_values

__all__ = [
    "merge",
    "paired_p_values",
    "rank_correlations",
    "regressors",
    "sensitivity",
    "winner_counts",
]
