"""The table of a comparison as Markdown, and its figure."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dcsomrl.analysis import paired_p_values
from dcsomrl.comparison.cells import Cell
from dcsomrl.figures.comparison import score_bars

ABSENT = "n/a"
Results = Mapping[Cell, Mapping[str, Any]]

# Heading, key and decimals.
ALL_NODES = (
    ("purity", "purity", 3),
    ("NMI", "nmi", 3),
    ("ARI", "ari", 3),
    ("AMI", "ami", 3),
    ("accuracy", "accuracy", 3),
    ("clusters used", "nodes_used", 0),
    ("quantization error", "quantization_error", 3),
    ("topographic error", "topographic_error", 3),
    ("epochs", "epochs", 0),
    ("seconds", "seconds", 0),
)
MERGED = (
    ("accuracy", "merged_accuracy", 3),
    ("NMI", "merged_nmi", 3),
    ("ARI", "merged_ari", 3),
    ("purity", "merged_purity", 3),
)


def write_report(results: Results, config: Mapping[str, Any], folder: Path) -> None:
    """Write ``table.md`` and, where there is a result, ``scores.png`` into a folder."""
    methods: list[str] = list(config["methods"])
    k: int = config["merged_clusters"]
    parts = ["# Benchmark\n", _protocol(results, config)]
    for dataset in config["datasets"]:
        here = {cell: value for cell, value in results.items() if cell.dataset == dataset}
        many = _of_many(here, methods, k)
        published = config["published"].get(dataset, {})
        parts += [
            f"## {dataset}\n",
            _table(here, many, ALL_NODES, published),
            f"### {dataset}, {k} clusters\n",
            _table(here, methods, MERGED, {}),
            _tests(here, many, config["against"]),
        ]
    text = "\n".join(part for part in parts if part)
    (folder / "table.md").write_text(text)
    if results:
        score_bars(_bars(results, methods, config["datasets"], k)).savefig(folder / "scores.png")


def _protocol(results: Results, config: Mapping[str, Any]) -> str:
    machines = sorted({f"torch {value['torch']}" for value in results.values()})
    precisions = sorted({value["precision"] for value in results.values()})
    commits = sorted({str(value["git_commit"]) for value in results.values()})
    return (
        f"`python -m dcsomrl.benchmark`, {len(results)} cells of "
        f"{len(config['methods']) * len(config['datasets']) * len(config['seeds'])}: trained with "
        f"`{' '.join(config['common'])}`, scored once on the test split after the last epoch. Mean "
        "± sample deviation over the seeds; how many there are stands in the row. NMI is the "
        "arithmetic one and cannot be read without the number of clusters, nor can purity; "
        "accuracy matches clusters to classes one to one. The quantization error is a distance "
        "in each method's own space. Seconds are those of the training as they came, whatever "
        "else the machine did. Published figures are copied from the publications and follow "
        "other protocols. "
        f"Precision {', '.join(precisions)}; {', '.join(machines)}; code {', '.join(commits)}.\n"
    )


def _of_many(results: Results, methods: Sequence[str], k: int) -> list[str]:
    """Methods with more than k nodes, whose scores can stand beside each other."""
    return [name for name in methods if _mean(_column(results, name, "nodes")) > k]


def _column(results: Results, method: str, key: str) -> dict[int, float]:
    """Numbers of a method by seed; those that are absent or not defined are left out."""
    return {
        cell.seed: value[key]
        for cell, value in results.items()
        if cell.method == method and value.get(key) is not None
    }


def _mean(values: Mapping[int, float]) -> float:
    return statistics.fmean(values.values()) if values else 0.0


def _table(
    results: Results,
    methods: Sequence[str],
    columns: Sequence[tuple[str, str, int]],
    published: Mapping[str, str],
) -> str:
    header = ["method", "seeds", *(heading for heading, _, _ in columns)]
    header += ["published purity / NMI (copied)"] if published else []
    lines = [header, ["---"] * len(header)]
    for method in methods:
        seeds = len(_column(results, method, "seed"))
        if seeds:
            cells = [spread(_column(results, method, key), digits) for _, key, digits in columns]
            copied = [published.get(method, "")] if published else []
            lines.append([method, str(seeds), *cells, *copied])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def spread(values: Mapping[int, float], decimals: int) -> str:
    """Mean ± sample deviation; "n/a" where there is nothing."""
    if not values:
        return ABSENT
    text = f"{_mean(values):.{decimals}f}"
    if len(values) < 2:
        return text
    return f"{text} ± {statistics.stdev(values.values()):.{decimals}f}"


def _tests(results: Results, methods: Sequence[str], against: str) -> str:
    """Differences of one method from the others, and whether they are more than noise."""
    others = [name for name in methods if name != against and _column(results, name, "seed")]
    if against not in methods or not others:
        return ""
    lines = [["against", "clusters used", "purity", "p", "NMI", "p"], ["---"] * 6]
    used = {name: spread(_column(results, name, "nodes_used"), 0) for name in (against, *others)}
    rows = {name: [name, used[name]] for name in others}
    for key in ("purity", "nmi"):
        scores = {name: _column(results, name, key) for name in (against, *others)}
        p_values = paired_p_values(scores, against)
        for name in others:
            shared = sorted(scores[against].keys() & scores[name].keys())
            gaps = [scores[against][seed] - scores[name][seed] for seed in shared]
            gap = f"{statistics.fmean(gaps):+.3f}" if gaps else ABSENT
            p = p_values[name]
            rows[name] += [gap, ABSENT if p != p else f"{p:.1g}" if p >= 1e-4 else "< 0.0001"]
    table = "\n".join(f"| {' | '.join(line)} |" for line in [*lines, *rows.values()])
    return (
        f"What {against}, with {used[against]} clusters, has more than the others, over the seeds "
        "that both have; p by a paired t-test, two-sided, corrected after Holm. More clusters "
        f"alone give more purity and less NMI:\n\n{table}\n"
    )


def _bars(
    results: Results, methods: Sequence[str], datasets: Sequence[str], k: int
) -> dict[str, dict[str, dict[str, list[float]]]]:
    """Scores by measure, dataset and method, each with its number of clusters."""
    measures = {"purity": "purity", "NMI": "nmi"}
    bars: dict[str, dict[str, dict[str, list[float]]]] = {}
    for title, key in measures.items():
        bars[title] = {}
        for dataset in datasets:
            here = {cell: value for cell, value in results.items() if cell.dataset == dataset}
            columns = {
                f"{name}, {_mean(_column(here, name, 'nodes_used')):.0f}": list(
                    _column(here, name, key).values()
                )
                for name in _of_many(here, methods, k)
            }
            bars[title][dataset] = {name: values for name, values in columns.items() if values}
    return bars
