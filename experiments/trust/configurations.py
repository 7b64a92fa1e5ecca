"""Configurations drawn from `conf/`; each either runs on tiny data or is rejected in one sentence.

Every group and every key occurs, with values at, inside and outside its range.
"""

import json
import re
import shutil
import statistics
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from PIL import Image

from dcsomrl.writing import tabulate
from experiments.trust.drawn import draw
from experiments.trust.forked import Ended, run_command
from experiments.trust.trials import Trial, read_trials, run_trials

NAME = "configurations"
TRIALS = 2000
# Seconds that a command may take on tiny data. A benchmark starts others from nothing, and
# neighbours are approximated by code that is compiled first.
LIMIT = 60
LONGER = 4 * LIMIT
COMPILED = "dataset.neighbors.exact_limit="
# What a command says on its way, which is not a complaint.
NEWS = (
    "GPU available",
    "TPU available",
    "`Trainer.fit` stopped",
    "Rest",
    "\N{BOX DRAWINGS HEAVY HORIZONTAL}",
)
# Folders of this machine, which say nothing of a trial.
PLACES = re.compile(rf"\S*/site-packages/|{re.escape(tempfile.gettempdir())}/[^/\s]+/")
# What a trial finds in its folder.
GIVEN = ("run", "search")
RESULT = "metrics.json"
OUTPUT = ("stdout", "stderr")


def run() -> None:
    """Run what is missing of the campaign, one trial after the other."""
    with tempfile.TemporaryDirectory() as folder:
        make_inputs(Path(folder))
        run_trials(NAME, range(TRIALS), partial(run_trial, inputs=Path(folder)))


def run_trial(number: int, inputs: Path) -> Trial:
    """Run the command of a trial in a folder of its own, and judge it.

    Args:
        number: from which the command is drawn.
        inputs: a folder that :func:`make_inputs` has filled.
    """
    command, kind, overrides = draw(number)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "data").symlink_to(inputs / "data")
        for kept in GIVEN:
            shutil.copytree(inputs / kept, folder / kept)
        before = set(_list_states(folder))
        longer = command == "benchmark" or any(one.startswith(COMPILED) for one in overrides)
        ended = run_command(command, overrides, folder, LONGER if longer else LIMIT)
        written = {file for file, state in _list_states(folder) if (file, state) not in before}
        return {"kind": kind, "command": [command, *overrides], **judge(command, ended, written)}


def _list_states(folder: Path) -> Iterator[tuple[Path, int]]:
    """Every file and folder below a folder, and when it was last written."""
    return ((file, file.stat().st_mtime_ns) for file in folder.rglob("*") if file.exists())


def judge(command: str, ended: Ended, written: set[Path]) -> Trial:
    """What came of a command: ``ran``, ``refused`` or ``failed``, and what there is to say of it.

    Refused is what ends with status 2 and one line ``error: ...``; ran is what ends with status 0,
    wrote its results, and no number among them is NaN or infinite.

    Args:
        command: its name.
        ended: what came of it.
        written: the files and folders that are new or changed.
    """
    text = PLACES.sub("", ended.err)
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(NEWS)]
    errors = [line for line in lines if line.startswith("error: ")]
    tail = {"stderr": "\n".join(lines[-12:])[-3000:], "stdout": ended.out[-600:]}
    if ended.code is None:
        return {"verdict": "failed", "why": "time is over", **tail}
    if "Traceback" in ended.err or "Error executing job" in ended.err + ended.out:
        return {"verdict": "failed", "why": "traceback", **tail}
    if ended.code == 2 and len(errors) == 1:
        noise = [line for line in lines if line not in errors]
        said: Trial = {"verdict": "refused", "sentence": errors[0], "epochs": count_epochs(written)}
        return {**said, "noise": "\n".join(noise)[-1000:]} if noise else said
    if ended.code != 0:
        return {"verdict": "failed", "why": f"status {ended.code}", **tail}
    files = [one for one in written if one.is_file() and one.name not in OUTPUT]
    if not files or (command == "train" and not any(one.name == RESULT for one in files)):
        return {"verdict": "failed", "why": "no results", **tail}
    odd = find_odd_numbers(files)
    if odd:
        return {"verdict": "failed", "why": f"no numbers: {', '.join(odd)}", **tail}
    return {"verdict": "ran", **({"noise": "\n".join(lines)[-1000:]} if lines else {})}


def count_epochs(written: set[Path]) -> int:
    """Epochs that were trained in a trial before it ended."""
    tables = [one for one in written if one.name == "metrics.csv"]
    return sum(max(len(one.read_text().splitlines()) - 1, 0) for one in tables)


def find_odd_numbers(files: list[Path]) -> list[str]:
    """Which of some result files hold NaN or infinity, with one of those or its column."""
    found = []
    for file in sorted(files):
        odd: list[str] = []
        if file.suffix == ".json":
            json.loads(file.read_text(encoding="utf-8"), parse_constant=odd.append)
        elif file.suffix == ".csv":
            odd = re.findall(r"(?im)(?:^|,)(nan|-?inf(?:inity)?)(?=,|$)", file.read_text())
        elif file.suffix == ".parquet":
            numbers = pd.read_parquet(file).select_dtypes("number").astype(float)
            odd = [str(name) for name in numbers if not np.isfinite(numbers[name]).all()]
        found += [f"{file.name}: {odd[0]}"] if odd else []
    return found


def make_inputs(folder: Path) -> None:
    """Write tiny data, a run and a search into a folder."""
    rng = np.random.default_rng(0)
    data = folder / "data"
    (data / "images" / "a").mkdir(parents=True)
    (data / "images" / "b").mkdir()
    table = pd.DataFrame(rng.random((60, 5)), columns=list("abcde"))
    table["b"] += np.arange(60) % 3
    table.assign(kind=np.arange(60) % 3).to_csv(data / "table.csv", index=False)
    table.to_parquet(data / "stream.parquet")
    np.save(data / "features.npy", rng.random((48, 3)))
    for n in range(24):
        pixels = rng.integers(0, 255, (12, 12), dtype=np.uint8)
        Image.fromarray(pixels).save(data / "images" / "ab"[n % 2] / f"{n}.png")
    with h5py.File(data / "usps.h5", "w") as file:
        for split, n in (("train", 60), ("test", 20)):
            file[f"{split}/data"] = rng.random((n, 256), dtype=np.float32)
            file[f"{split}/target"] = np.arange(n) % 10
    small = ["trainer=cpu", "trainer.max_epochs=2", "num_threads=1", "logger=csv"]
    small += ["model.autoencoder.hidden_dims=[8]", "dataset=arrays", "dataset.target=kind"]
    small += ["dataset.path=data/table.csv", "model=dcsomrl"]
    searched = ["-m", "search=default", "model.alpha=interval(0.01,1)", "hydra.sweeper.n_trials=3"]
    for overrides in (
        [*small, "hydra.run.dir=run"],
        [*searched, *small, "hydra.sweep.dir=search"],
    ):
        ended = run_command("train", overrides, folder, 10 * LIMIT)
        if ended.code:
            raise RuntimeError(ended.err)


def describe() -> str:
    """The campaign's part of the page."""
    trials = read_trials(NAME)
    verdicts = Counter(trial["verdict"] for trial in trials)
    late = [one for one in trials if one.get("epochs")]
    failed = [one for one in trials if one["verdict"] == "failed"]
    kinds = defaultdict(list)
    for trial in trials:
        kinds[trial["kind"]].append(trial)
    header = ["", "ran", "refused", "failed", "seconds, median", "longest"]
    return "\n".join(
        [
            "## Configurations",
            "",
            *(__doc__ or "").splitlines(),
            "",
            f"Of {len(trials)} configurations, {verdicts['ran']} ran to completion, "
            f"{verdicts['refused']} were rejected in one sentence with exit status 2 ({len(late)} "
            f"of them after an epoch of training), and {verdicts['failed']} failed. Failures are a "
            f"traceback, results that are not numbers, or more than {LIMIT} seconds, {LONGER} for "
            "a benchmark and for approximate neighbours.",
            "",
            tabulate(header, [_describe_kind(kind, kinds[kind]) for kind in sorted(kinds)]),
            *(f"- failed, {one['why']}: `{' '.join(one['command'])}`" for one in failed),
            *(
                f"- refused after {one['epochs']} epochs: `{' '.join(one['command'])}`, "
                f"{one['sentence']}"
                for one in late
            ),
            "",
        ]
    )


def _describe_kind(kind: str, trials: list[Trial]) -> list[str]:
    """A row of the table."""
    counted = Counter(trial["verdict"] for trial in trials)
    seconds = [trial["seconds"] for trial in trials]
    numbers = [str(counted[verdict]) for verdict in ("ran", "refused", "failed")]
    return [kind, *numbers, f"{statistics.median(seconds):.1f}", f"{max(seconds):.1f}"]
