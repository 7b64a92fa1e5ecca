"""The gallery of the documentation: ``python -m experiments.gallery [name ...]``.

Trains one model on each of ten datasets, where its run is not there yet, and writes a page each
with the command, the pictures and the clusters that came of it, into ``docs/gallery``. The first
three need the datasets in ``DCSOMRL_DATA``.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from experiments.gallery_data import FILES
from experiments.gallery_names import describe_names
from experiments.runs import RUNS, train_job
from experiments.shipped import CONVOLUTION, JOBS

PAGES = Path(__file__).parents[1] / "docs" / "gallery"
DATA = RUNS / "gallery" / "data"
PICTURES = {
    "clusters": "Clusters",
    "prototypes": "Prototypes: what each node represents",
    "typical": "Samples most typical of each cluster",
}
SHOWN_CLUSTERS = 12
NEIGHBORS = "model=neighbor_somrl"


class Entry(NamedTuple):
    """A dataset of the gallery.

    Attributes:
        title: of its page.
        about: what it is, a sentence or two.
        overrides: of ``python -m dcsomrl.train``; a file is named as in the reader's folder.
        folder: of its run, below ``runs``.
        kind: what the classes are, in the singular, where samples have names to be read by; their
            file has it as a column, beside ``name`` and ``embedding``.
    """

    title: str
    about: str
    overrides: list[str]
    folder: str
    kind: str = ""


def make_shipped_entry(name: str, title: str, about: str) -> Entry:
    """A dataset whose model comes with the package."""
    folder, overrides = JOBS[name]
    return Entry(title, about, [*overrides, *CONVOLUTION[:1]], folder)


def make_table_entry(
    name: str, title: str, about: str, overrides: list[str], kind: str = ""
) -> Entry:
    """A dataset in a file of :mod:`experiments.gallery_data`."""
    return Entry(title, about, overrides, f"gallery/{name}", kind)


ENTRIES = {
    "mnist": make_shipped_entry(
        "mnist",
        "MNIST",
        "Handwritten digits of 28 x 28 pixels, 60,000 for training and 10,000 for testing.",
    ),
    "fashion": make_shipped_entry(
        "fashion",
        "Fashion-MNIST",
        "Clothes and shoes in 28 x 28 pixels, 60,000 for training and 10,000 for testing.",
    ),
    "usps": make_shipped_entry(
        "usps",
        "USPS",
        "Handwritten digits of 16 x 16 pixels from envelopes, 7,291 for training "
        "and 2,007 for testing.",
    ),
    "digits": Entry(
        "Digits",
        "1,797 handwritten digits of 8 x 8 pixels that come with scikit-learn: the data of `make "
        "train`.",
        [NEIGHBORS],
        "gallery/digits",
    ),
    "wine": make_table_entry(
        "wine",
        "Wine",
        "178 Italian wines of three cultivars, with 13 measurements each. So few rows do not show "
        "how many clusters there are, so the number is given.",
        ["dataset=arrays", "dataset.path=wine.csv", "dataset.target=cultivar", "n_clusters=3"],
    ),
    "breast_cancer": make_table_entry(
        "breast_cancer",
        "Breast cancer",
        "569 tumours, benign or malignant, with 30 measurements of their cells each; the number "
        "of clusters is given.",
        [
            *("dataset=arrays", "dataset.path=breast_cancer.csv"),
            *("dataset.target=diagnosis", "n_clusters=2"),
        ],
    ),
    "pen_tracks": make_table_entry(
        "pen_tracks",
        "Pen tracks",
        "6,000 synthetic pen strokes of eight points each. There are ten characters, each written "
        "in two unrelated ways: without labels, the map finds the ways of writing.",
        ["dataset=arrays", "dataset.path=pen_tracks.parquet", "dataset.target=character"],
    ),
    "subspaces": make_table_entry(
        "subspaces",
        "Subspaces",
        "1,500 synthetic rows in ten groups, each of which is visible in only some of the 20 "
        "features.",
        ["dataset=arrays", "dataset.path=subspaces.npz", "n_clusters=10"],
    ),
    "docstrings": make_table_entry(
        "docstrings",
        "Texts",
        "Embeddings of some 5,300 texts, as vectors of length 1 in 384 dimensions: the first "
        "paragraphs of the docstrings of functions and classes in eight packages, embedded by "
        "all-MiniLM-L6-v2. The class, used for scores only, is the package.",
        [
            *("dataset=arrays", "dataset.path=docstrings.parquet"),
            *("dataset.target=package", "dataset.source.id=name"),
            *("dataset.normalization=unit", "dataset.neighbors.metric=cosine"),
        ],
        kind="package",
    ),
    "stream": make_table_entry(
        "stream",
        "A stream",
        "200,000 rows of twelve sensors, read from disk in blocks, so the file may be larger than "
        "memory; the map alone, without a network, learns in one pass.",
        [
            *("dataset=stream", "dataset.path=stream.parquet", "dataset.source.ignore=[state]"),
            *("model=somrl", "model.som.activation_threshold=0.997", "trainer.max_epochs=1"),
        ],
    ),
}


def main(names: list[str]) -> None:
    """Write the pages, and the one that leads to them."""
    PAGES.mkdir(exist_ok=True)
    for name in names or ENTRIES:
        entry = ENTRIES[name]
        write_page(name, entry, train_job(entry.folder, list(place_files(entry.overrides))))
    write_index()


def place_files(overrides: list[str]) -> list[str]:
    """Overrides with the files where they lie, written if they are not there yet."""
    folder = DATA.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    placed = []
    for override in overrides:
        key, _, value = override.partition("=")
        if value in FILES:
            if not (folder / value).exists():
                FILES[value](folder)
            override = f"{key}={folder / value}"
        placed.append(override)
    return placed


def write_page(name: str, entry: Entry, run: Path) -> None:
    """The page of a dataset, with the pictures of its run beside it."""
    metrics = json.loads((run / "metrics.json").read_text())
    command = " ".join(["python -m dcsomrl.train", *entry.overrides])
    lines = [f"# {entry.title}", "", entry.about, "", "```sh", command, "```", ""]
    lines += [describe_result(metrics) + describe_doubt(run), ""]
    for picture, caption in PICTURES.items():
        if (run / f"{picture}.png").exists():
            shutil.copyfile(run / f"{picture}.png", PAGES / f"{name}-{picture}.png")
            lines += [f"## {caption}", "", f"![{caption}]({name}-{picture}.png)", ""]
    lines += ["## Table of clusters", "", format_clusters(pd.read_csv(run / "clusters.csv")), ""]
    if entry.kind:
        table = pd.read_parquet(DATA / f"{name}.parquet")
        lines += describe_names(pd.read_csv(run / "assignments.csv"), table, entry.kind)
    if name in JOBS:
        lines += ["## Without training", "", describe_shipped(name), ""]
    (PAGES / f"{name}.md").write_text("\n".join(lines), encoding="utf-8")


def describe_result(metrics: dict[str, Any]) -> str:
    """What came of a run, in two sentences."""
    scores = ""
    if "cluster_nmi" in metrics:
        purity, nmi, accuracy, merged = (
            f"{metrics[key]:.3f}" for key in ("purity", "nmi", "cluster_accuracy", "cluster_nmi")
        )
        scores = (
            f" On the {metrics['split']} split, the nodes reach a purity of {purity} and an NMI of "
            f"{nmi}, the clusters an accuracy of {accuracy} and an NMI of {merged}; the classes "
            "took no part in training."
        )
    minutes = metrics["seconds"] / 60
    epochs = "1 epoch" if metrics["epochs"] == 1 else f"{metrics['epochs']} epochs"
    return (
        f"{metrics['nodes_used']} nodes in use, {metrics['clusters']} clusters.{scores} Trained "
        f"for {epochs} with seed {metrics['seed']} in {metrics['precision']} on {metrics['device']}"
        f", in {minutes:.1f} minutes with other programs running, at commit "
        f"{metrics['git_commit']}."
    )


def describe_doubt(run: Path) -> str:
    """That the training found no number of clusters to stand out, where its log says so."""
    doubtful = "no number of clusters stands out" in (run / "train.log").read_text()
    return " The training log says that no number of clusters stands out." * doubtful


def format_clusters(table: pd.DataFrame) -> str:
    """The largest clusters as a table of Markdown."""
    shown = table.drop(columns="outliers").head(SHOWN_CLUSTERS)
    shown = shown.assign(share=shown["share"].map("{:.1%}".format)).astype(str)
    kept = [str(name) for name in shown]
    rows: list[list[str]] = [kept, ["---"] * len(kept), *shown.to_numpy().tolist()]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    left = len(table) - len(shown)
    return "\n".join(lines) + (f"\n\nand {left} smaller clusters." if left else "")


def describe_shipped(name: str) -> str:
    """How the model is used that comes with the package."""
    return (
        f"This model comes with the package: use `dcsomrl.load({name!r})` or `python -m "
        f"dcsomrl.predict ckpt={name} input=FOLDER`. Its network is stored in half precision."
    )


def write_index() -> None:
    """The page that leads to those that are there."""
    lines = [
        *("# Gallery", ""),
        "Ten datasets, each with one command and its results; generated by `python -m "
        "experiments.gallery`.",
        *("", "| dataset | contents |", "| --- | --- |"),
    ]
    for name, entry in ENTRIES.items():
        if (PAGES / f"{name}.md").exists():
            lines.append(f"| [{entry.title}]({name}.md) | {entry.about} |")
    (PAGES / "index.md").write_text("\n".join([*lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
