"""Hydra's override grammar, read as distributions, and values written back in it."""

from decimal import Decimal
from typing import Any

from hydra.core.override_parser.types import (
    ChoiceSweep,
    IntervalSweep,
    Override,
    RangeSweep,
    Transformer,
)
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from dcsomrl.errors import ConfigError


def read_distribution(override: Override) -> BaseDistribution:
    """The distribution of an override that sweeps, in Hydra's grammar.

    ``interval(a,b)`` is uniform, ``tag(log,interval(a,b))`` log-uniform, with ``int(...)`` around
    the interval over whole numbers, both ends included; ``range(a,b,step)`` excludes b;
    ``choice(...)``.

    Raises:
        ConfigError: an empty range, a logarithm of 0 or less or of what is not an interval, a glob.
    """
    value, key = override.value(), override.get_key_element()
    if not isinstance(value, (ChoiceSweep, RangeSweep, IntervalSweep)):
        raise ConfigError(
            f"{key}: {override.get_value_string()} is not searched: name the values, choice(a,b)"
        )
    log = "log" in value.tags
    if log and not isinstance(value, IntervalSweep):
        raise ConfigError(
            f"{key}: log goes with interval(a,b) or int(interval(a,b)), not with "
            f"{override.get_value_string()}"
        )
    try:
        if isinstance(value, IntervalSweep):
            assert value.start is not None
            assert value.end is not None
            if isinstance(value.start, int) and isinstance(value.end, int):
                return IntDistribution(value.start, value.end, log=log)
            return FloatDistribution(value.start, value.end, log=log)
        if isinstance(value, RangeSweep):
            numbers = [float(number) for number in value.range()]
            if all(number.is_integer() for number in (*numbers, float(value.step))):
                return IntDistribution(int(numbers[0]), int(numbers[-1]), step=int(value.step))
            # A sum of steps has their rounding errors, by which Optuna would cut off the last.
            last = Decimal(str(numbers[0])) + (len(numbers) - 1) * Decimal(str(value.step))
            return FloatDistribution(numbers[0], float(last), step=float(value.step))
        return CategoricalDistribution([_to_plain(element) for element in value.list])
    except (ValueError, IndexError) as error:
        raise ConfigError(f"{key}: no values in {override.get_value_string()} ({error})") from error


def _to_plain(element: Any) -> bool | int | float | str | None:
    """A choice as Optuna takes it: what is not a number or null as Hydra's grammar writes it."""
    if isinstance(element, bool | int | float | None):
        return element
    return str(Transformer.encode(element))


def format_value(value: Any) -> str:
    """A value as Hydra's grammar reads it back unchanged."""
    return "null" if value is None else str(value)


def quote(place: str) -> str:
    """A path or address as Hydra's grammar reads it back unchanged."""
    return "'" + place.replace("'", "\\'") + "'"


def choose_value(dist: BaseDistribution) -> str:
    """A value of a distribution: the first choice, or one in the middle."""
    if isinstance(dist, CategoricalDistribution):
        return format_value(dist.choices[0])
    assert isinstance(dist, FloatDistribution | IntDistribution)
    if dist.step is None:
        return format_value((dist.low + dist.high) / 2)
    return format_value(dist.low + dist.step * ((dist.high - dist.low) // dist.step // 2))
