"""The paper's searches, run again: ``python -m experiments.searches``.

On MNIST and Fashion-MNIST 30 settings on the initial ranges and 10 on the adjusted ones, judged on
the validation part; the best of all over ten seeds on the test split; and on the digits, where
several seeds of each setting are cheap, how well criteria without labels agree with NMI. Writes
``searches.md``. It may be stopped at any moment and started again, on another machine too: what
has run lies in ``results/search``. A search refuses to go on where the configuration has changed.

Numbered figures, tables, sections and equations are those of "Shaping latent representations using
Self-Organizing Maps with Relevance Learning", submitted to ICLR 2022.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from omegaconf import OmegaConf
from scipy.stats import bootstrap, spearmanr

from dcsomrl.configuration import find_config_dir
from dcsomrl.search.outcome import Outcome, read
from dcsomrl.writing import tabulate
from experiments.runs import CITATION, format_spread, measure

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "search"
DATASETS = ("mnist", "fashion")
# Points of each search, as published.
SEARCHES = {"initial": 30, "adjusted": 10}
SEEDS = range(10)
# Two processes of one thread share a search.
WORKERS = 2
# Parameters that are whole numbers; a table of both searches may hold them as floats.
WHOLE = ("dataset.batch_size", "model.autoencoder.latent_dim", "model.som.max_nodes")
# Criteria that need no label, and whether more of them is better. The number of nodes is no
# criterion but their yardstick: one that agrees no better than it does tells no more.
UNLABELLED = {
    "val/silhouette": True,
    "val/quantization_error": False,
    "stability": True,
    "val/nodes_used": False,
}


def main() -> None:
    """Run what is missing; the page grows with what is there."""
    page = Path(__file__).with_suffix(".md")
    parts = ["# The searches\n", INTRODUCTION, f"{CITATION}\n"]
    for design, dataset in enumerate(DATASETS):
        for name, points in SEARCHES.items():
            search(
                f"{dataset}-{name}",
                points,
                # Uncorrelated parameters, and other points on each dataset: what only seems to
                # matter on one of them does not on the other.
                f"search=paper_{name}",
                f"dataset={dataset}",
                "+hydra.sweeper.sampler.optimization=random-cd",
                f"hydra.sweeper.sampler.seed={design}",
            )
        parts += [f"## {dataset}\n", tabulate_best(dataset)]
        parts += [name_influential(f"{dataset}-{name}") for name in SEARCHES]
        page.write_text("\n".join(parts))
    search(
        "digits-unlabelled",
        SEARCHES["initial"],
        # On the initial ranges 28 of 30 maps of the digits collapse, and with batches of 256 an
        # epoch of theirs has six steps: nothing to choose between.
        *("search=paper_adjusted", "dataset=digits", "dataset.batch_size=64"),
        "hydra.sweeper.seeds=[0,1,2]",
        f"hydra.sweeper.n_trials={SEARCHES['initial']}",
        "+hydra.sweeper.sampler.optimization=random-cd",
        "hydra.sweeper.maximize=[val/nmi,val/silhouette,stability]",
        "hydra.sweeper.minimize=[val/quantization_error]",
    )
    parts += ["## Criteria without labels\n", name_influential("digits-unlabelled")]
    for name in ("digits-unlabelled", *(f"{dataset}-initial" for dataset in DATASETS)):
        parts.append(f"{name}, {tabulate_agreement(read(RESULTS / name))}")
    page.write_text("\n".join(parts))


INTRODUCTION = """\
`python -m experiments.searches`: 30 points of a Latin hypercube on the initial ranges of Table 2
and 10 on the adjusted ones, permuted so that the parameters are all but uncorrelated (scipy's
`random-cd`; seed 0 on MNIST, 1 on Fashion-MNIST). Each point is one run of 30 epochs: the
paper searched 10 to 1000 and found 30 sufficient, so the number of epochs is not a
parameter here. 32-true on a CPU; purity and NMI on the validation part, a tenth of the
training split.

A run whose map has had a single node for five epochs in a row is stopped and scored as it
is (`callbacks=stop_collapsed`); the column `epochs` of `trials.csv` shows which. The first
points on MNIST, which have no number there, ran to completion.

The best point is the one with the best mean rank in both scores among all 40 (it need not
be the best of its own search); it was trained with ten seeds on the whole training split,
`dataset.val_fraction=0`, and scored once on the test split. Criteria without labels are
evaluated on the digits: 30 points on the adjusted ranges, with batches of 64 and the mean
of three seeds each. The number of nodes is not a criterion but a reference for the others:
the fewer the better. What each search reveals about its parameters is in
`results/search/<name>/sensitivity/sensitivity.md`.
"""


def search(name: str, points: int, *overrides: str) -> None:
    """Run a search, or what is left of it, by several processes; its folder keeps the outcome."""
    folder = RESULTS / name
    command = [
        *(sys.executable, "-m", "dcsomrl.train", "-m", *overrides),
        *("num_threads=1", "callbacks=stop_collapsed"),
        f"hydra.sweep.dir={folder.relative_to(HERE.parent)}",
    ]
    log = folder / "search.log"
    folder.mkdir(parents=True, exist_ok=True)
    with log.open("a") as file:
        workers = [
            subprocess.Popen(command, cwd=HERE.parent, stdout=file, stderr=file)
            for _ in range(WORKERS)
        ]
        codes = [worker.wait() for worker in workers]
        if any(codes):
            raise SystemExit(f"the search {name} stopped: read {log}, then run again")
    if (done := len(read(folder).points)) < points:
        raise SystemExit(
            f"{done} of {points} points of the search {name} are done, and another process is at "
            "the rest: run again when it has ended"
        )


def tabulate_best(dataset: str) -> str:
    """Tables of a dataset's best settings, over ten seeds, and the experiment that holds them."""
    outcomes = {name: read(RESULTS / f"{dataset}-{name}") for name in SEARCHES}
    points = pd.concat(
        [one.points.assign(search=name) for name, one in outcomes.items()], ignore_index=True
    )
    done = points[points["state"] == "complete"]
    ranks = done[["val/purity", "val/nmi"]].rank(ascending=False).mean(axis=1)
    winner = done.iloc[int(ranks.to_numpy().argmin())]
    write_experiment(dataset, winner)
    jobs = {
        f"best_{dataset}/{winner['search']}{winner['point']}-seed{seed}": [
            *(f"experiment=best_{dataset}", f"seed={seed}", "dataset.val_fraction=0"),
            "num_threads=1",
        ]
        for seed in SEEDS
    }
    runs = list(measure(jobs, HERE / "results" / "best", at_once=WORKERS).values())
    keys = ("purity", "nmi", "ari", "accuracy", "nodes", "seconds")
    scores = [
        format_spread([run[key] for run in runs], 0 if key in keys[4:] else 3) for key in keys
    ]
    rows = [
        [
            name,
            str((one.points["state"] == "complete").sum()),
            str((one.points["state"] == "fail").sum()),
            str((one.points["val/nodes"] <= 1).sum()),
            *(f"{one.points[score].max():.3f}" for score in ("val/purity", "val/nmi")),
        ]
        for name, one in outcomes.items()
    ]
    header = ["search", "points", "failed", "one node left", "best val purity", "best val NMI"]
    found = tabulate(header, rows)
    title = f"Best: point {winner['point']} of {winner['search']}, `experiment=best_{dataset}`"
    return (
        f"{found}\n{title}; mean ± deviation over {len(runs)} seeds, test split:\n\n"
        f"{tabulate(list(keys), [scores])}"
    )


def write_experiment(dataset: str, point: pd.Series) -> None:
    """Keep the best settings as a file of the configuration."""
    lines = [
        "# @package _global_",
        f"# The best of the searches on {dataset}, point {point['point']} of {point['search']}, by",
        "# purity and NMI on the validation part: python -m experiments.searches.",
        "defaults:",
        f"  - override /dataset: {dataset}",
        "  - override /model: dcsomrl",
        "",
    ]
    tree = OmegaConf.create({"name": f"best_{dataset}", "trainer": {"max_epochs": 30}})
    for key, value in point.items():
        name = str(key).removeprefix("params/")
        if name != key and value == value:
            plain = value.item() if hasattr(value, "item") else value
            OmegaConf.update(tree, name, int(plain) if name in WHOLE else plain)
    text = "\n".join(lines) + "\n" + OmegaConf.to_yaml(tree)
    (find_config_dir() / "experiment" / f"best_{dataset}.yaml").write_text(text)


def name_influential(name: str) -> str:
    """The parameters that go with each result of a search by more than chance, as a sentence."""
    folder = RESULTS / name / "sensitivity"
    file, column, kind = folder / "coefficients.csv", "prcc", "partial rank correlation"
    if not file.exists():  # too few points to hold the other parameters fixed
        file, column, kind = folder / "correlations.csv", "rho", "rank correlation"
    found = []
    for result, rows in pd.read_csv(file).groupby("result", sort=False):
        sure = rows[rows["p"] < 0.05].sort_values(column, key=abs, ascending=False)
        named = [f"{row['parameter']} ({row[column]:+.2f})" for _, row in sure.iterrows()]
        found.append(f"with {result} {', '.join(named) or 'none'}")
    return (
        f"Over the ranges of {name}, these of the {len(rows)} parameters correlate with a score "
        f"beyond chance ({kind}; p below 0.05, corrected for their number): {'; '.join(found)}.\n"
    )


def tabulate_agreement(outcome: Outcome) -> str:
    """Rank correlation of every criterion without labels with NMI over a search's points."""
    done = outcome.points[outcome.points["state"] == "complete"]
    rows = []
    for name, higher in UNLABELLED.items():
        if name not in done or done[name].nunique() < 2:
            continue
        pair = done[["val/nmi", name]].dropna()
        x, y = pair["val/nmi"].to_numpy(), pair[name].to_numpy() * (1 if higher else -1)
        found = bootstrap(
            (x, y),
            correlate_ranks,
            paired=True,
            vectorized=False,
            n_resamples=2000,
            method="percentile",
            rng=np.random.default_rng(0),
        ).confidence_interval
        chosen = x[y.argmax()]
        rho = correlate_ranks(x, y)
        rows.append(
            [
                name,
                str(len(pair)),
                f"{rho:+.2f} ({found.low:+.2f} to {found.high:+.2f})",
                f"{chosen:.3f}",
                f"{x.max():.3f}",
                f"{x.mean():.3f}",
            ]
        )
    header = ["criterion", "points", "rank correlation with NMI (95 %)", "NMI of its choice"]
    header += ["best NMI", "mean NMI"]
    return f"{len(done)} points, a map of one node counted as 0:\n\n{tabulate(header, rows)}"


def correlate_ranks(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Spearman's."""
    return float(spearmanr(a, b).statistic)


if __name__ == "__main__":
    main()
