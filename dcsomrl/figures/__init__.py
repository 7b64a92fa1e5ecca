"""One function per figure: arrays in, a matplotlib Figure out."""

from dcsomrl.extras import explained

with explained():
    from dcsomrl.figures.prototypes import draw_prototype_grid, draw_prototype_profiles

__all__ = ["draw_prototype_grid", "draw_prototype_profiles"]
