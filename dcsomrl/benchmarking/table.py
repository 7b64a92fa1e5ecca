"""The table of a comparison as Markdown, and its figure."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from dcsomrl.analysis import compare_paired
from dcsomrl.benchmarking.cells import Cell
from dcsomrl.benchmarking.merged import MERGED
from dcsomrl.figures.comparison import draw_score_bars
from dcsomrl.metrics import BY_KEY, CLUSTER_SCORES
from dcsomrl.writing import save_figure, tabulate, write_text

ABSENT = "n/a"
Results = Mapping[Cell, Mapping[str, Any]]

SCORES = ("purity", "nmi", "ari", "ami", "accuracy")


def _list_columns(*keys: str, **headings: str) -> list[tuple[str, str, int]]:
    """Heading, key and decimals of measures; a heading may be another than the usual one."""
    measures = {key: BY_KEY[key.removeprefix(MERGED)] for key in keys}
    return [(headings.get(key, one.title), key, one.decimals) for key, one in measures.items()]


ALL_NODES = _list_columns(
    *SCORES,
    *("nodes_used", "quantization_error", "topographic_error", "epochs", "seconds"),
    nodes_used="clusters used",
)
MERGED_NODES = _list_columns(
    *(MERGED + key for key in CLUSTER_SCORES),
    *("nodes_used", "epochs", "seconds"),
    nodes_used="nodes merged",
)
# What is tested and drawn of each table.
MEASURES = {heading: key for heading, key, _ in ALL_NODES[:2]}
MERGED_MEASURES = {heading: key for heading, key, _ in MERGED_NODES[:2]}

NOTES = """\
Mean ± sample standard deviation over the seeds, whose number is in each row. NMI uses the \
arithmetic mean; neither NMI nor purity can be interpreted without the number of clusters. \
Accuracy matches clusters to classes one to one. Nodes are merged by spectral clustering of how \
often two of them are first and second winner of the same training sample. The quantization error \
is a distance in each method's own space; the topographic error is the share of samples whose \
first and second winner are not neighbours: on a grid the four adjacent nodes, on a growing map \
the nodes that activate each other. Seconds are training times with other programs running on the \
machine; the autoencoder's include a k-means after every epoch. Published figures are copied from \
the publications and follow other protocols. """


def write_report(results: Results, config: Mapping[str, Any], folder: Path) -> None:
    """Write ``table.md`` and, where there is a result, ``scores.png`` into a folder."""
    methods: list[str] = list(config["methods"])
    k: int = config["merged_clusters"]
    against = config["against"]
    parts = ["# Benchmark\n", _describe_protocol(results, config)]
    for dataset in config["datasets"]:
        here = {cell: value for cell, value in results.items() if cell.dataset == dataset}
        many = _select_methods(here, methods, k)
        whole, merged = (config[key].get(dataset, {}) for key in ("published", "published_merged"))
        parts += [
            f"## {dataset}\n",
            _make_table(here, many, ALL_NODES, whole, "purity / NMI"),
            _write_tests(
                here,
                many,
                against,
                MEASURES,
                " More clusters by themselves raise purity and lower NMI.",
            ),
            f"### {dataset}, {k} clusters\n",
            _make_table(here, methods, MERGED_NODES, merged, "accuracy / NMI"),
            _write_tests(here, methods, against, MERGED_MEASURES),
        ]
    if results:
        bars = _collect_bars(results, methods, config["datasets"], k)
        save_figure(draw_score_bars(bars), folder / "scores.png")
        parts.append("![Scores of all methods, with deviations](scores.png)\n")
    write_text(folder / "table.md", "\n".join(part for part in parts if part))


def make_summary(results: Results, config: Mapping[str, Any], dataset: str) -> Table:
    """What the table says of a dataset, as wide as a terminal of 80 columns."""
    here = {cell: value for cell, value in results.items() if cell.dataset == dataset}
    shown = {**MEASURES, "nodes": "nodes_used"}
    shown |= {f"{k}, {config['merged_clusters']}": v for k, v in MERGED_MEASURES.items()}
    table = Table(title=dataset, box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in ("method (seeds)", *shown):
        table.add_column(heading, no_wrap=True)
    for method in config["methods"]:
        if seeds := _read_column(here, method, "seed"):
            columns = {key: _read_column(here, method, key) for key in shown.values()}
            digits = {key: 0 if key == "nodes_used" else 3 for key in columns}
            cells = [format_spread(column, digits[key]) for key, column in columns.items()]
            table.add_row(f"{method} ({len(seeds)})", *cells)
    return table


def _describe_protocol(results: Results, config: Mapping[str, Any]) -> str:
    machines = sorted(
        {
            " on ".join(filter(None, (f"torch {value['torch']}", value.get("device"))))
            for value in results.values()
        }
    )
    precisions = sorted({value["precision"] for value in results.values()})
    commits = sorted({str(value["git_commit"]) for value in results.values()})
    run = {cell.method for cell in results}
    absent = [name for name in config["methods"] if name not in run]
    own = {
        name: " ".join(
            line for line in overrides if line not in (*config["common"], f"model={name}")
        )
        for name, overrides in config["methods"].items()
    }
    besides = [f"{name} with `{lines}`" for name, lines in own.items() if lines]
    return (
        f"`python -m dcsomrl.benchmark output={config['output']}`, {len(results)} cells of "
        f"{len(config['methods']) * len(config['datasets']) * len(config['seeds'])}: trained with "
        f"`{' '.join(config['common'])}`"
        + (f" ({', '.join(besides)})" if besides else "")
        + ", scored once on the test split after the last epoch. "
        + (f"Not yet run: {', '.join(absent)}. " if absent else "")
        + NOTES
        + f"Precision {', '.join(precisions)}; {', '.join(machines)}; code {', '.join(commits)}.\n"
    )


def _select_methods(results: Results, methods: Sequence[str], k: int) -> list[str]:
    """Methods that are not made for just k clusters, whose scores can stand beside each other."""
    return [name for name in methods if {*_read_column(results, name, "nodes").values()} - {k}]


def _read_column(results: Results, method: str, key: str) -> dict[int, float]:
    """Numbers of a method by seed; those that are absent or not defined are left out."""
    return {
        cell.seed: value[key]
        for cell, value in results.items()
        if cell.method == method and value.get(key) is not None
    }


def _average(values: Mapping[int, float]) -> float:
    return statistics.fmean(values.values()) if values else 0.0


def _make_table(
    results: Results,
    methods: Sequence[str],
    columns: Sequence[tuple[str, str, int]],
    published: Mapping[str, str],
    scores: str,
) -> str:
    header = ["method", "seeds", *(heading for heading, _, _ in columns)]
    header += [f"published {scores} (copied)"] if published else []
    rows = []
    for method in methods:
        seeds = len(_read_column(results, method, "seed"))
        if seeds:
            cells = [
                format_spread(_read_column(results, method, key), digits)
                for _, key, digits in columns
            ]
            copied = [published.get(method, "")] if published else []
            rows.append([method, str(seeds), *cells, *copied])
    return tabulate(header, rows)


def format_spread(values: Mapping[int, float], decimals: int) -> str:
    """Mean ± sample deviation; "n/a" where there is nothing."""
    if not values:
        return ABSENT
    text = f"{_average(values):.{decimals}f}"
    if len(values) < 2:
        return text
    return f"{text} ± {statistics.stdev(values.values()):.{decimals}f}"


def _write_tests(
    results: Results,
    methods: Sequence[str],
    against: str,
    measures: Mapping[str, str],
    remark: str = "",
) -> str:
    """Differences of one method from the others, and whether they are more than noise."""
    others = [name for name in methods if name != against and _read_column(results, name, "seed")]
    if against not in methods or not _read_column(results, against, "seed") or not others:
        return ""
    used = {
        name: format_spread(_read_column(results, name, "nodes_used"), 0)
        for name in (against, *others)
    }
    seeds = {name: _read_column(results, name, "seed").keys() for name in (against, *others)}
    rows = {name: [name, used[name], str(len(seeds[name] & seeds[against]))] for name in others}
    header = ["against", "nodes used", "pairs"]
    for heading, key in measures.items():
        header += [f"{heading}, difference", "p"]
        scores = {name: _read_column(results, name, key) for name in (against, *others)}
        p_values = compare_paired(scores, against)
        for name in others:
            shared = sorted(scores[against].keys() & scores[name].keys())
            gaps = [scores[against][seed] - scores[name][seed] for seed in shared]
            gap = f"{statistics.fmean(gaps):+.3f}" if gaps else ABSENT
            p = p_values[name]
            rows[name] += [gap, ABSENT if p != p else f"{p:.2g}" if p >= 1e-4 else "< 0.0001"]
    table = tabulate(header, rows.values())
    return (
        f"{against}, with {used[against]} nodes, minus each of the others, over pairs with the "
        "same seed; p from a two-sided paired t-test, with Holm's correction for the methods in "
        f"this table.{remark}\n\n{table}"
    )


def _collect_bars(
    results: Results, methods: Sequence[str], datasets: Sequence[str], k: int
) -> dict[str, dict[str, dict[str, list[float]]]]:
    """Scores by measure, dataset and method, each with its number of nodes."""
    merged = {f"{title}, {k} clusters": key for title, key in MERGED_MEASURES.items()}
    bars: dict[str, dict[str, dict[str, list[float]]]] = {}
    for title, key in {**MEASURES, **merged}.items():
        bars[title] = {}
        for dataset in datasets:
            here = {cell: value for cell, value in results.items() if cell.dataset == dataset}
            shown = methods if title in merged else _select_methods(here, methods, k)
            columns = {
                f"{name}, {_average(_read_column(here, name, 'nodes_used')):.0f}": list(
                    _read_column(here, name, key).values()
                )
                for name in shown
            }
            bars[title][dataset] = {name: values for name, values in columns.items() if values}
    return bars
