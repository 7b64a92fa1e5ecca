"""Terms of a loss: what a step made of a batch in, a number out. They know torch and the maps."""

from dcsomrl.losses.consistency import Consistency
from dcsomrl.losses.grid import commitment, grid_attraction, neighborhood
from dcsomrl.losses.neighbors import NeighborContrast, neighbor_contrast
from dcsomrl.losses.reconstruction import Reconstruction, reconstruction
from dcsomrl.losses.relevance_distance import RelevanceDistance
from dcsomrl.losses.sequence import smoothness, transition
from dcsomrl.losses.soft_assignment import divergence, sharpen, soft_assignment
from dcsomrl.losses.step import Step
from dcsomrl.losses.term import Term, compute_terms, name_terms, sum_terms

__all__ = [
    "Consistency",
    "NeighborContrast",
    "Reconstruction",
    "RelevanceDistance",
    "Step",
    "Term",
    "commitment",
    "compute_terms",
    "divergence",
    "grid_attraction",
    "name_terms",
    "neighbor_contrast",
    "neighborhood",
    "reconstruction",
    "sharpen",
    "smoothness",
    "soft_assignment",
    "sum_terms",
    "transition",
]
