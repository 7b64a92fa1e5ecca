"""Self-organizing maps as torch layers; they know neither Lightning nor Hydra."""

from dcsomrl.maps.somrl import SOMRL, Statistics
from dcsomrl.maps.state import Assignment, RelevanceMap

__all__ = ["SOMRL", "Assignment", "RelevanceMap", "Statistics"]
