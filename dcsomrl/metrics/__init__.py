"""Scores of a clustering against labels, and measures of a map that need none."""

from dcsomrl.metrics.catalogue import BY_KEY, CATALOGUE, LABEL_SCORES, Measure
from dcsomrl.metrics.clustering import (
    LabelScore,
    NodeUsage,
    QuantizationError,
    TopographicError,
    clustering_scores,
)
from dcsomrl.metrics.functional import (
    accuracy,
    ami,
    ari,
    classes,
    clustering_error,
    completeness,
    contingency,
    homogeneity,
    nmi,
    perplexity,
    purity,
    quantization_error,
    topographic_error,
    usage,
)

__all__ = [
    "BY_KEY",
    "CATALOGUE",
    "LABEL_SCORES",
    "LabelScore",
    "Measure",
    "NodeUsage",
    "QuantizationError",
    "TopographicError",
    "accuracy",
    "ami",
    "ari",
    "classes",
    "clustering_error",
    "clustering_scores",
    "completeness",
    "contingency",
    "homogeneity",
    "nmi",
    "perplexity",
    "purity",
    "quantization_error",
    "topographic_error",
    "usage",
]
