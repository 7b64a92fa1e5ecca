"""Optuna's samplers, which learn from the results so far, made anew for every point."""

from collections.abc import Callable
from functools import partial
from typing import Any

import optuna
from optuna.samplers import BaseSampler, BruteForceSampler, GridSampler
from optuna.trial import Trial

from dcsomrl.errors import ConfigError, shorten
from dcsomrl.search.space import Space

# Called with ``seed``.
MakeSampler = Callable[..., BaseSampler]


def suggest(study: optuna.Study, make: MakeSampler, space: Space, point: int) -> Trial:
    """A trial with the values that a sampler chooses for a point."""
    given = make.keywords.get("seed") if isinstance(make, partial) else None
    study.sampler = make(seed=(given or 0) + point)
    return study.ask(dict(space))


def check_sampler(make: Any, space: Space, n_objectives: int) -> None:
    """Refuse a sampler that cannot search a space, before anything is written.

    Raises:
        ConfigError: it is not made anew, lacks a package or is not for such a space.
    """
    if not callable(make):
        raise ConfigError(
            f"{type(make).__name__} is made anew for every point: add "
            "+hydra.sweeper.sampler._partial_=true"
        )
    kind = getattr(make, "func", make)
    # Both end Optuna's own loop after their last point, and there is none here.
    if kind in (BruteForceSampler, GridSampler):
        raise ConfigError(f"in place of {kind.__name__} use dcsomrl.search.Grid")
    study = optuna.create_study(directions=["minimize"] * n_objectives)
    try:
        # Some begin at random and say only then what they cannot do.
        for point in range(3):
            study.tell(suggest(study, make, space, point), [float(point)] * n_objectives)
    except (ImportError, TypeError, ValueError) as error:
        name = getattr(kind, "__name__", str(kind))
        raise ConfigError(f"{name} cannot be used here: {shorten(error)}") from error
