"""What came of a search, as a table that outlives its study."""

import json
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    distribution_to_json,
    json_to_distribution,
)

from dcsomrl.errors import DataError
from dcsomrl.kept import MEANING
from dcsomrl.search.study import TABLE, Search
from dcsomrl.writing import write_text

PARAMETER = "params/"


class Outcome(NamedTuple):
    """A search as far as it has come.

    Attributes:
        points: a row a point: ``point``, ``state`` (complete or fail), ``error``, with
            several objectives ``pareto`` (see :func:`find_front`), a column ``params/<name>`` for
            every parameter, then the mean of every result over the seeds and, where there are
            several, its ``<result> deviation``; ``git_commit`` of the code, where it is known.
        space: distribution of every parameter.
        objectives: ``minimize`` or ``maximize`` by the name of a result.
    """

    points: pd.DataFrame
    space: dict[str, BaseDistribution]
    objectives: Mapping[str, str]


def collect_outcome(search: Search) -> Outcome:
    """The outcome of a search that is open."""
    rows = []
    undominated = find_front(search)
    for trial in search.list_finished():
        row: dict[str, Any] = {
            "point": trial.user_attrs["point"],
            "state": trial.state.name.lower(),
            "error": trial.user_attrs.get("error"),
        }
        if len(search.objectives) > 1:
            row["pareto"] = trial.number in undominated
        row |= {f"{PARAMETER}{name}": value for name, value in trial.params.items()}
        results = trial.user_attrs.get("results", []) if row["state"] == "complete" else []
        for name in results[0] if results else ():
            over_seeds = [one[name] for one in results]
            row[name] = statistics.fmean(over_seeds)
            if len(over_seeds) > 1:
                # Not that of the statistics module: a result other than an objective may be NaN.
                row[f"{name} deviation"] = float(np.std(over_seeds, ddof=1))
        if commit := trial.user_attrs.get("git_commit"):
            row["git_commit"] = commit
        rows.append(row)
    return Outcome(pd.DataFrame(rows), search.space, search.objectives)


def find_front(search: Search) -> set[int]:
    """Numbers of the trials on the Pareto front: no other is as good in all and better in one.

    Of a single objective there is none.
    """
    several = len(search.objectives) > 1
    return {trial.number for trial in search.study.best_trials} if several else set()


def save(found: Outcome, folder: Path) -> None:
    """Write ``trials.csv`` and ``search.json`` into a folder; a reader never sees half of one."""
    meaning = {
        "objectives": dict(found.objectives),
        "space": {name: json.loads(distribution_to_json(d)) for name, d in found.space.items()},
    }
    write_text(folder / TABLE, found.points.to_csv(index=False))
    write_text(folder / MEANING, json.dumps(meaning, indent=2) + "\n")


def read(folder: Path) -> Outcome:
    """The outcome that a search left in its folder.

    Raises:
        DataError: the folder holds none.
    """
    try:
        meaning = json.loads((folder / MEANING).read_text())
        space = {
            name: json_to_distribution(json.dumps(value))
            for name, value in meaning["space"].items()
        }
        objectives = meaning["objectives"]
        if not isinstance(objectives, dict) or not objectives:
            raise TypeError(f"{MEANING} names no objectives")
        points = pd.read_csv(folder / TABLE, dtype={"error": str, "git_commit": str})
        # A choice may be None, nan or 032.
        texts = pd.read_csv(folder / TABLE, dtype=str, keep_default_na=False)
        for name, distribution in space.items():
            column = PARAMETER + name
            if isinstance(distribution, CategoricalDistribution):
                points[column] = _restore_types(texts[column], distribution)
            elif column not in points:
                raise KeyError(column)
        return Outcome(points, space, objectives)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise DataError(
            f"{folder} holds no outcome of a search, {TABLE} and {MEANING}: give the folder of "
            f"python -m dcsomrl.train -m search=... ({error})"
        ) from error


def _restore_types(column: pd.Series, distribution: CategoricalDistribution) -> pd.Series:
    """A column of a CSV file with the choices of a distribution as they were."""
    by_text = {"" if one is None else str(one): one for one in distribution.choices}
    by_text |= {str(float(one)): one for one in distribution.choices if isinstance(one, int)}
    typed = [by_text[text] for text in column]
    numbers = all(type(one) in (int, float) for one in distribution.choices)
    return pd.Series(typed, index=column.index, dtype=None if numbers else object)


def shorten_names(space: Mapping[str, BaseDistribution]) -> dict[str, str]:
    """The last part of every parameter's name, or the whole where others end the same."""
    last = {name: name.rpartition(".")[2] for name in space}
    often = [name for name in last.values() if list(last.values()).count(name) > 1]
    return {name: name if short in often else short for name, short in last.items()}
