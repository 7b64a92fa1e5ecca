"""What a trained map shows: arrays in, arrays out."""

from dcsomrl.analysis.coefficients import correlate_ranks, make_regressors, measure_sensitivity
from dcsomrl.analysis.merging import count_winners, merge
from dcsomrl.analysis.paired import compare_paired

__all__ = [
    "compare_paired",
    "correlate_ranks",
    "count_winners",
    "make_regressors",
    "measure_sensitivity",
    "merge",
]
