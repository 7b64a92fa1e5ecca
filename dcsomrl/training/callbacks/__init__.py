"""Callbacks of a training, one in each file."""

from dcsomrl.training.callbacks.choose_precision import ChoosePrecision
from dcsomrl.training.callbacks.epoch_table import EpochTable
from dcsomrl.training.callbacks.map_usage import MapUsage
from dcsomrl.training.callbacks.progress import progress_bar
from dcsomrl.training.callbacks.random_state import RandomState
from dcsomrl.training.callbacks.refresh_neighbors import RefreshNeighbors
from dcsomrl.training.callbacks.sample_paths import SamplePaths
from dcsomrl.training.callbacks.step_scores import StepScores
from dcsomrl.training.callbacks.stop_collapsed import StopCollapsed
from dcsomrl.training.callbacks.stop_on_nan import StopOnNaN
from dcsomrl.training.callbacks.take_over import TakeOver
from dcsomrl.training.callbacks.time_limit import TimeLimit
from dcsomrl.training.callbacks.validation_scores import ValidationScores
from dcsomrl.training.callbacks.watch_processes import WatchProcesses

__all__ = [
    "ChoosePrecision",
    "EpochTable",
    "MapUsage",
    "RandomState",
    "RefreshNeighbors",
    "SamplePaths",
    "StepScores",
    "StopCollapsed",
    "StopOnNaN",
    "TakeOver",
    "TimeLimit",
    "ValidationScores",
    "WatchProcesses",
    "progress_bar",
]
