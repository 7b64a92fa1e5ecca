"""Lightning modules; they know Lightning, not Hydra."""

from dcsomrl.models.base import Clustered, ClusteringModule
from dcsomrl.models.dcsomrl import DCSOMRL

__all__ = ["DCSOMRL", "Clustered", "ClusteringModule"]
