"""One function per figure: arrays in, a matplotlib Figure out."""

from dcsomrl.figures.prototypes import prototype_grid, prototype_profiles

__all__ = ["prototype_grid", "prototype_profiles"]
