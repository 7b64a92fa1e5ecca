"""The loop of a search under Hydra: claim points, launch their runs, record what came of them."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import JobReturn, JobStatus
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict
from optuna.distributions import CategoricalDistribution

from dcsomrl.app import explain
from dcsomrl.errors import ConfigError, DcsomrlError
from dcsomrl.search.designs import Design
from dcsomrl.search.grammar import distribution, quoted, some_value, text
from dcsomrl.search.results import Progress, write_results
from dcsomrl.search.stability import STABILITY, stability
from dcsomrl.search.storage import Direction
from dcsomrl.search.study import Claim, MakeSampler, Search

log = logging.getLogger(__name__)
Launch = Callable[..., Sequence[JobReturn]]
# Settings of where and on what a search runs: these do not make it another search.
FREE = ("data_dir", "num_threads", "ckpt_path", "logger", "callbacks")


def sweep(
    arguments: list[str],
    config: DictConfig,
    loader: ConfigLoader,
    launch: Launch,
    validate: Callable[[Sequence[Sequence[str]]], None],
    params: Mapping[str, Any],
    sampler: Design | MakeSampler,
    n_trials: int,
    maximize: Sequence[str],
    minimize: Sequence[str],
    seeds: Sequence[int],
    n_jobs: int,
    max_failures: float,
    storage: str | None,
    retry_failed: bool,
) -> Any:
    """Try every point that is left, then write what the search found; returns that.

    Args:
        arguments: overrides of the command line; they come before ``params``.
        config: the composed configuration, with Hydra's own.
        loader: of configurations.
        launch: runs jobs.
        validate: composes jobs without running them.
        params: overrides of every job by key; those that sweep span the space.
        sampler: a design, or a maker of Optuna samplers.
        n_trials: points.
        maximize: results of the task that are to be high.
        minimize: and those that are to be low.
        seeds: of the runs of every point, whose results are averaged.
        n_jobs: points that are launched at once.
        max_failures: the search ends when a larger share of its points failed.
        storage: URL of a database; None for a journal file in the sweep's folder.
        retry_failed: whether points that have failed so far are tried once more.

    Raises:
        ConfigError: settings that do not fit each other, or a folder with another search.
        DcsomrlError: too many points failed.
    """
    objectives: dict[str, Direction] = dict.fromkeys(maximize, "maximize")
    objectives |= dict.fromkeys(minimize, "minimize")
    _check(objectives, seeds, n_jobs, max_failures)
    if both := set(maximize) & set(minimize):
        raise ConfigError(f"{min(both)} is to be both high and low: take it off one list")
    parser = OverridesParser.create(loader)
    parsed = {o.get_key_element(): o for o in parser.parse_overrides(_lines(params))}
    parsed |= {o.get_key_element(): o for o in parser.parse_overrides(arguments)}
    if "seed" in parsed:
        raise ConfigError(
            f"the seeds of a search are hydra.sweeper.seeds={list(seeds)}: set that instead of seed"
        )
    space = {key: distribution(o) for key, o in parsed.items() if o.is_sweep_override()}
    if not space:
        raise ConfigError(
            "nothing is searched: give hydra.sweeper.params, as in conf/search, or an override "
            "such as 'model.alpha=interval(0.01,1)'"
        )
    fixed = [o.input_line or "" for o in parsed.values() if not o.is_sweep_override()]
    some = {key: some_value(dist) for key, dist in space.items()}
    # Every choice: one that cannot be composed would stop the search whenever it comes up.
    tried = [some] + [
        some | {key: text(choice)}
        for key, dist in space.items()
        if isinstance(dist, CategoricalDistribution)
        for choice in dist.choices[1:]
    ]
    validate([[*fixed, *(f"{key}={value}" for key, value in job.items())] for job in tried])

    folder = Path(config.hydra.sweep.dir)
    folder.mkdir(parents=True, exist_ok=True)
    OmegaConf.save(config, folder / "multirun.yaml")
    settings = _settings(config, loader, fixed)
    definition = {
        "sampler": OmegaConf.to_container(config.hydra.sweeper.sampler, resolve=True),
        "seeds": list(seeds),
        **{key: str(parsed[key].value()) for key in space},
        **{key: value for key, value in settings.items() if key not in space},
    }
    search = Search(folder, space, sampler, n_trials, objectives, definition, storage, retry_failed)
    search.check_failures(max_failures)
    progress = Progress(search)
    # Points that a launch lost together: one of them ended their launcher.
    suspects = 0
    while claims := _claims(search, 1 if suspects else n_jobs):
        suspects = max(suspects - 1, 0)
        jobs = [
            [
                *fixed,
                *(f"{key}={text(value)}" for key, value in claim.params.items()),
                f"seed={seed}",
                "ckpt_path=last",
                # A job that chooses another model must not choose another folder by it.
                f"hydra.sweep.dir={quoted(folder)}",
                f"hydra.sweep.subdir={claim.point}/seed{seed}",
            ]
            for claim in claims
            for seed in seeds
        ]
        try:
            _check_unchanged(settings, _settings(config, loader, fixed))
            returned = launch(jobs, initial_job_idx=claims[0].point * len(seeds))
        except (ConfigError, HydraException, KeyboardInterrupt, SystemExit):
            _leave(search, claims)
            raise
        except Exception as error:  # of the launcher: a process of its own was killed
            log.warning("a launch ended without results: %s", error)
            if len(claims) == 1:
                search.fail(claims[0], f"{type(error).__name__}: {error}")
            else:
                _leave(search, claims)
                suspects = len(claims)
        else:
            for i, claim in enumerate(claims):
                _record(search, claim, returned[i * len(seeds) : (i + 1) * len(seeds)], seeds)
        progress.show()
        try:
            search.check_failures(max_failures)
        except DcsomrlError:
            write_results(search, fixed, config.hydra.runtime.choices)
            raise
    return write_results(search, fixed, config.hydra.runtime.choices)


def _lines(params: Mapping[str, Any]) -> list[str]:
    return [f"{key}={text(value)}" for key, value in params.items()]


def _settings(config: DictConfig, loader: ConfigLoader, fixed: list[str]) -> dict[str, Any]:
    """What every job is made of, by dotted key, without the values that are searched."""
    job = loader.load_sweep_config(config, [line for line in fixed if line])
    with open_dict(job):
        del job["hydra"]
    return dict(_leaves(OmegaConf.to_container(job)))


def _check_unchanged(before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Every job reads the configuration anew: refuse to mix two of them in one search."""
    changed = sorted(key for key in {*before, *now} if before.get(key) != now.get(key))
    if changed:
        raise ConfigError(
            f"the configuration has changed since this search was started ({', '.join(changed)}): "
            "set it back and start the search again"
        )


def _leaves(node: Any, prefix: str = "") -> Any:
    for key, value in node.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{name}.")
        elif name.split(".")[0] not in (*FREE, "seed") and not name.startswith("trainer.acc"):
            yield name, value


def _claims(search: Search, n_jobs: int) -> list[Claim]:
    claims: list[Claim] = []
    while len(claims) < n_jobs and (claim := search.claim()):
        claims.append(claim)
    return claims


def _leave(search: Search, claims: Sequence[Claim]) -> None:
    for claim in claims:
        search.leave(claim)


def _record(
    search: Search, claim: Claim, returned: Sequence[JobReturn], seeds: Sequence[int]
) -> None:
    """Results of a point's runs, or the first error among them."""
    for one in returned:
        if one.status != JobStatus.COMPLETED:
            error = one._return_value
            assert isinstance(error, Exception)
            sentence = explain(error, "train", []) or f"{type(error).__name__}: {error}"
            search.fail(claim, sentence)
            return
    results = [numbers(one.return_value) for one in returned]
    if STABILITY in search.objectives:
        try:
            agreement = stability([search.folder / f"{claim.point}/seed{seed}" for seed in seeds])
        except Exception as error:  # of one point, whatever it is
            search.fail(claim, f"stability: {explain(error, 'train', []) or error}")
            return
        results = [{**one, STABILITY: agreement} for one in results]
    first = returned[0].return_value
    commit = first.get("git_commit") if isinstance(first, Mapping) else None
    search.succeed(claim, results, commit)


def numbers(returned: Any) -> dict[str, float]:
    """What a task returned as numbers by name; a single number is called ``result``.

    Of a run that scored itself on the test split too, those scores are dropped: no choice of
    settings may see them.
    """
    if not isinstance(returned, Mapping):
        return {"result": float(returned)}
    tested = returned.get("split") == "test"
    return {
        name: float(value)
        for name, value in returned.items()
        if isinstance(value, (int, float))
        and not isinstance(value, bool)
        and (not tested or name.startswith("val/") or name in ("seconds", "epochs"))
    }


def _check(
    objectives: Mapping[str, Direction], seeds: Sequence[int], n_jobs: int, max_failures: float
) -> None:
    if not objectives:
        raise ConfigError(
            "a search needs an objective, such as hydra.sweeper.maximize=[val/nmi] or "
            "hydra.sweeper.minimize=[val/quantization_error]"
        )
    if n_jobs < 1 or not 0 <= max_failures <= 1 or not seeds:
        raise ConfigError(
            "n_jobs must be at least 1, max_failures in [0, 1] and seeds not empty, got "
            f"{n_jobs}, {max_failures} and {list(seeds)}"
        )
    if STABILITY in objectives and len(seeds) < 2:
        raise ConfigError("stability compares seeds: set hydra.sweeper.seeds=[0,1] or more")
