"""Where samples come from, and how they reach a model."""

from dcsomrl.data.arrays import Arrays
from dcsomrl.data.augmentation import Augmentation
from dcsomrl.data.batches import Batch
from dcsomrl.data.datamodule import ClusterData
from dcsomrl.data.neighbors import Neighbors

__all__ = ["Arrays", "Augmentation", "Batch", "ClusterData", "Neighbors"]
