"""Self-organizing maps as torch layers; they know neither Lightning nor Hydra."""

from dcsomrl.maps.somrl import SOMRL, Assignment, Statistics

__all__ = ["SOMRL", "Assignment", "Statistics"]
