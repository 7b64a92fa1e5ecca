"""Whether memory, open files, threads and time stay flat.

A training of 2,000 epochs, a search of 200 trials in one process, and 100,000 predictions of one
sample each, observed from outside ten times a second. Other programs were running, so
seconds vary.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from experiments.trust.trials import Trial, read_trials, run_trials

EPOCHS, TRIALS, PREDICTIONS = 2000, 200, 100_000
TINY = [
    *("model=neighbor_somrl", "dataset=arrays", "dataset.path={folder}/x.npy", "trainer=cpu"),
    *("model.autoencoder.hidden_dims=[16]", "model.autoencoder.latent_dim=4", "num_threads=1"),
    *("dataset.passes=1", "dataset.batch_size=100"),
]
MAKE_DATA = """
import numpy as np
rng = np.random.default_rng(0)
np.save({file!r}, (rng.integers(5, size=(400, 1)) + 0.1 * rng.standard_normal((400, 6))))
"""
PREDICT = """
import torch, dcsomrl
model = dcsomrl.load("usps").model
x = torch.rand(1, 1, 16, 16)
for number in range({predictions}):
    with torch.no_grad():
        model.assign(model.encode(x))
    if number % 100 == 99:
        print(number + 1, flush=True)
"""
SHARES = {"start": 0.1, "middle": 0.5, "end": 1.0}


class Work(NamedTuple):
    """A long piece of work.

    Attributes:
        title: of its row.
        total: steps in it.
        command: arguments of Python, in which {folder} stands for a folder of its own.
        count: steps that are done, by the folder; the printed ones of the output in ``log``.
    """

    title: str
    total: int
    command: list[str]
    count: Callable[[Path], int]


def count_epochs(folder: Path) -> int:
    """Epochs whose row is written."""
    return _count_lines(folder / "run" / "metrics.csv")


def count_trials(folder: Path) -> int:
    """Trainings whose results are written, two of a trial."""
    return len(list((folder / "search").glob("*/*/metrics.json")))


def count_printed(folder: Path) -> int:
    """The last number that was printed."""
    text = (folder / "log").read_text().split()
    return int(text[-1]) if text and text[-1].isdigit() else 0


def _count_lines(file: Path) -> int:
    return len(file.read_text().splitlines()) - 1 if file.exists() else 0


WORKS = [
    Work(
        "training, epochs",
        EPOCHS,
        [
            *("-m", "dcsomrl.train", *TINY),
            f"trainer.max_epochs={EPOCHS}",
            "hydra.run.dir={folder}/run",
        ],
        count_epochs,
    ),
    Work(
        "search, trainings",
        2 * TRIALS,
        [
            *("-m", "dcsomrl.train", "-m", "search=neighbors", *TINY, "trainer.max_epochs=2"),
            *(f"hydra.sweeper.n_trials={TRIALS}", "hydra.sweep.dir={folder}/search"),
        ],
        count_trials,
    ),
    Work(
        "predictions", PREDICTIONS, ["-c", PREDICT.format(predictions=PREDICTIONS)], count_printed
    ),
]


def run() -> None:
    """Do what has not been done."""
    run_trials("long", range(len(WORKS)), do)


def do(number: int) -> Trial:
    """Do a piece of work and look at its process."""
    work = WORKS[number]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(
            [sys.executable, "-c", MAKE_DATA.format(file=str(folder / "x.npy"))], check=True
        )
        command = [sys.executable, *(one.replace("{folder}", name) for one in work.command)]
        with (folder / "log").open("w") as log:
            process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
            looks = watch(process, lambda: work.count(folder))
        if process.returncode:
            raise SystemExit((folder / "log").read_text()[-2000:])
    return {"title": work.title, "total": work.total, "looks": choose_looks(looks, work.total)}


def watch(process: subprocess.Popen[bytes], count: Callable[[], int]) -> list[dict[str, float]]:
    """What a process holds, whenever it has done more."""
    looks: list[dict[str, float]] = []
    started = time.monotonic()
    while process.poll() is None:
        time.sleep(0.1)
        done = count()
        try:
            held = look_at(process.pid)
        except (OSError, KeyError):  # it has just ended
            break
        if done and (not looks or done > looks[-1]["done"]):
            looks.append({"done": done, "seconds": time.monotonic() - started, **held})
    process.wait()
    return looks


def look_at(pid: int) -> dict[str, float]:
    """Memory in MB, open files and threads of a process."""
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    return {
        "memory": int(status["VmRSS"].split()[0]) / 1024,
        "files": len(list(Path(f"/proc/{pid}/fd").iterdir())),
        "threads": int(status["Threads"]),
    }


def choose_looks(looks: list[dict[str, float]], total: int) -> dict[str, dict[str, float]]:
    """Those nearest to the start, the middle and the end, with seconds per thousand steps there."""
    chosen = {}
    for name, share in SHARES.items():
        at = min(range(len(looks)), key=lambda i: abs(looks[i]["done"] - share * total))
        before = min(range(len(looks)), key=lambda i: abs(looks[i]["done"] - (share - 0.1) * total))
        first, last = looks[before], looks[at]
        steps = last["done"] - first["done"]
        pace = 1000 * (last["seconds"] - first["seconds"]) / steps if steps else float("nan")
        chosen[name] = {key: round(value, 2) for key, value in {**last, "pace": pace}.items()}
    return chosen


def describe() -> str:
    """The part of the page."""
    lines = [
        *("## Long work", "", " ".join(__doc__.split())),
        *("", "| work | at | memory, MB | open files | threads | seconds per 1,000 |"),
        "| --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {trial['title']} | {look['done']:,.0f} of {trial['total']:,} | {look['memory']:,.0f} | "
        f"{look['files']} | {look['threads']} | {look['pace']:.2f} |"
        for trial in read_trials("long")
        for look in trial["looks"].values()
    ]
    return "\n".join([*lines, ""])
