"""What a search shows while it goes on, and what it leaves."""

import logging
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pandas as pd
from omegaconf import OmegaConf
from optuna.trial import FrozenTrial, TrialState
from rich.console import Console
from rich.progress_bar import ProgressBar
from rich.table import Table

from dcsomrl.errors import ConfigError
from dcsomrl.search.outcome import TABLE, outcome, save, short_names
from dcsomrl.search.sensitivity import write_sensitivity
from dcsomrl.search.study import Search

log = logging.getLogger(__name__)
TOP = 5
# Groups that say what is trained; the others only where.
WHAT = ("dataset", "autoencoder", "model")
ELSEWHERE = ("hydra", "data_dir", "num_threads", "ckpt_path", "seed")
EXPERIMENT = "best"


class Progress:
    """A bar after every launch: points done, the best so far, the time left.

    Args:
        search: the search that it shows.
    """

    def __init__(self, search: Search) -> None:
        self._search = search
        self._began, self._before = time.monotonic(), len(search.finished())
        if self._before:
            log.info("resuming: %d of %d points are done", self._before, search.n_trials)

    def show(self) -> None:
        """Print the bar and save the points so far."""
        save(outcome(self._search), self._search.folder)
        finished = self._search.finished()
        failed = sum(trial.state == TrialState.FAIL for trial in finished)
        # Whoever finished them: the processes that share a search share what is left, too.
        since = max(len(finished) - self._before, 1)
        passed = time.monotonic() - self._began
        left = (self._search.n_trials - len(finished)) * passed / since
        best = "none yet"
        if trials := self._search.completed():
            top = ranked(trials, self._search.objectives)[0]
            best = f"{_scores(top, self._search)} at point {top.user_attrs['point']}"
        console = Console(stderr=True)
        console.print(
            ProgressBar(self._search.n_trials, len(finished), width=30),
            f" {len(finished)}/{self._search.n_trials}, {failed} failed, "
            f"{timedelta(seconds=round(left))} left; best: {best}",
            sep="",
            end="\n",
            highlight=False,
            soft_wrap=True,
        )


def ranked(trials: Sequence[FrozenTrial], objectives: Mapping[str, str]) -> list[FrozenTrial]:
    """Best first; with several objectives by the mean of the ranks, so the first is undominated."""
    ranks = pd.DataFrame([trial.values for trial in trials])
    for column, direction in enumerate(objectives.values()):
        ranks[column] = ranks[column].rank(ascending=direction == "minimize")
    order = ranks.mean(axis=1).sort_values(kind="stable").index
    return [trials[i] for i in order]


def write_results(
    search: Search, fixed: Sequence[str], choices: Mapping[str, str | None]
) -> dict[str, Any]:
    """Write the experiment with the best settings, print the table of the top, draw the rest.

    Args:
        search: the search, as far as it has come.
        fixed: overrides that all its runs share.
        choices: of the groups of the configuration.

    Returns:
        The best point: its number, parameters and objectives; empty where none succeeded.
    """
    found = outcome(search)
    save(found, search.folder)
    trials = search.completed()
    if not trials:
        log.warning("no point has succeeded; the errors are in %s", search.folder / TABLE)
        return {}
    best = ranked(trials, search.objectives)
    file = search.folder / "experiment" / f"{EXPERIMENT}.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(experiment(best[0], search, fixed, choices))
    console = Console()
    console.print(top_table(best[:TOP], search))
    console.print(
        f"all points: {search.folder / TABLE}\n"
        f"the best: python -m dcsomrl.train --config-dir {search.folder} experiment={EXPERIMENT}",
        soft_wrap=True,
        highlight=False,
    )
    try:
        page = write_sensitivity(found, list(search.objectives), search.folder / "sensitivity")
        console.print(f"what matters: {page}", soft_wrap=True, highlight=False)
    except ConfigError as error:
        log.info("no sensitivity analysis: %s", error)
    return {
        "point": best[0].user_attrs["point"],
        "params": best[0].params,
        "objectives": dict(zip(search.objectives, best[0].values, strict=True)),
    }


def top_table(trials: Sequence[FrozenTrial], search: Search) -> Table:
    """The settings of some points, a column each."""
    front = {trial.number for trial in search.study.best_trials}
    several = len(search.objectives) > 1
    table = Table(title=f"best of {len(search.completed())} points")
    table.add_column("point")
    for trial in trials:
        mark = "*" if several and trial.number in front else ""
        table.add_column(f"{trial.user_attrs['point']}{mark}", justify="right")
    for i, name in enumerate(search.objectives):
        table.add_row(name, *(f"{trial.values[i]:.4g}" for trial in trials))
    table.add_section()
    for key, name in short_names(search.space).items():
        values = [trial.params[key] for trial in trials]
        cells = [f"{value:.4g}" if isinstance(value, float) else str(value) for value in values]
        table.add_row(name, *cells)
    if several:
        table.caption = "* no other point is better in all objectives"
    return table


def experiment(
    trial: FrozenTrial, search: Search, fixed: Sequence[str], choices: Mapping[str, str | None]
) -> str:
    """The settings of a point as a file of the group ``experiment``."""
    overrides = [line.lstrip("+").partition("=") for line in fixed]
    given = {key: value for key, _, value in overrides} | trial.params
    # A chosen experiment brings its own groups; those of the command line come on top.
    base = choices.get("experiment")
    groups = {key: choices[key] for key in WHAT if choices.get(key) and (not base or key in given)}
    groups |= {key: given[key] for key in (*WHAT, "settings", "trainer") if key in given}
    settings: dict[str, Any] = {
        key: value
        for key, value in given.items()
        if key not in choices and key.split(".")[0] not in ELSEWHERE
    }
    tree = OmegaConf.create({"name": f"{EXPERIMENT}_{search.folder.name}"})
    for key, value in settings.items():
        parsed = OmegaConf.create(f"value: {value}").value if isinstance(value, str) else value
        OmegaConf.update(tree, key, parsed)
    origin = f"point {trial.user_attrs['point']} of {search.folder.name}"
    lines = ["# @package _global_", f"# {origin.capitalize()}: {_scores(trial, search)}."]
    lines += ["defaults:", *([f"  - {base}"] if base else [])]
    lines += [f"  - override /{key}: {value}" for key, value in groups.items()]
    return "\n".join(lines) + "\n\n" + OmegaConf.to_yaml(tree)


def _scores(trial: FrozenTrial, search: Search) -> str:
    pairs = zip(search.objectives, trial.values, strict=True)
    return ", ".join(f"{name} {value:.4f}" for name, value in pairs)
