"""What a search saw of its parameters: scatter, coefficients, and the distribution of results.

Numbered figures, tables, sections and equations are those of "Shaping latent representations using
Self-Organizing Maps with Relevance Learning", submitted to ICLR 2022.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dcsomrl.figures.text import escape

BLUE, RED, GREY = "#4477aa", "#cc3311", "#bbbbbb"
COLUMNS = 4
TITLES = {
    "src": "standardised regression",
    "srrc": "rank regression",
    "prcc": "partial rank correlation",
}


def draw_parameter_scatter(
    parameters: pd.DataFrame, result: pd.Series, logarithmic: frozenset[str] = frozenset()
) -> Figure:
    """A result against every parameter, a panel each, with the mean of each fifth (Fig. 6).

    Args:
        parameters: a row a point, a column a parameter.
        result: of every point.
        logarithmic: parameters drawn on a logarithmic axis.
    """
    rows = -(-parameters.shape[1] // COLUMNS)
    columns = min(COLUMNS, parameters.shape[1])
    figure = Figure(figsize=(2.9 * columns, 2.3 * rows + 0.3), layout="constrained", dpi=130)
    axes = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for axis, name in zip(axes.flat, parameters, strict=False):
        values = parameters[name]
        if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
            _draw_numbers(axis, values, result)
            if name in logarithmic:
                axis.set_xscale("log")
        else:
            axis.scatter(
                values.fillna("null").astype(str).map(escape), result, s=14, color=BLUE, alpha=0.8
            )
            axis.margins(x=0.3)
        axis.set_xlabel(str(name))
        axis.spines[["top", "right"]].set_visible(False)
    for axis in axes.flat[parameters.shape[1] :]:
        axis.set_visible(False)
    figure.supylabel(str(result.name))
    figure.supxlabel("dot: a point of the search; line: mean of each fifth of them", fontsize=9)
    return figure


def _draw_numbers(axis: Axes, values: pd.Series, result: pd.Series) -> None:
    axis.scatter(values, result, s=14, color=BLUE, alpha=0.8, linewidths=0)
    fifths = np.array_split(values.to_numpy().argsort(kind="stable"), min(5, len(values)))
    middle = [values.to_numpy()[part].mean() for part in fifths]
    axis.plot(middle, [result.to_numpy()[part].mean() for part in fifths], color=RED, lw=1.2)


def draw_coefficient_bars(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Coefficients with their intervals, a row a result; grey where the interval holds 0.

    Args:
        tables: of :func:`dcsomrl.analysis.measure_sensitivity`, by the name of the result.
    """
    longest = max(len(table) for table in tables.values())
    figure = Figure(
        figsize=(10.5, (0.8 + 0.3 * longest) * len(tables)), layout="constrained", dpi=130
    )
    axes = figure.subplots(len(tables), len(TITLES), squeeze=False, sharey="row")
    for row, (result, rows) in zip(axes, tables.items(), strict=True):
        table = rows.dropna()
        for axis, (name, title) in zip(row, TITLES.items(), strict=True):
            value, low, high = (table[f"{name}{end}"] for end in ("", "_low", "_high"))
            sure = (low > 0) | (high < 0)
            axis.barh(table.index, value, color=np.where(sure, BLUE, GREY))
            axis.errorbar(
                value,
                table.index,
                xerr=np.stack([value - low, high - value]).clip(0),
                fmt="none",
                ecolor="#222222",
                capsize=2,
            )
            axis.axvline(0, color="#222222", lw=0.8)
            axis.set_title(f"{result}: {title}", fontsize=9)
            axis.spines[["top", "right"]].set_visible(False)
        row[0].invert_yaxis()
    figure.supxlabel("bars: 95 % intervals; grey: the interval holds 0", fontsize=9)
    return figure


def draw_distribution_curve(results: Mapping[str, pd.Series]) -> Figure:
    """Share of the points at or below a result, with the band that holds the true curve to 95 %.

    Args:
        results: values of the points by the name of the result.

    Source: the band is that of Massart 1990.
    """
    figure = Figure(figsize=(4.2 * len(results), 3.2), layout="constrained", dpi=130)
    axes = figure.subplots(1, len(results), squeeze=False, sharey=True)
    for axis, (name, values) in zip(axes.flat, results.items(), strict=True):
        places, n = np.sort(values.to_numpy()), len(values)
        share, margin = np.arange(1, n + 1) / n, np.sqrt(np.log(2 / 0.05) / (2 * n))
        low, high = (share - margin).clip(0, 1), (share + margin).clip(0, 1)
        axis.ecdf(places, color=BLUE)
        axis.fill_between(places, low, high, step="post", color=BLUE, alpha=0.2, linewidth=0)
        axis.set_xlabel(name)
        axis.set_ylim(0, 1.02)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0, 0].set_ylabel("share of the points")
    figure.supxlabel("band: holds the true curve to 95 %", fontsize=9)
    return figure
