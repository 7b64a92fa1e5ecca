"""Scores of methods side by side."""

import statistics
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure


def draw_score_bars(scores: Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]]) -> Figure:
    """Bars with the sample deviation over the seeds, a panel a measure and dataset.

    Args:
        scores: values of the seeds by measure, dataset, and method with its nodes.
    """
    datasets = list(next(iter(scores.values())))
    longest = max(len(methods) for panels in scores.values() for methods in panels.values())
    figure = Figure(
        figsize=(4.2 * len(datasets), (0.9 + 0.32 * longest) * len(scores)),
        layout="constrained",
        dpi=130,
    )
    axes = figure.subplots(len(scores), len(datasets), squeeze=False)
    for row, (measure, panels) in zip(axes, scores.items(), strict=True):
        for axis, (dataset, methods) in zip(row, panels.items(), strict=True):
            means = [statistics.fmean(values) for values in methods.values()]
            deviations = [statistics.stdev(v) if len(v) > 1 else 0.0 for v in methods.values()]
            names = [f"{name} ({len(values)})" for name, values in methods.items()]
            axis.barh(names, means, xerr=deviations, color="#4477aa", ecolor="#222222", capsize=3)
            axis.invert_yaxis()
            axis.set_xlim(0, 1)
            axis.set_title(f"{dataset}: {measure}")
            for place, mean, deviation in zip(names, means, deviations, strict=True):
                axis.text(mean + deviation + 0.015, place, f"{mean:.3f}", va="center", fontsize=8)
            axis.spines[["top", "right"]].set_visible(False)
    figure.supxlabel("method, nodes (seeds); mean and sample deviation", fontsize=9)
    return figure
