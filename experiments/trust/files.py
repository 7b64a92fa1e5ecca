"""Damaged and hostile files of every kind, through every command that reads them.

A valid file is changed at random (bytes flipped, cut, spliced, blanked; sizes in headers
made huge; values in text files replaced; parts of archives changed, with correct checksums;
content of another kind) and given to the command. The outcome is `refused` if the command
ends with one sentence that names the file, and `ran` if the command does all of its work
and no result is NaN. Everything else counts as `failed`: a traceback, a sentence that does
not name the file, a process that takes more than two minutes or more than 2 GiB of memory
beyond its libraries.
"""

import json
import random
import re
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from experiments.trust.fixtures import BENCHMARK, NEIGHBORS, RUN, SEARCH, SMALL, make_fixtures
from experiments.trust.mutations import mutate
from experiments.trust.processes import Ended, Runner, limit_memory, make_runner
from experiments.trust.trials import Trial, read_trials, run_trials, tabulate_outcomes

# The folder of a trial, which says nothing of it.
PLACE = re.compile(rf"{re.escape(tempfile.gettempdir())}/[^/\s]+/")

NAME = "files"
NUMBERS = range(500)
SOM = ("model=som", *SMALL, "hydra.run.dir=made")
CKPT = "run/checkpoints/last.ckpt"
PREDICT = (f"ckpt={CKPT}", "output=made/predictions.csv")


class Reader(NamedTuple):
    """A command that reads a kind of file.

    Attributes:
        file: that is damaged, in the folder of the fixtures; of a pattern one is drawn.
        command: of the package.
        arguments: of its command line.
        names: what a sentence on the file calls it, where that is not its name.
    """

    file: str
    command: str
    arguments: tuple[str, ...]
    names: str | None = None


def _train(path: str, *arguments: str, file: str | None = None, names: str | None = None) -> Reader:
    given = (f"dataset.path={path}", *SOM, *arguments)
    return Reader(file or path, "train", given, names)


def _predict(path: str, file: str | None = None) -> Reader:
    return Reader(file or path, "predict", (*PREDICT, f"input={path}"))


ARRAYS, STREAM = "dataset=arrays", ("dataset=stream", "model=somrl")
IDX = ("dataset=mnist", "data_dir=.", *SOM, "autoencoder=none")
SHORT = ("++trainer.max_epochs=1", "hydra.run.dir=made")
READERS: dict[str, tuple[Reader, ...]] = {
    "npz": (_train("x.npz", ARRAYS), _train("packed.npz", ARRAYS), _predict("x.npz")),
    "npy": (_train("x.npy", ARRAYS), _train("x.npy", *STREAM), _predict("x.npy")),
    "pt": (_train("x.pt", ARRAYS), _predict("x.pt")),
    "csv": (
        _train("x.csv", ARRAYS, "dataset.target=kind"),
        _train("x.csv.gz", ARRAYS, "dataset.target=kind"),
        _predict("x.csv"),
    ),
    "parquet": (
        _train("x.parquet", ARRAYS, "dataset.target=kind"),
        _train("stream.parquet", *STREAM),
        _predict("x.parquet"),
    ),
    "png": (_train("png", "dataset=images", file="png/*/*.png"),),
    "tiff": (_train("tiff", "dataset=images", file="tiff/*/*.tiff"),),
    "jpg": (_train("jpg", "dataset=images", file="jpg/*/*.jpg"),),
    "idx": (Reader("MNIST/raw/*", "train", IDX),),
    "hdf5": (Reader("usps.h5", "train", ("dataset=usps", "dataset.path=usps.h5", *SOM)),),
    "checkpoint": (
        Reader(CKPT, "train", (*RUN, "trainer.max_epochs=3", "ckpt_path=last")),
        _train("x.csv", ARRAYS, "dataset.target=kind", f"init={CKPT}", "model=dcsomrl", file=CKPT),
        Reader(CKPT, "predict", (*PREDICT, "input=x.csv")),
        Reader(CKPT, "evaluate", (f"ckpt={CKPT}", "output=made")),
        Reader(CKPT, "export", ("run=run", "format=torch")),
        Reader(CKPT, "report", ("run=run", "embedding=pca")),
    ),
    "journal": (
        Reader("search/study.journal", "train", (*SEARCH, "hydra.sweeper.n_trials=3")),
        Reader("search/.search", "train", (*SEARCH, "hydra.sweeper.n_trials=3")),
    ),
    "outcome of a search": (
        Reader("search/search.json", "sensitivity", ("folder=search",), "search"),
        Reader("search/trials.csv", "sensitivity", ("folder=search",), "search"),
    ),
    "kept settings": (
        Reader(
            "search/experiment/best.yaml",
            "train",
            ("--config-dir", "search", "experiment=best", *SHORT),
            names="",  # a part of it can be settings that lack something
        ),
    ),
    "config.yaml": (
        Reader(
            *("run/config.yaml", "train"),
            ("--config-dir", "run", "--config-name", "config", *SHORT),
            names="",
        ),
    ),
    "metrics.json": (Reader("run/metrics.json", "report", ("run=run", "embedding=pca")),),
    "history": (
        Reader("run/metrics.csv", "report", ("run=run", "embedding=pca")),
        *(
            Reader(f"run/{name}", "train", (*RUN, "trainer.max_epochs=3", "ckpt_path=last"))
            for name in ("metrics.csv", "step_scores.csv", "paths.npz")
        ),
    ),
    "benchmark": (
        Reader("bench/results/digits-kmeans-seed0.json", "benchmark", BENCHMARK),
        Reader("bench/kmeans-digits/seed0/settings.json", "benchmark", BENCHMARK, "kmeans-digits"),
        Reader("bench/kmeans-digits/seed0/metrics.json", "benchmark", BENCHMARK),
    ),
    "neighbours": (Reader("cache/*", "train", NEIGHBORS),),
}
OUTCOMES = ("refused", "ran", "failed")


def run(numbers: range = NUMBERS) -> None:
    """Run what is missing of the trials."""
    with make_runner() as runner, tempfile.TemporaryDirectory(prefix="files-") as place:
        whole = Path(place) / "whole"
        make_fixtures(runner, whole)
        run_trials(NAME, numbers, lambda number: try_file(runner, whole, number))


def try_file(runner: Runner, whole: Path, number: int) -> Trial:
    """Damage one file of a copy of the fixtures, and give it to a command."""
    draw = random.Random(number)
    kind = list(READERS)[number % len(READERS)]
    reader = draw.choice(READERS[kind])
    folder = whole.with_name("trial")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(whole, folder)
    file = draw.choice(sorted(one for one in folder.glob(reader.file) if one.stat().st_size))
    if kind == "benchmark" and "results" not in reader.file:
        (folder / "bench" / "results" / "digits-kmeans-seed0.json").unlink()
    data = file.read_bytes()
    if draw.random() < 0.08:
        others = [one for one in whole.rglob("*") if one.is_file() and one.name != file.name]
        other = draw.choice(sorted(others))
        changed, what = other.read_bytes(), f"content of {other.name}"
    else:
        changed, what = mutate(data, draw)
    file.write_bytes(changed)
    ended = runner.run(reader.command, reader.arguments, folder, limit_memory())
    verdict = judge(ended, folder, file.name if reader.names is None else reader.names)
    return {
        "kind": kind,
        "file": str(file.relative_to(folder)),
        "command": reader.command,
        "change": what if changed != data else "none",
        "outcome": verdict,
        "said": PLACE.sub("", ended.sentence or ended.tail),
    }


def judge(ended: Ended, folder: Path, name: str) -> str:
    """Whether a command refused a file, ran, or failed."""
    if ended.sentence is not None:
        blamed = name in ended.sentence and "does not fit into memory" not in ended.sentence
        return "refused" if blamed else "failed"
    return "ran" if ended.code == 0 and not list_unsound(folder) else "failed"


def list_unsound(folder: Path) -> list[str]:
    """Results of a folder that hold NaN, or have lost a point of a search."""
    found = []
    for file in folder.glob("*/metrics.json"):
        if file.parent.name in ("made", "near"):
            scores = json.loads(file.read_text())
            found += [f"{file.name}: {key}" for key in ("nodes", "clusters") if scores[key] is None]
    predictions = folder / "made" / "predictions.csv"
    if predictions.exists():
        table = pd.read_csv(predictions).select_dtypes("number")
        found += [f"{predictions.name}: {key}" for key in table if table[key].isna().any()]
    return found


def describe() -> str:
    """The part of the page: outcomes by kind of file, and what has failed."""
    trials = read_trials(NAME)
    parts = [
        f"## Damaged and hostile files\n\n{(__doc__ or '').strip()}\n",
        f"{len(trials)} files:\n",
        tabulate_outcomes(trials, "kind", "kind of file", READERS, OUTCOMES),
    ]
    parts += [
        f"- {one['number']}: {one['file']}, {one['change']}, {one['command']}\n"
        for one in trials
        if one["outcome"] == "failed"
    ]
    return "\n".join(parts)
