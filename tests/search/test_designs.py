"""Designs and the map from the unit cube onto a space, against counts of strata."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import (
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from scipy.stats import qmc

from dcsomrl.errors import ConfigError
from dcsomrl.search import Grid, Halton, LatinHypercube, Sobol, find_value

UNIFORM = FloatDistribution(-2.0, 3.0)
LOG = FloatDistribution(1e-4, 10.0, log=True)
WHOLE = IntDistribution(10, 19)
CHOICE = CategoricalDistribution(["relu", "tanh", None])
SPACE = {"a": UNIFORM, "b": LOG, "c": WHOLE, "d": CHOICE}


def strata(distribution, values, n):
    """Which n-th of the range each value of a continuous parameter lies in."""
    scale = math.log if distribution.log else float
    low, high = scale(distribution.low), scale(distribution.high)
    return [math.floor((scale(value) - low) / (high - low) * n) for value in values]


def every_interval_holds_one(points):
    n = len(points)
    for name in ("a", "b"):
        values = [point[name] for point in points]
        assert sorted(strata(SPACE[name], values, n)) == list(range(n))
    # A value of a discrete parameter has a part of the unit interval: its n-ths, and those at the
    # two ends that it shares.
    for name, every in (("c", range(10, 20)), ("d", CHOICE.choices)):
        values = [point[name] for point in points]
        assert set(values) <= set(every)
        assert all(abs(values.count(value) - n / len(every)) < 2 for value in every)


@given(n=st.integers(1, 40), seed=st.integers(0, 1000))
def test_a_latin_hypercube_uses_every_interval_once(n, seed):
    points = LatinHypercube(seed).make_points(SPACE, n)
    assert len(points) == n
    every_interval_holds_one(points)


def test_an_optimised_hypercube_fills_every_stratum_once_and_is_spread_better():
    def discrepancy(points):
        return qmc.discrepancy(
            [[(point["a"] + 2) / 5, (point["c"] - 9.5) / 10] for point in points]
        )

    plain, spread = (LatinHypercube(4, how).make_points(SPACE, 12) for how in (None, "random-cd"))
    every_interval_holds_one(spread)
    assert discrepancy(spread) < discrepancy(plain)


def test_an_optimisation_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="optimization must be random-cd, lloyd or `None`"):
        LatinHypercube(0, "foo")


def test_points_differ_by_seed_and_are_random_within_their_strata():
    one, same, other = (
        [point["a"] for point in LatinHypercube(seed).make_points({"a": UNIFORM}, 8)]
        for seed in (1, 1, 2)
    )
    assert one == same != other
    inside = [(value - UNIFORM.low) / 5 * 8 % 1 for value in one]
    assert np.std(inside) > 0.1


@pytest.mark.parametrize("design", [Sobol, Halton])
def test_sequences_lie_in_the_space_and_spread_over_it(design):
    points = design(seed=3).make_points(SPACE, 32)
    assert len(points) == 32
    for name in ("a", "b"):
        counts = np.bincount(strata(SPACE[name], [point[name] for point in points], 4))
        assert counts.min() >= 6
    assert {point["d"] for point in points} == {"relu", "tanh", None}
    assert design(seed=3).make_points(SPACE, 32) == points


def test_a_grid_is_every_combination():
    space = {
        "c": IntDistribution(1, 7, step=3),
        "d": CHOICE,
        "e": FloatDistribution(0, 1, step=0.5),
    }
    points = Grid().make_points(space, 27)
    found = {(point["c"], point["d"], point["e"]) for point in points}
    assert found == set(product((1, 4, 7), ("relu", "tanh", None), (0.0, 0.5, 1.0)))
    with pytest.raises(ConfigError, match=r"27 points: set hydra\.sweeper\.n_trials=27"):
        Grid().make_points(space, 30)
    with pytest.raises(ConfigError, match="a is continuous"):
        Grid().make_points({"a": UNIFORM}, 3)


def test_steps_do_not_pass_the_end_of_a_range():
    tenths = FloatDistribution(0.1, 0.3, step=0.1)
    assert find_value(tenths, 0.99) == 0.3
    assert [point["e"] for point in Grid().make_points({"e": tenths}, 3)] == [0.1, 0.2, 0.3]


@given(u=st.floats(0, 1, exclude_max=True))
def test_values_lie_in_their_range(u):
    assert UNIFORM.low <= find_value(UNIFORM, u) <= UNIFORM.high
    assert LOG.low * (1 - 1e-12) <= find_value(LOG, u) <= LOG.high
    assert find_value(WHOLE, u) in range(10, 20)
    assert find_value(IntDistribution(1, 1000, log=True), u) in range(1, 1001)
    assert find_value(FloatDistribution(0, 1, step=0.25), u) in (0.0, 0.25, 0.5, 0.75, 1.0)


@pytest.mark.parametrize("distribution", [UNIFORM, LOG])
def test_the_inverse_of_a_distribution_has_the_share_below_it(distribution):
    """The inverse of the distribution function, seen by the share of evenly spread points below."""
    values = np.array([find_value(distribution, u) for u in (np.arange(1000) + 0.5) / 1000])
    middle = find_value(distribution, 0.3)
    assert (values < middle).mean() == pytest.approx(0.3)
    assert (np.diff(values) > 0).all()
