"""A search that several processes work on at once and that survives their deaths."""

import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

from dcsomrl.errors import ConfigError, DcsomrlError
from dcsomrl.locks import Lock, claim, make_lock
from dcsomrl.migrations import list_differences
from dcsomrl.search.designs import Design
from dcsomrl.search.samplers import MakeSampler, check_sampler, suggest
from dcsomrl.search.space import Space
from dcsomrl.search.storage import Direction, open_study

optuna.logging.set_verbosity(optuna.logging.WARNING)
# Times that a point is begun before it counts as one that kills its process.
ATTEMPTS = 3
INTERRUPTED = "interrupted"

# The table of the points so far, in the folder.
TABLE = "trials.csv"


@dataclass
class Claim:
    """A point that this process works on; the lock goes with the process, however it ends.

    Attributes:
        point: its number, from 0.
        params: value of every parameter.
    """

    point: int
    params: dict[str, Any]
    trial: Trial
    lock: Lock


class Search:
    """Points to try, and what came of them, in an Optuna study.

    Processes that share the folder share the search: each point is claimed by one of them, and a
    point whose process died is claimed again, with the same values.

    Args:
        folder: of the search; a point's runs lie in ``<folder>/<point>``.
        space: distribution of every parameter.
        sampler: a design, or a maker of Optuna samplers, called for every point with ``seed``, its
            own and the point's number.
        n_trials: points, at least 1.
        objectives: ``minimize`` or ``maximize`` by the name of a result.
        definition: plain values that a search must keep to be resumed; compared by name.
        storage: URL of a database, None for a journal file in the folder.
        retry_failed: whether points that have failed so far are tried once more.
        config: of its runs, whose constructors say what a setting was before it existed.

    Attributes:
        writing: held by the process that writes what was found into the folder.

    Raises:
        ConfigError: a value out of range, or a folder with another search.
    """

    def __init__(
        self,
        folder: Path,
        space: Space,
        sampler: Design | MakeSampler,
        n_trials: int,
        objectives: Mapping[str, Direction],
        definition: Mapping[str, Any],
        storage: str | None = None,
        retry_failed: bool = False,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        if n_trials < 1:
            raise ConfigError(f"n_trials must be at least 1, got {n_trials}")
        for name, direction in objectives.items():
            if direction not in ("minimize", "maximize"):
                raise ConfigError(f"objective {name}: {direction} is not minimize or maximize")
        self.folder, self.space, self.objectives = folder, dict(space), dict(objectives)
        self.n_trials = n_trials
        if not isinstance(sampler, Design):
            check_sampler(sampler, space, len(objectives))
        self._sampler = None if isinstance(sampler, Design) else sampler
        self._points = sampler.make_points(space, n_trials) if isinstance(sampler, Design) else None
        self._claims = make_lock(folder, "claims")
        self.writing = make_lock(folder, "results")
        with self._claims:
            reported = _count_reported(folder)
            self.study = open_study(folder, storage, list(objectives.values()))
            if len(self.list_attempts()) < reported:
                raise ConfigError(
                    f"{folder / TABLE} has {reported} points, and the search's "
                    f"{'journal' if storage is None else 'database'} knows of "
                    f"{len(self.list_attempts())}: put back what was there, or choose another "
                    "folder with hydra.sweep.dir"
                )
            self._keep({**definition, "objectives": self.objectives}, config or {})
        failed = [trial for trial in self.list_finished() if trial.state == TrialState.FAIL]
        self._again = {trial.number for trial in failed} if retry_failed else set()

    def _keep(self, definition: Mapping[str, Any], config: Mapping[str, Any]) -> None:
        """Record what the search is; refuse to go on with another one."""
        now = json.loads(json.dumps(definition))
        # Samplers that learn may be given more points; a design is one of its number.
        if self._points is not None:
            now["n_trials"] = self.n_trials
        saved = self.study.user_attrs.get("definition")
        if saved is None:
            self.study.set_user_attr("definition", now)
        elif differing := list_differences(saved, now, config):
            raise ConfigError(
                f"{self.folder} holds another search ({'; '.join(differing)}): set these back, or "
                "choose another folder with hydra.sweep.dir"
            )

    def list_attempts(self) -> dict[int, list[FrozenTrial]]:
        """Trials by their point, in order; those that died before they had one are left out."""
        found: dict[int, list[FrozenTrial]] = {}
        for trial in self.study.get_trials(deepcopy=False):
            if "point" in trial.user_attrs:
                found.setdefault(trial.user_attrs["point"], []).append(trial)
        return dict(sorted(found.items()))

    def list_finished(self) -> list[FrozenTrial]:
        """The last attempt of every point that has succeeded or failed."""
        last = [trials[-1] for trials in self.list_attempts().values()]
        return [trial for trial in last if trial.state in (TrialState.COMPLETE, TrialState.FAIL)]

    def list_completed(self) -> list[FrozenTrial]:
        """The points with results."""
        return [trial for trial in self.list_finished() if trial.state == TrialState.COMPLETE]

    def claim(self) -> Claim | None:
        """A point that nobody works on, or None where there is none left."""
        with self._claims:
            attempts = self.list_attempts()
            for point, trials in attempts.items():
                if self._is_open(trials[-1]) and (lock := claim(self.folder / str(point))):
                    # It may have been finished between the two looks.
                    trials = self.list_attempts()[point]
                    if self._is_open(trials[-1]):
                        begun = None
                        asked = trials[-1].number in self._again
                        deaths = sum(INTERRUPTED not in trial.user_attrs for trial in trials)
                        if asked or deaths < ATTEMPTS:
                            begun = self._begin(point, trials[-1].params, lock)
                        # Only now: a death in between would leave a point that has failed.
                        self._abandon(trials)
                        if begun is not None:
                            return begun
                    lock.release()
            point = len(attempts)
            if point >= self.n_trials or (lock := claim(self.folder / str(point))) is None:
                return None
            return self._begin(point, self._points[point] if self._points else None, lock)

    def _is_open(self, trial: FrozenTrial) -> bool:
        """Whether a point whose last attempt this is may be begun again, if nobody is at it."""
        return trial.state == TrialState.RUNNING or trial.number in self._again

    def _abandon(self, trials: Sequence[FrozenTrial]) -> None:
        """End the attempts at a point whose process died."""
        for trial in trials:
            if trial.state == TrialState.RUNNING:
                Trial(self.study, trial._trial_id).set_user_attr("error", "its process died")
                self.study.tell(trial.number, state=TrialState.FAIL)

    def _begin(self, point: int, params: Mapping[str, Any] | None, lock: Lock) -> Claim:
        """Start a trial with given values, or with those that the sampler asks for."""
        if params is None:
            assert self._sampler is not None
            trial = suggest(self.study, self._sampler, self.space, point)
        else:
            self.study.enqueue_trial(dict(params))
            trial = self.study.ask(self.space)
        # What a process left that died right here would be given out first.
        while params is not None and trial.params != params:
            self.study.tell(trial, state=TrialState.FAIL)
            trial = self.study.ask(self.space)
        trial.set_user_attr("point", point)
        return Claim(point, trial.params, trial, lock)

    def succeed(
        self, claim: Claim, results: Sequence[Mapping[str, float]], commit: str | None = None
    ) -> None:
        """Record a point's results; an objective that is not finite is a failure.

        Args:
            claim: the point.
            results: one mapping a seed.
            commit: of the code that they come from.

        Raises:
            ConfigError: an objective is not among the results.
        """
        means = {name: _average([one[name] for one in results]) for name in results[0]}
        absent = [name for name in self.objectives if name not in means]
        if absent:
            self.fail(claim, f"there is no result {absent[0]}")
            raise ConfigError(
                f"objective {absent[0]} is not among the results: {', '.join(sorted(means))}"
            )
        values = [means[name] for name in self.objectives]
        if not all(map(math.isfinite, values)):
            named = ", ".join(f"{name} is {means[name]}" for name in self.objectives)
            self.fail(claim, f"an objective is not a number: {named}")
            return
        claim.trial.set_user_attr("results", [dict(one) for one in results])
        claim.trial.set_user_attr("git_commit", commit)
        self.study.tell(claim.trial, values)
        claim.lock.release()

    def fail(self, claim: Claim, error: str) -> None:
        """Record that a point failed, and why."""
        claim.trial.set_user_attr("error", error)
        self.study.tell(claim.trial, state=TrialState.FAIL)
        claim.lock.release()

    def leave(self, claim: Claim) -> None:
        """Leave a point to be taken up again; this is not an attempt that killed its process."""
        claim.trial.set_user_attr(INTERRUPTED, True)
        claim.lock.release()

    def check_failures(self, limit: float) -> None:
        """Stop a search that mostly fails.

        Raises:
            DcsomrlError: of all its points a larger share than ``limit`` has failed.
        """
        failed = [
            trial
            for trial in self.list_finished()
            if trial.state == TrialState.FAIL and trial.number not in self._again
        ]
        if len(failed) > limit * self.n_trials:
            raise DcsomrlError(
                f"{len(failed)} of {self.n_trials} points failed, more than a share of {limit}; "
                f"the last: {failed[-1].user_attrs.get('error', 'unknown')}; fix the cause and "
                "add hydra.sweeper.retry_failed=true"
            )


def _count_reported(folder: Path) -> int:
    """Points in the table of a search; none where there is no table, or one that is damaged."""
    try:
        with (folder / TABLE).open(newline="", encoding="utf-8") as file:
            return max(sum(1 for _ in csv.reader(file)) - 1, 0)
    except (OSError, ValueError, csv.Error):
        return 0


def _average(values: Sequence[float]) -> float:
    return sum(values) / len(values)
