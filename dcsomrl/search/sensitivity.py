"""Which parameters of a finished search matter: a page, a table and figures in its folder."""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
from optuna.distributions import BaseDistribution
from optuna.importance import FanovaImportanceEvaluator, get_param_importances

from dcsomrl.analysis import sensitivity
from dcsomrl.errors import ConfigError
from dcsomrl.figures.sensitivity import coefficient_bars, distribution_curve, parameter_scatter
from dcsomrl.search.outcome import PARAMETER, Outcome, short_names

NAMES = {"src": "SRC", "srrc": "SRRC", "prcc": "PRCC"}
EXPLAINED = """
SRC: change of the result per change of the parameter, both in standard deviations. SRRC: the same
of their ranks. PRCC: correlation of the ranks with all other parameters held fixed. In brackets
95 % intervals; **bold** where the interval does not hold 0. Importance: variance over the search's
ranges that the parameter accounts for by itself, by Optuna's fANOVA (a random forest; seed 0),
relative to the other parameters, so that they sum to 1.
R2: share of the variance that all parameters explain linearly.
"""


def write_sensitivity(outcome: Outcome, metrics: Sequence[str], folder: Path) -> Path:
    """Write ``sensitivity.md``, ``coefficients.csv`` and the figures; returns the page's path.

    Args:
        outcome: of the search.
        metrics: results to explain.
        folder: for the files.

    Raises:
        ConfigError: a result that the search does not have, too few points, or a result that is
            the same at every point.
    """
    complete = outcome.points[outcome.points["state"] == "complete"]
    short = short_names(outcome.space)
    given = complete[[PARAMETER + name for name in outcome.space]]
    given = given.set_axis([short[name] for name in outcome.space], axis=1)
    logarithmic = frozenset(
        short[name] for name, dist in outcome.space.items() if getattr(dist, "log", False)
    )
    scaled = given.assign(**{name: given[name].map(math.log) for name in logarithmic})
    tables: dict[str, pd.DataFrame] = {}
    parts = [
        "# Sensitivity\n",
        f"{len(complete)} points succeeded of {len(outcome.points)} tried.\n{EXPLAINED}",
    ]
    folder.mkdir(parents=True, exist_ok=True)
    for metric in metrics:
        result = _result(complete, metric)
        kept = result.notna()
        try:
            table, r2, rank_r2 = sensitivity(scaled[kept], result[kept])
        except ValueError as error:
            raise ConfigError(str(error)) from error
        found = importances(given[kept], result[kept], outcome.space)
        table["importance"] = [found[name] for name in outcome.space]
        tables[metric] = table
        parts.append(
            f"## {metric}\n\n{kept.sum()} points. R2 {r2:.3f}, of the ranks {rank_r2:.3f}; mean "
            f"{result.mean():.3f}, deviation {result.std():.3f}, range {result.min():.3f} to "
            f"{result.max():.3f}.\n\n"
            f"{_markdown(table)}"
        )
        figure = parameter_scatter(given[kept], result[kept], logarithmic)
        figure.savefig(folder / f"scatter-{re.sub(r'[^a-z0-9]+', '-', metric.lower())}.png")
    coefficient_bars(tables).savefig(folder / "coefficients.png")
    curves = {metric: complete[metric].dropna() for metric in metrics}
    distribution_curve(curves).savefig(folder / "distribution.png")
    pd.concat(tables, names=["result", "parameter"]).to_csv(folder / "coefficients.csv")
    page = folder / "sensitivity.md"
    page.write_text("\n".join(parts))
    return page


def _result(points: pd.DataFrame, metric: str) -> pd.Series:
    known = [str(name) for name in points.select_dtypes("number") if name != "point"]
    known = [name for name in known if not name.startswith(PARAMETER)]
    if metric not in known:
        raise ConfigError(f"the search has no result {metric}: there are {', '.join(known)}")
    return points[metric].astype(float)


def importances(
    parameters: pd.DataFrame, result: pd.Series, space: Mapping[str, BaseDistribution]
) -> dict[str, float]:
    """Variance of a result by parameter, relative to their sum, by functional analysis of it.

    Args:
        parameters: a row a point, the columns in the order of the space.
        result: of every point.
        space: distribution of every parameter.

    Source: Hutter et al. 2014.
    """
    study = optuna.create_study()
    for row, value in zip(parameters.to_numpy(dtype=object), result, strict=True):
        study.add_trial(
            optuna.create_trial(
                params=dict(zip(space, row, strict=True)),
                distributions=dict(space),
                value=float(value),
            )
        )
    return get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0))


def _markdown(table: pd.DataFrame) -> str:
    lines = [["parameter", *NAMES.values(), "importance"], ["---"] * (len(NAMES) + 2)]
    order = table["prcc"].abs().sort_values(ascending=False).index
    for parameter, row in table.loc[order].iterrows():
        cells = []
        for name in NAMES:
            low, high = row[f"{name}_low"], row[f"{name}_high"]
            if np.isnan(row[name]):
                cells.append("no order")
                continue
            mark = "**" if low > 0 or high < 0 else ""
            cells.append(f"{mark}{row[name]:+.2f}{mark} ({low:+.2f} to {high:+.2f})")
        lines.append([str(parameter), *cells, f"{row['importance']:.2f}"])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
