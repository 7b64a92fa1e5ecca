"""Commands that are killed at random moments and resumed.

Each command first runs to completion. Then it is started again and stopped at a random
moment of its duration, or in the middle of a save: by `kill -9`, SIGTERM, SIGINT, or
SIGSTOP followed by `kill -9`, of all of its processes or of one of them, sometimes twice.
No file may be left half-written. The same command, with `ckpt_path=last` if it trains, must
then complete, and what it leaves must equal, bit for bit except for times, what the first
run left: checkpoints, results, assignments, tables, figures, the values of a search. If so,
the outcome is `equal`; otherwise it `differs`, or it `failed` to complete.
"""

import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from experiments.trust.comparison import compare_folders, find_broken
from experiments.trust.fixtures import BENCHMARK, NETWORK, SEARCH, SMALL, TABLE, make_data
from experiments.trust.processes import HUNG, Ended, Runner, make_runner, wait
from experiments.trust.trials import Trial, read_trials, run_trials, tabulate_outcomes

NAME = "kills"
NUMBERS = range(200)
# Seconds in which what lost one of its processes has to end or go on.
PATIENCE = 60
WAYS = ("SIGKILL", "SIGTERM", "SIGINT", "SIGSTOP")
OUTCOMES = ("equal", "differs", "failed")


class Scenario(NamedTuple):
    """A command that is killed.

    Attributes:
        command: of the package.
        arguments: of its command line, with which it is taken up again as well.
        places: of what it leaves, in its folder.
        at_once: processes that are started with the same command line.
    """

    command: str
    arguments: tuple[str, ...]
    places: tuple[str, ...]
    at_once: int = 1


def _train(*arguments: str) -> Scenario:
    settings = (*SMALL, "trainer.max_epochs=8", "dataset.batch_size=16", *arguments)
    return Scenario("train", (*settings, "hydra.run.dir=made", "ckpt_path=last"), ("made",))


DEC = ("model.n_init=2", "model.update_interval=5", "model.pretrain_epochs=3")
DDP = ("trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2")
SCENARIOS = {
    "train dcsomrl": _train(*TABLE, *NETWORK, "callbacks=history"),
    "train neighbor_somrl": _train(
        *(*TABLE, *NETWORK, "model=neighbor_somrl", "callbacks=refresh_neighbors"),
        "dataset.neighbors.cache_dir=cache",
    ),
    "train dec": _train(*TABLE, *NETWORK, "model=dec", *DEC),
    "train somrl": _train(*TABLE, "model=somrl"),
    "train a stream": _train("dataset=stream", "dataset.path=stream.parquet", "model=somrl"),
    "train in two processes": _train(*TABLE, *NETWORK, *DDP),
    "search": Scenario("train", (*SEARCH, "hydra.sweeper.n_trials=3"), ("search",)),
    "search, two workers": Scenario("train", (*SEARCH, "hydra.sweeper.n_trials=3"), ("search",), 2),
    "benchmark": Scenario("benchmark", BENCHMARK, ("bench",)),
    "report": Scenario("report", ("run=made", "embedding=pca", "output=page"), ("page",)),
    "predict": Scenario(
        "predict",
        ("ckpt=made/checkpoints/last.ckpt", "input=x.csv", "output=out/predictions.parquet"),
        ("out",),
    ),
    "export": Scenario("export", ("run=made", "format=torch", "output=out/model.pt2"), ("out",)),
}
# What is there before a command of a scenario.
BEFORE = dict.fromkeys(("report", "predict", "export"), SCENARIOS["train dcsomrl"])


class Whole(NamedTuple):
    """What never stopped.

    Attributes:
        folder: its own, before the command and, below ``after``, what it leaves.
        seconds: that it took.
    """

    folder: Path
    seconds: float


def run(numbers: range = NUMBERS) -> None:
    """Run what is missing of the trials."""
    with make_runner() as runner, tempfile.TemporaryDirectory(prefix="kills-") as place:
        wholes: dict[str, Whole] = {}

        def try_one(number: int) -> Trial:
            name = list(SCENARIOS)[number % len(SCENARIOS)]
            if name not in wholes:
                wholes[name] = run_whole(runner, name, Path(place))
            return try_kill(runner, name, wholes[name], number)

        run_trials(NAME, numbers, try_one)


def run_whole(runner: Runner, name: str, place: Path) -> Whole:
    """Run a command to its end, in the folder in which it is killed later.

    Raises:
        RuntimeError: it fails.
    """
    scenario, kept = SCENARIOS[name], place / name.replace(" ", "-")
    folder = place / "trial"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    make_data(folder)
    if before := BEFORE.get(name):
        _expect(runner.run(before.command, before.arguments, folder))
    shutil.copytree(folder, kept)
    began = time.monotonic()
    _expect(runner.run(scenario.command, scenario.arguments, folder))
    seconds = time.monotonic() - began
    for one in scenario.places:
        shutil.copytree(folder / one, kept / "after" / one)
    return Whole(kept, seconds)


def _expect(ended: Ended) -> None:
    if ended.code:
        raise RuntimeError(ended.tail)


def try_kill(runner: Runner, name: str, whole: Whole, number: int) -> Trial:
    """Kill a command, once or twice, take it up again, and compare what it leaves."""
    draw = random.Random(number)
    scenario, folder = SCENARIOS[name], whole.folder.with_name("trial")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(whole.folder, folder, ignore=shutil.ignore_patterns("after"))
    kills, broken = [], []
    for _ in range(draw.choice((1, 1, 2))):
        kills.append(kill_once(runner, scenario, folder, whole.seconds, draw))
        broken += [
            one
            for place in scenario.places
            if (folder / place).exists()
            for one in find_broken(folder / place)
        ]
    ended = runner.run(scenario.command, scenario.arguments, folder)
    found = {"scenario": name, "kills": kills}
    if broken or ended.code:
        return {**found, "outcome": "failed", "said": [*broken, ended.tail]}
    differences = [
        f"{place}/{one}"
        for place in scenario.places
        for one in compare_folders(whole.folder / "after" / place, folder / place)
    ]
    return {**found, "outcome": "differs" if differences else "equal", "said": differences}


def kill_once(
    runner: Runner, scenario: Scenario, folder: Path, seconds: float, draw: random.Random
) -> str:
    """Start a command and stop it at a random moment; says how."""
    way, in_a_save = draw.choice(WAYS), draw.random() < 0.3
    alone, moment = draw.random() < 0.4, draw.uniform(0, seconds)
    chance = draw.random()
    processes = [
        runner.start(scenario.command, scenario.arguments, folder) for _ in range(scenario.at_once)
    ]
    began = time.monotonic()
    while time.monotonic() - began < moment and _any_runs(processes):
        time.sleep(0.002)
    if in_a_save:
        while _any_runs(processes) and not any(folder.rglob("*.part")):
            time.sleep(0.0005)
    while _any_runs(processes) and not list_processes(folder):  # it has not come there yet
        time.sleep(0.002)
    found = list_processes(folder)
    chosen = [found[int(chance * len(found))]] if alone and found else found
    running = _any_runs(processes)
    for pid in chosen:
        _send(pid, getattr(signal, way))
    if way == "SIGSTOP":
        time.sleep(draw.uniform(0, 0.3))
        for pid in chosen:
            _send(pid, signal.SIGKILL)
    hung = [wait(one, folder, PATIENCE).code == HUNG for one in processes]
    for pid in list_processes(folder):
        _send(pid, signal.SIGKILL)
    what = f"{way} to {len(chosen)} of {len(found)}{' in a save' if in_a_save else ''}"
    when = f"after {time.monotonic() - began:.2f} s" if running else "at the end"
    return f"{what} {when}{', and it hung' if any(hung) else ''}"


def _any_runs(processes: list["subprocess.Popen[str]"]) -> bool:
    return any(one.poll() is None for one in processes)


def _send(pid: int, sign: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, sign)


def list_processes(folder: Path) -> list[int]:
    """Processes that work in a folder, without those that merely stand for them."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                there = (entry / "cwd").readlink()
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if there == folder.resolve() and b"client.py" not in line:
                found.append(int(entry.name))
    return sorted(found)


def describe() -> str:
    """The part of the page: outcomes by scenario, and what has failed."""
    trials = read_trials(NAME)
    # One that came when all was done has hit nothing.
    stops = sum(" to 0 of " not in kill for trial in trials for kill in trial["kills"])
    parts = [
        f"## Kills\n\n{(__doc__ or '').strip()}\n",
        f"{len(trials)} trials with {stops} kills:\n",
        tabulate_outcomes(trials, "scenario", "command", SCENARIOS, OUTCOMES),
    ]
    parts += [
        f"- {one['number']}: {one['scenario']}, {'; '.join(one['kills'])}\n"
        for one in trials
        if one["outcome"] != "equal"
    ]
    return "\n".join(parts)
