"""What a trained map shows: arrays in, arrays out."""

from dcsomrl.analysis.merging import merge, winner_counts
from dcsomrl.analysis.paired import paired_p_values
from dcsomrl.analysis.sensitivity import rank_correlations, regressors, sensitivity

__all__ = [
    "merge",
    "paired_p_values",
    "rank_correlations",
    "regressors",
    "sensitivity",
    "winner_counts",
]
