"""Every table and figure of the paper, with the published figure beside ours: ``make paper``.

Trains the paper's run on MNIST and Fashion-MNIST where it is missing, with its scores at every
step, takes the comparison and the searches as far as they have run from ``results/``, and writes
``paper/README.md`` with its pictures. ``QUICK=1`` does all of it on the digits, in minutes, into
``runs/paper-quick``.

Numbered figures, tables, sections and equations are those of "Shaping latent representations using
Self-Organizing Maps with Relevance Learning", submitted to ICLR 2022.
"""

import os
import shutil
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from dcsomrl.benchmarking.cells import read_results
from dcsomrl.configuration import find_config_dir
from dcsomrl.reporting.page import draw_report
from dcsomrl.reporting.run_data import read_run
from dcsomrl.reporting.section import Section
from dcsomrl.writing import save_figure, tabulate
from experiments.claims import Measures, judge_claims
from experiments.runs import CITATION, format_spread, run_all
from experiments.searches import SEARCHES, name_influential

HERE = Path(__file__).parent
# Table 1 of the paper: purity / NMI and clusters, means of 10 runs.
TABLE_1 = {
    "kmeans": ("0.791 / 0.537", "0.703 / 0.492", "64"),
    "somvae": ("0.868 / 0.595", "0.739 / 0.520", "64"),
    "desom": ("0.939 / 0.657", "0.752 / 0.538", "64"),
    "dcsomrl": ("0.884 / 0.521", "0.679 / 0.404", "60-80"),
}
DATASETS = ("mnist", "fashion")  # in the order of these columns
NAMES = {"mnist": "MNIST", "fashion": "Fashion-MNIST", "digits": "digits"}
# Keys of Table 2, as the configuration has them.
TABLE_2 = (
    "dataset.batch_size", "trainer.max_epochs", "model.alpha", "model.autoencoder.latent_dim",
    "model.som.activation_threshold", "model.som.learning_rate", "model.som.repel_rate",
    "model.som.life_decay", "model.som.relevance_rate", "model.som.neighborhood_decay",
    "model.som.relevance_smoothness", "model.som.max_nodes",
)  # fmt: skip


class Scope(NamedTuple):
    """What is regenerated, and where to.

    Attributes:
        datasets: of the runs.
        overrides: of every run.
        embedding: of Fig. 5.
        page: folder of the page.
    """

    datasets: Sequence[str]
    overrides: Sequence[str]
    embedding: str
    page: Path


FULL = Scope(DATASETS, (), "tsne", HERE / "paper")
QUICK = Scope(("digits",), ("trainer.max_epochs=5",), "pca", Path("runs/paper-quick"))


def main(scope: Scope) -> None:
    """Train what is missing, write the page."""
    jobs = {
        f"{'paper' if scope is FULL else 'paper-quick/runs'}/{dataset}": [
            f"dataset={dataset}",
            "seed=0",
            "dataset.val_fraction=0",
            "callbacks=history",
            *scope.overrides,
        ]
        for dataset in scope.datasets
    }
    scope.page.mkdir(parents=True, exist_ok=True)
    parts = {}
    for dataset, folder in zip(scope.datasets, run_all(jobs).values(), strict=True):
        run = read_run(folder)
        found, page = draw_report(run, scope.embedding, 0)  # type: ignore[arg-type]
        draw(found, scope.page / dataset)
        measures = {**run.metrics, **{k: v for part in found for k, v in part.measures.items()}}
        measures |= read_table_measures(dataset) | read_search_measures(dataset)
        parts[dataset] = (found, measures, page.notes)
    text = render(scope, parts)
    (scope.page / "README.md").write_text(text)
    print(f"{text}\nwritten into {scope.page}")


def draw(found: Sequence[Section], folder: Path) -> None:
    """Every figure as a small picture, in a folder of its own."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for part in found:
        if part.figure is not None:
            save_figure(part.figure, folder / f"{part.name}.png", dpi=90)


def render(scope: Scope, parts: Mapping[str, tuple[list[Section], Measures, list[str]]]) -> str:
    """The page."""
    some = next(iter(parts.values()))[1]
    lines = [
        "# The paper, regenerated",
        "",
        f"`make paper`: its run on {' and '.join(NAMES[name] for name in parts)}, seed 0, "
        f"{some['epochs']} epochs, {some['precision']}, torch {some['torch']} on {some['device']}; "
        "trained on the whole training split, claims and figures measured on the test split. "
        "Published figures are copied. Labels are used for colours and scores; no training used "
        "them.",
        "",
        CITATION,
        "",
        "## What the paper claims",
        "",
        render_claims({name: measures for name, (_, measures, _) in parts.items()}),
        "The limits between the verdicts are defined in [claims.py](../claims.py).",
        "",
        "## Table 1",
        "",
        render_table_1(),
        "## Table 2",
        "",
        render_table_2(parts),
        render_sensitivity_figures(scope),
    ]
    for dataset, (found, _, notes) in parts.items():
        lines += [f"## Figures on {NAMES[dataset]}", ""]
        lines += [*(f"- {note}" for note in notes), ""]
        for part in found:
            lines += [f"### {part.title}", "", part.caption, ""]
            if part.figure is not None:
                lines += [f"![{part.title}]({dataset}/{part.name}.png)", ""]
    return "\n".join(lines)


def render_claims(measures: Mapping[str, Measures]) -> str:
    """Each claim with its verdict on every dataset."""
    by_dataset = {name: judge_claims(one) for name, one in measures.items()}
    header = ["claim", "where", *(NAMES[name] for name in by_dataset)]
    rows = [
        [
            same[0].claim,
            same[0].where,
            *(f"**{one.verdict}**: {one.evidence}" for one in same),
        ]
        for same in zip(*by_dataset.values(), strict=True)
    ]
    return tabulate(header, rows)


def render_table_1() -> str:
    """Published and ours, as far as the benchmark has run."""
    results = read_results(HERE / "results" / "benchmark")
    rows = []
    for method, (mnist, fashion, clusters) in TABLE_1.items():
        row = [method, mnist, fashion, clusters]
        for dataset in DATASETS:
            cells = [
                value
                for cell, value in results.items()
                if (cell.method, cell.dataset) == (method, dataset)
            ]
            if not cells:
                row += ["not yet run", ""]
                continue
            scores = (format_spread([cell[key] for cell in cells]) for key in ("purity", "nmi"))
            used = format_spread([cell["nodes_used"] for cell in cells], 0)
            row += [" / ".join(scores), f"{used}; {len(cells)}"]
        rows.append(row)
    header = ["purity / NMI", "MNIST, published", "Fashion, published", "clusters, published"]
    header += ["MNIST, ours", "clusters; seeds", "Fashion, ours", "clusters; seeds"]
    note = (
        "Ours are those of the [benchmark](../results/benchmark/table.md), under one protocol; "
        "which methods this puts at a disadvantage is explained [here](../README.md).\n"
    )
    return tabulate(header, rows) + "\n" + note


def read_table_measures(dataset: str) -> dict[str, float]:
    """Mean scores of the paper's method in the benchmark, beside the published ones; or nothing.

    Of a dataset that the paper does not have, none are published.
    """
    if dataset not in DATASETS:
        return {}
    cells = [
        value
        for cell, value in read_results(HERE / "results" / "benchmark").items()
        if (cell.method, cell.dataset) == ("dcsomrl", dataset)
    ]
    if not cells:
        return {}
    purity, nmi = map(float, TABLE_1["dcsomrl"][DATASETS.index(dataset)].split(" / "))
    return {"published_purity": purity, "published_nmi": nmi} | {
        f"benchmark_{name}": statistics.fmean(cell[name] for cell in cells)
        for name in ("purity", "nmi", "nodes_used")
    }


def render_table_2(datasets: Mapping[str, object]) -> str:
    """The settings of the runs and, where a search has found better ones, those."""
    with initialize_config_dir(str(find_config_dir()), version_base="1.3"):
        settings = {NAMES[name]: compose("train", [f"dataset={name}"]) for name in datasets}
        for name in datasets:
            if (find_config_dir() / "experiment" / f"best_{name}.yaml").exists():
                best = compose("train", [f"experiment=best_{name}"])
                settings[f"{NAMES[name]}, best found"] = best
    rows = [
        [key, *(f"{OmegaConf.select(config, key):.6g}" for config in settings.values())]
        for key in TABLE_2
    ]
    table = tabulate(["setting", *settings], rows)
    if len(settings) == len(datasets):
        return table
    return f"{table}\nThe best were chosen by purity and NMI on the validation part.\n"


def read_search_measures(dataset: str) -> dict[str, float]:
    """How a search's settings go with NMI, the threshold's beside the others'; or nothing."""
    table = HERE / "results" / "search" / f"{dataset}-initial" / "sensitivity" / "coefficients.csv"
    if not table.exists():
        return {}
    found = pd.read_csv(table, index_col=["result", "parameter"]).loc["val/nmi"]
    of = found.T.to_dict()
    threshold = of.pop("activation_threshold")
    other = max(of.values(), key=lambda one: abs(one["prcc"]))
    named = {"threshold": threshold, "other": other}
    return {
        **{
            f"{name}_{key}": one[key]
            for name, one in named.items()
            for key in ("prcc", "prcc_low", "prcc_high")
        },
        "others_sure": sum(one["p"] < 0.05 for one in of.values()),
    }


def render_sensitivity_figures(scope: Scope) -> str:
    """In Markdown: NMI against every setting (Fig. 6), a picture a search that has run."""
    lines = ["## Fig. 6", "", "On the validation part of the training split.", ""]
    for dataset in scope.datasets:
        for name in (f"{dataset}-{ranges}" for ranges in SEARCHES):
            picture = HERE / "results" / "search" / name / "sensitivity" / "scatter-val-nmi.png"
            if picture.exists():
                where = os.path.relpath(picture, scope.page)
                lines += [
                    f"![NMI against every setting, {name}]({where})",
                    "",
                    name_influential(name),
                ]
    if len(lines) == 4:
        lines += ["The search has not run yet: `python -m experiments.searches`.", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    main(QUICK if os.environ.get("QUICK", "") not in ("", "0") else FULL)
