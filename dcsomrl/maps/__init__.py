"""Self-organizing maps as torch layers; they know neither Lightning nor Hydra."""

from dcsomrl.maps.codebook import Assignment, Centers, Codebook
from dcsomrl.maps.grid import Grid
from dcsomrl.maps.kohonen import BatchSOM
from dcsomrl.maps.larfdssom import LARFDSSOM
from dcsomrl.maps.somrl import SOMRL, Statistics
from dcsomrl.maps.state import RelevanceMap

__all__ = [
    "LARFDSSOM",
    "SOMRL",
    "Assignment",
    "BatchSOM",
    "Centers",
    "Codebook",
    "Grid",
    "RelevanceMap",
    "Statistics",
]
