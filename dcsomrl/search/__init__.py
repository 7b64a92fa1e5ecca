"""Searches for settings: designs of points, and the study that processes share."""

from dcsomrl.extras import explained

with explained():
    from dcsomrl.search.designs import Design, Grid, Halton, LatinHypercube, Sobol
    from dcsomrl.search.space import Space, find_value, list_values
    from dcsomrl.search.study import Claim, Search

__all__ = [
    "Claim",
    "Design",
    "Grid",
    "Halton",
    "LatinHypercube",
    "Search",
    "Sobol",
    "Space",
    "find_value",
    "list_values",
]
