"""What is searched: a distribution for each parameter, and the map onto it from [0, 1)."""

import math
from collections.abc import Mapping
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from dcsomrl.errors import ConfigError

Space = Mapping[str, BaseDistribution]


def find_value(distribution: BaseDistribution, u: float) -> Any:
    """The value below which a share u in [0, 1) of a distribution lies.

    n values of u, one in each n-th of [0, 1), so give one value in each n-th of the range: equal
    parts of it, of its logarithm, or equal numbers of its choices.
    """
    if isinstance(distribution, FloatDistribution) and distribution.step is None:
        if distribution.log:
            low, high = math.log(distribution.low), math.log(distribution.high)
            return math.exp(low + (high - low) * u)
        return distribution.low + (distribution.high - distribution.low) * u
    if isinstance(distribution, IntDistribution) and distribution.log:
        low, high = math.log(distribution.low), math.log(distribution.high + 1)
        return min(math.floor(math.exp(low + (high - low) * u)), distribution.high)
    choices = list_values("a parameter", distribution)
    return choices[math.floor(u * len(choices))]


def list_values(name: str, distribution: BaseDistribution) -> list[Any]:
    """All values of a distribution that has finitely many, in order.

    Raises:
        ConfigError: it is continuous.
    """
    if isinstance(distribution, CategoricalDistribution):
        return list(distribution.choices)
    if isinstance(distribution, IntDistribution):
        return list(range(distribution.low, distribution.high + 1, distribution.step))
    assert isinstance(distribution, FloatDistribution)
    if distribution.step is None:
        raise ConfigError(f"{name} is continuous: a grid needs choice(...) or range(...)")
    count = round((distribution.high - distribution.low) / distribution.step) + 1
    places = (distribution.low + i * distribution.step for i in range(count))
    return [min(place, distribution.high) for place in places]
