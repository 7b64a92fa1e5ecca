"""What a search shows while it goes on, and what it leaves."""

import logging
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pandas as pd
from optuna.trial import FrozenTrial, TrialState
from rich.console import Console
from rich.progress_bar import ProgressBar
from rich.table import Table

from dcsomrl.errors import ConfigError
from dcsomrl.search.best import EXPERIMENT, format_experiment, format_scores
from dcsomrl.search.outcome import collect_outcome, find_front, save, shorten_names
from dcsomrl.search.sensitivity_page import write_sensitivity
from dcsomrl.search.study import TABLE, Search
from dcsomrl.writing import write_text

log = logging.getLogger(__name__)
TOP = 5


class Progress:
    """A bar after every launch: points done, the best so far, the time left.

    Args:
        search: the search that it shows.
    """

    def __init__(self, search: Search) -> None:
        self._search = search
        self._began, self._before = time.monotonic(), len(search.list_finished())
        if self._before:
            log.info("resuming: %d of %d points are done", self._before, search.n_trials)

    def show(self) -> None:
        """Print the bar and save the points so far."""
        with self._search.writing:
            save(collect_outcome(self._search), self._search.folder)
        finished = self._search.list_finished()
        failed = sum(trial.state == TrialState.FAIL for trial in finished)
        # Whoever finished them: the processes that share a search share what is left, too.
        since = max(len(finished) - self._before, 1)
        passed = time.monotonic() - self._began
        left = (self._search.n_trials - len(finished)) * passed / since
        best = "none yet"
        if trials := self._search.list_completed():
            top = rank(trials, self._search.objectives)[0]
            best = f"{format_scores(top, self._search)} at point {top.user_attrs['point']}"
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


def rank(trials: Sequence[FrozenTrial], objectives: Mapping[str, str]) -> list[FrozenTrial]:
    """Best first; with several objectives by the mean of the ranks, so the first is undominated."""
    ranks = pd.DataFrame([trial.values for trial in trials])
    for column, direction in enumerate(objectives.values()):
        ranks[column] = ranks[column].rank(ascending=direction == "minimize")
    order = ranks.mean(axis=1).sort_values(kind="stable").index
    return [trials[i] for i in order]


def write_results(
    search: Search, fixed: Sequence[str], choices: Mapping[str, Any], again: str
) -> dict[str, Any]:
    """Write the experiment with the best settings, print the table of the top, draw the rest.

    Args:
        search: the search, as far as it has come.
        fixed: overrides that all its runs share.
        choices: of the groups of a run's configuration.
        again: the command that trains the best.

    Returns:
        The best point: its number, parameters and objectives; empty where none succeeded.
    """
    # The processes that share a search end one after another; who writes last has seen most.
    with search.writing:
        found = collect_outcome(search)
        save(found, search.folder)
        trials = search.list_completed()
        if not trials:
            log.warning("no point has succeeded; the errors are in %s", search.folder / TABLE)
            return {}
        best = rank(trials, search.objectives)
        file = search.folder / "experiment" / f"{EXPERIMENT}.yaml"
        file.parent.mkdir(exist_ok=True)
        write_text(file, format_experiment(best[0], search, fixed, choices))
        _print_top(best, search)
        _say(f"all points: {search.folder / TABLE}\nthe best: {again}")
        try:
            page = write_sensitivity(found, list(search.objectives), search.folder / "sensitivity")
            _say(f"what matters: {page}")
        except ConfigError as error:
            log.info("no sensitivity analysis: %s", error)
    return {
        "point": best[0].user_attrs["point"],
        "params": best[0].params,
        "objectives": dict(zip(search.objectives, best[0].values, strict=True)),
    }


def _print_top(best: Sequence[FrozenTrial], search: Search) -> None:
    """Print the first points and, with several objectives, the whole Pareto front."""
    undominated = find_front(search)
    shown = [*best[:TOP], *(trial for trial in best[TOP:] if trial.number in undominated)]
    for first in range(0, len(shown), TOP):
        Console().print(make_top_table(shown[first : first + TOP], search))
    if undominated:
        _say("* Pareto front: no other point is as good in all objectives and better in one")
    last = [trials[-1] for trials in search.list_attempts().values()]
    if running := sum(trial.state == TrialState.RUNNING for trial in last):
        _say(f"{running} more, begun by other processes, are not among these points yet")


def _say(line: str) -> None:
    Console().print(line, soft_wrap=True, highlight=False, markup=False)


def make_top_table(trials: Sequence[FrozenTrial], search: Search) -> Table:
    """The settings of some points, a column each."""
    undominated = find_front(search)
    table = Table(title=f"best of {len(search.list_completed())} points")
    table.add_column("point")
    for trial in trials:
        mark = "*" if trial.number in undominated else ""
        table.add_column(f"{trial.user_attrs['point']}{mark}", justify="right")
    for i, name in enumerate(search.objectives):
        table.add_row(name, *(f"{trial.values[i]:.4g}" for trial in trials))
    table.add_section()
    for key, name in shorten_names(search.space).items():
        values = [trial.params[key] for trial in trials]
        cells = [f"{value:.4g}" if isinstance(value, float) else str(value) for value in values]
        table.add_row(name, *cells)
    return table
