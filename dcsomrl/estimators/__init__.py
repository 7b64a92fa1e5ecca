"""Estimators of scikit-learn's kind."""

from dcsomrl.estimators.deep_som import DeepSOM
from dcsomrl.estimators.growing_som import GrowingSOM

__all__ = ["DeepSOM", "GrowingSOM"]
