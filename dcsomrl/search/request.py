"""What a command asks to search, in Hydra's grammar."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from optuna.distributions import BaseDistribution, CategoricalDistribution

from dcsomrl.errors import ConfigError
from dcsomrl.search.grammar import choose_value, format_value, read_distribution
from dcsomrl.search.stability import STABILITY
from dcsomrl.search.storage import Direction


class Request(NamedTuple):
    """What is searched, and what all runs share.

    Attributes:
        space: distribution of every parameter, by its key with the sign before it.
        swept: every parameter as it was written.
        fixed: the other overrides.
    """

    space: dict[str, BaseDistribution]
    swept: dict[str, str]
    fixed: list[str]

    def list_samples(self) -> list[list[str]]:
        """Overrides of jobs in which every choice comes up."""
        some = {key: choose_value(dist) for key, dist in self.space.items()}
        tried = [some] + [
            some | {key: format_value(choice)}
            for key, dist in self.space.items()
            if isinstance(dist, CategoricalDistribution)
            for choice in dist.choices[1:]
        ]
        return [[*self.fixed, *(f"{key}={value}" for key, value in job.items())] for job in tried]


def read_request(
    arguments: Sequence[str], params: Mapping[str, Any], loader: ConfigLoader, seeds: Sequence[int]
) -> Request:
    """Read overrides; those of the command line come before ``params``.

    Raises:
        ConfigError: nothing to search, or the seed is among them.
    """
    lines = [f"{key}={format_value(value)}" for key, value in params.items()]
    overrides = OverridesParser.create(loader).parse_overrides([*lines, *arguments])
    # Whatever the sign before it, a key is one setting.
    parsed = {o.get_key_element().lstrip("+~"): o for o in overrides}
    if "seed" in parsed:
        raise ConfigError(
            f"the seeds of a search are hydra.sweeper.seeds={list(seeds)}: set that instead of seed"
        )
    swept = [o for o in parsed.values() if o.is_sweep_override()]
    if not swept:
        raise ConfigError(
            "nothing is searched: give hydra.sweeper.params, as in conf/search, or an override "
            "such as 'model.alpha=interval(0.01,1)'"
        )
    return Request(
        {o.get_key_element(): read_distribution(o) for o in swept},
        {o.get_key_element(): str(o.value()) for o in swept},
        [o.input_line or "" for o in parsed.values() if not o.is_sweep_override()],
    )


def list_objectives(maximize: Sequence[str], minimize: Sequence[str]) -> dict[str, Direction]:
    """What is to be high and what low, by name.

    Raises:
        ConfigError: nothing, or something is to be both.
    """
    if both := set(maximize) & set(minimize):
        raise ConfigError(f"{min(both)} is to be both high and low: take it off one list")
    if not maximize and not minimize:
        raise ConfigError(
            "a search needs an objective, such as hydra.sweeper.maximize=[val/nmi] or "
            "hydra.sweeper.minimize=[val/quantization_error]"
        )
    low: dict[str, Direction] = dict.fromkeys(minimize, "minimize")
    high: dict[str, Direction] = dict.fromkeys(maximize, "maximize")
    return high | low


def check_numbers(
    goals: Mapping[str, Direction], seeds: Sequence[int], n_jobs: int, max_failures: float
) -> None:
    """Refuse settings of a search that make no sense.

    Raises:
        ConfigError: a value out of range, or too few seeds or the same twice.
    """
    if n_jobs < 1 or not 0 <= max_failures <= 1 or not seeds:
        raise ConfigError(
            "n_jobs must be at least 1, max_failures in [0, 1] and seeds not empty, got "
            f"{n_jobs}, {max_failures} and {list(seeds)}"
        )
    if len(set(seeds)) < len(seeds):
        raise ConfigError(f"every seed counts once: hydra.sweeper.seeds={list(seeds)} repeats one")
    if STABILITY in goals and len(seeds) < 2:
        raise ConfigError("stability compares seeds: set hydra.sweeper.seeds=[0,1] or more")
