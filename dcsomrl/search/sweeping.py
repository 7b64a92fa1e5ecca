"""The loop of a search under Hydra: claim points, launch their runs, record what came of them."""

import gc
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.utils import JobReturn, JobStatus
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict

from dcsomrl.errors import ConfigError, DcsomrlError
from dcsomrl.mistakes import explain
from dcsomrl.search.best import format_command
from dcsomrl.search.designs import Design
from dcsomrl.search.grammar import format_value, quote
from dcsomrl.search.objectives import check_objectives
from dcsomrl.search.request import check_numbers, list_objectives, read_request
from dcsomrl.search.results import Progress, write_results
from dcsomrl.search.samplers import MakeSampler
from dcsomrl.search.stability import STABILITY, list_packages, measure_stability
from dcsomrl.search.study import Claim, Search

log = logging.getLogger(__name__)
Launch = Callable[..., Sequence[JobReturn]]
# Settings of where and on what a search runs: these do not make it another search.
FREE = ("data_dir", "num_threads", "init", "trust", "ckpt_path", "logger", "callbacks")


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
    if not isinstance(sampler, Design) and not callable(sampler):
        raise ConfigError(
            "hydra.sweeper.sampler must be settings with _target_, such as "
            f"dcsomrl.search.LatinHypercube, got {format_value(sampler)}"
        )
    goals = list_objectives(maximize, minimize)
    check_numbers(goals, seeds, n_jobs, max_failures)
    asked = read_request(arguments, params, loader, seeds)
    samples = asked.list_samples()
    # Every choice: one that cannot be composed would stop the search whenever it comes up.
    validate(samples)
    choices = loader.load_sweep_config(config, samples[0]).hydra.runtime.choices
    check_objectives(goals, asked, config, loader)
    job = _compose_job(config, loader, asked.fixed)
    settings = dict(_list_leaves(job))
    definition = {
        "sampler": OmegaConf.to_container(config.hydra.sweeper.sampler, resolve=True),
        "seeds": list(seeds),
        **asked.swept,
        **{key: value for key, value in settings.items() if key not in asked.space},
    }
    folder = Path(config.hydra.sweep.dir)
    search = Search(
        folder, asked.space, sampler, n_trials, goals, definition, storage, retry_failed, job
    )
    OmegaConf.save(config, folder / "multirun.yaml")
    search.check_failures(max_failures)
    progress = Progress(search)

    def jobs(claims: Sequence[Claim]) -> list[list[str]]:
        """Overrides of every run of some points."""
        _check_unchanged(settings, dict(_list_leaves(_compose_job(config, loader, asked.fixed))))
        return [_make_job(asked.fixed, claim, seed, folder) for claim in claims for seed in seeds]

    finish = partial(
        write_results,
        search,
        asked.fixed,
        choices,
        format_command(config.hydra, folder, asked.fixed),
    )
    # Points that a launch lost together: one of them ended their launcher.
    suspects = 0
    while claims := _claim(search, 1 if suspects else n_jobs):
        suspects = max(suspects - 1, 0)
        if not _attempt(search, claims, seeds, jobs, launch) and len(claims) > 1:
            suspects = len(claims)
        # Models and their trainers refer to each other: the next point needs their memory.
        gc.collect()
        progress.show()
        try:
            search.check_failures(max_failures)
        except DcsomrlError:
            finish()
            raise
    return finish()


def _make_job(fixed: Sequence[str], claim: Claim, seed: int, folder: Path) -> list[str]:
    return [
        *fixed,
        *(f"{key}={format_value(value)}" for key, value in claim.params.items()),
        f"seed={seed}",
        "ckpt_path=last",
        # A job that chooses another model must not choose another folder by it.
        f"hydra.sweep.dir={quote(str(folder))}",
        f"hydra.sweep.subdir={claim.point}/seed{seed}",
    ]


def _attempt(
    search: Search,
    claims: Sequence[Claim],
    seeds: Sequence[int],
    jobs: Callable[[Sequence[Claim]], list[list[str]]],
    launch: Launch,
) -> bool:
    """Launch points and record what came of them; False where there are no results of any.

    What runs return, and the frames of their errors with the models in them, ends with this call.
    """
    try:
        returned = launch(jobs(claims), initial_job_idx=claims[0].point * len(seeds))
    except (ConfigError, HydraException, KeyboardInterrupt, SystemExit):
        _leave(search, claims)
        raise
    except Exception as error:  # of the launcher: a process of its own was killed
        log.warning("a launch ended without results: %s", error)
        if len(claims) == 1:
            search.fail(claims[0], f"{type(error).__name__}: {error}")
        else:
            _leave(search, claims)
        return False
    for i, claim in enumerate(claims):
        _record(search, claim, returned[i * len(seeds) : (i + 1) * len(seeds)], seeds)
    return True


def _compose_job(config: DictConfig, loader: ConfigLoader, fixed: list[str]) -> dict[str, Any]:
    """What every job is made of, without the values that are searched."""
    job = loader.load_sweep_config(config, [line for line in fixed if line])
    with open_dict(job):
        del job["hydra"]
    container: Any = OmegaConf.to_container(job)
    return container


def _check_unchanged(before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Every job reads the configuration anew: refuse to mix two of them in one search."""
    changed = sorted(key for key in {*before, *now} if before.get(key) != now.get(key))
    if changed:
        raise ConfigError(
            f"the configuration has changed since this search was started ({', '.join(changed)}): "
            "set it back and start the search again"
        )


def _list_leaves(node: Any, prefix: str = "") -> Any:
    """Settings by dotted key, without those of where and on what a run is made."""
    for key, value in node.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and value:
            yield from _list_leaves(value, f"{name}.")
        elif name.split(".")[0] not in (*FREE, "seed") and not name.startswith("trainer.acc"):
            yield name, value


def _claim(search: Search, n_jobs: int) -> list[Claim]:
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
    results = [read_numbers(one.return_value) for one in returned]
    if STABILITY in search.objectives:
        try:
            runs = [search.folder / f"{claim.point}/seed{seed}" for seed in seeds]
            agreement = measure_stability(runs, list_packages(returned[0].cfg or {}))
        except Exception as error:  # of one point, whatever it is
            search.fail(claim, f"stability: {explain(error, 'train', []) or error}")
            return
        results = [{**one, STABILITY: agreement} for one in results]
    first = returned[0].return_value
    commit = first.get("git_commit") if isinstance(first, Mapping) else None
    search.succeed(claim, results, commit)


def read_numbers(returned: Any) -> dict[str, float]:
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
