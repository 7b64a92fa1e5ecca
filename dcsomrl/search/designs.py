"""Designs: all points of a search at once, so that a search resumed completes the same ones.

Numbered figures, tables, sections and equations are those of "Shaping latent representations using
Self-Organizing Maps with Relevance Learning", submitted to ICLR 2022.
"""

from abc import ABC, abstractmethod
from itertools import product
from math import prod
from typing import Any, Literal

import numpy as np
from scipy.stats import qmc

from dcsomrl.errors import ConfigError
from dcsomrl.hints import check_arguments
from dcsomrl.ranges import Natural
from dcsomrl.search.space import Space, find_value, list_values


class Design(ABC):
    """Points of a search, fixed by the space, their number and the seed."""

    @abstractmethod
    def make_points(self, space: Space, n: int) -> list[dict[str, Any]]:
        """The n points, each with a value for every parameter.

        Raises:
            ConfigError: the design does not fit the space or the number.
        """


class UnitDesign(Design):
    """A design in the unit cube, mapped onto the space.

    Args:
        seed: draws the points.
    """

    @check_arguments
    def __init__(self, seed: Natural = 0) -> None:
        self.seed = seed

    @abstractmethod
    def draw_unit(self, n: int, dimensions: int, rng: np.random.Generator) -> np.ndarray:
        """Points (n, dimensions) in [0, 1)."""

    def make_points(self, space: Space, n: int) -> list[dict[str, Any]]:
        """The points of the cube, mapped parameter by parameter."""
        names = sorted(space)
        unit = self.draw_unit(n, len(names), np.random.default_rng(self.seed))
        return [
            {name: find_value(space[name], float(u)) for name, u in zip(names, row, strict=True)}
            for row in unit
        ]


class LatinHypercube(UnitDesign):
    """Every n-th of every parameter's range holds exactly one of n points.

    Args:
        seed: draws the points.
        optimization: improves the spread of the points: ``random-cd`` by permutations that lower
            the discrepancy; ``lloyd`` moves the points apart, and out of their n-ths; None does
            not.

    Raises:
        ConfigError: another optimization.

    Source: McKay, Beckman and Conover 1979; paper section 5.1.
    """

    @check_arguments
    def __init__(
        self, seed: Natural = 0, optimization: Literal["random-cd", "lloyd"] | None = None
    ) -> None:
        super().__init__(seed)
        self.optimization = optimization

    def draw_unit(self, n: int, dimensions: int, rng: np.random.Generator) -> np.ndarray:
        """A random point inside each chosen cell."""
        engine = qmc.LatinHypercube(dimensions, optimization=self.optimization, rng=rng)
        return engine.random(n)


class Sobol(UnitDesign):
    """Scrambled Sobol points; best when n is a power of two (Owen 1998)."""

    def draw_unit(self, n: int, dimensions: int, rng: np.random.Generator) -> np.ndarray:
        """The first n points of the sequence."""
        exponent = int(np.ceil(np.log2(n)))
        return qmc.Sobol(dimensions, rng=rng).random_base2(exponent)[:n]


class Halton(UnitDesign):
    """Scrambled Halton points, for any n (Owen 2017)."""

    def draw_unit(self, n: int, dimensions: int, rng: np.random.Generator) -> np.ndarray:
        """The first n points of the sequence."""
        return qmc.Halton(dimensions, rng=rng).random(n)


class Grid(Design):
    """Every combination of the values of discrete parameters.

    Args:
        seed: as every design takes one; here nothing is drawn.
    """

    @check_arguments
    def __init__(self, seed: Natural = 0) -> None:
        del seed

    def make_points(self, space: Space, n: int) -> list[dict[str, Any]]:
        """All combinations; ``n`` must be their number."""
        names = sorted(space)
        choices = [list_values(name, space[name]) for name in names]
        count = prod(len(choice) for choice in choices)
        if n != count:
            raise ConfigError(f"the grid has {count} points: set hydra.sweeper.n_trials={count}")
        return [dict(zip(names, point, strict=True)) for point in product(*choices)]
