"""Which parameters of a finished search matter: a page, a table and figures in its folder."""

import contextlib
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
from optuna.distributions import BaseDistribution
from optuna.importance import FanovaImportanceEvaluator, get_param_importances

from dcsomrl.analysis import correlate_ranks, make_regressors, measure_sensitivity
from dcsomrl.errors import ConfigError
from dcsomrl.figures.parameters import (
    draw_coefficient_bars,
    draw_distribution_curve,
    draw_parameter_scatter,
)
from dcsomrl.search.outcome import PARAMETER, Outcome, shorten_names
from dcsomrl.writing import save_figure, tabulate, write_text

NAMES = {"src": "SRC", "srrc": "SRRC", "prcc": "PRCC"}
EXPLAINED = """\
SRC: change of the result per change of the parameter, both in standard deviations. SRRC: the same
for their ranks. PRCC: correlation of the ranks with all other parameters held fixed. In brackets:
95 % intervals; with eleven parameters, in one of two tables an interval excludes 0 by chance. p
is corrected for the number of parameters (Holm); values below 0.05 are **bold**. Importance: the
variance over the search's ranges that the parameter accounts for by itself, by Optuna's fANOVA (a
random forest; seed 0), relative to the other parameters, so that importances sum to 1. R2: the
share of the variance that all parameters explain linearly; corrected: what exceeds the share that
as many random parameters would explain.
"""


BY_ITSELF = """\
Rank correlation (Spearman) of each parameter by itself, ignoring the others, with 95 % intervals; p
with Holm's correction. With so few points, the importance, by Optuna's fANOVA, means little:
"""


def write_sensitivity(outcome: Outcome, metrics: Sequence[str], folder: Path) -> Path:
    """Write ``sensitivity.md``, ``coefficients.csv`` and the figures; returns the page's path.

    Where there are too few points for a regression, or a result is the same at every one, the page
    says so and shows the points, with rank correlations in ``correlations.csv`` if there are
    enough for that.

    Args:
        outcome: of the search.
        metrics: results to explain.
        folder: for the files.

    Raises:
        ConfigError: a result that the search does not have.
    """
    complete = outcome.points[outcome.points["state"] == "complete"]
    short = shorten_names(outcome.space)
    given = complete[[PARAMETER + name for name in outcome.space]]
    given = given.set_axis([short[name] for name in outcome.space], axis=1)
    logarithmic = frozenset(
        short[name] for name, dist in outcome.space.items() if getattr(dist, "log", False)
    )
    scaled = given.assign(**{name: given[name].map(math.log) for name in logarithmic})
    results = {metric: _take_result(complete, metric).dropna() for metric in metrics}
    tables: dict[str, pd.DataFrame] = {}
    simple: dict[str, pd.DataFrame] = {}
    parts = [
        "# Sensitivity\n",
        f"{len(complete)} points succeeded of {len(outcome.points)} tried.\n",
    ]
    folder.mkdir(parents=True, exist_ok=True)
    for metric, result in results.items():
        parts += [f"## {metric}\n", f"{len(result)} points.{_describe_range(result)}"]
        try:
            table, r2, rank_r2 = measure_sensitivity(scaled.loc[result.index], result)
        except ValueError as error:
            parts.append(f"No regression: {error}.\n")
            with contextlib.suppress(ValueError):
                table = correlate_ranks(scaled.loc[result.index], result)
                found = measure_importances(given.loc[result.index], result, outcome.space)
                by_name = {short[name]: value for name, value in found.items()}
                table["importance"] = table.index.map(by_name)
                simple[metric] = table
                parts.append(f"{BY_ITSELF}\n{_format_correlations(simple[metric])}")
        else:
            found = measure_importances(given.loc[result.index], result, outcome.space)
            table["importance"] = [found[name] for name in outcome.space]
            tables[metric] = table
            n, q = make_regressors(scaled.loc[result.index])[0].shape
            real, real_rank = (1 - (1 - one) * (n - 1) / (n - q - 1) for one in (r2, rank_r2))
            parts.append(
                f"R2 {r2:.3f} (corrected {real:.3f}), of the ranks {rank_r2:.3f} (corrected "
                f"{real_rank:.3f}).\n\n{_format_table(table)}"
            )
        if len(result):
            name = f"scatter-{re.sub(r'[^a-z0-9]+', '-', metric.lower())}.png"
            scatter = draw_parameter_scatter(given.loc[result.index], result, logarithmic)
            save_figure(scatter, folder / name)
            parts.append(f"![{metric} against every parameter]({name})\n")
    if tables:
        parts.insert(2, EXPLAINED)
        save_figure(draw_coefficient_bars(tables), folder / "coefficients.png")
        parts.append("![Coefficients of every parameter](coefficients.png)\n")
    for file, by_result in (("coefficients.csv", tables), ("correlations.csv", simple)):
        _write_table(by_result, folder / file)
    curves = {metric: result for metric, result in results.items() if len(result)}
    if curves:
        save_figure(draw_distribution_curve(curves), folder / "distribution.png")
        parts.append("![Share of the points by result](distribution.png)\n")
    page = folder / "sensitivity.md"
    write_text(page, "\n".join(parts))
    return page


def _write_table(by_result: Mapping[str, pd.DataFrame], path: Path) -> None:
    """Write what there is of all results; of nothing, leave no table of fewer points behind."""
    if by_result:
        write_text(path, pd.concat(by_result, names=["result", "parameter"]).to_csv())
    else:
        path.unlink(missing_ok=True)


def _describe_range(result: pd.Series) -> str:
    if result.empty:
        return "\n"
    return (
        f" Mean {result.mean():.3f}, deviation {result.std():.3f}, range {result.min():.3f} to "
        f"{result.max():.3f}.\n"
    )


def _take_result(points: pd.DataFrame, metric: str) -> pd.Series:
    known = [str(name) for name in points.select_dtypes("number") if name != "point"]
    known = [name for name in known if not name.startswith(PARAMETER)]
    if metric not in known:
        raise ConfigError(f"the search has no result {metric}: there are {', '.join(known)}")
    return points[metric].astype(float)


def measure_importances(
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


def _format_table(table: pd.DataFrame) -> str:
    header = ["parameter", *NAMES.values(), "p", "importance"]
    rows = []
    order = table["prcc"].abs().sort_values(ascending=False).index
    for parameter, row in table.loc[order].iterrows():
        cells = ["no order"] * len(NAMES) + [""]
        if not np.isnan(row["prcc"]):
            cells = [
                f"{row[name]:+.2f} ({row[f'{name}_low']:+.2f} to {row[f'{name}_high']:+.2f})"
                for name in NAMES
            ]
            cells.append(_format_p(row["p"]))
        rows.append([str(parameter), *cells, f"{row['importance']:.2f}"])
    return tabulate(header, rows)


def _format_correlations(table: pd.DataFrame) -> str:
    rows = []
    for parameter, row in table.sort_values("rho", key=abs, ascending=False).iterrows():
        rho = f"{row['rho']:+.2f} ({row['rho_low']:+.2f} to {row['rho_high']:+.2f})"
        rows.append([str(parameter), rho, _format_p(row["p"]), f"{row['importance']:.2f}"])
    return tabulate(["parameter", "rank correlation", "p", "importance"], rows)


def _format_p(value: float) -> str:
    text = "< 0.0001" if value < 1e-4 else f"{value:.2g}"
    return f"**{text}**" if value < 0.05 else text
