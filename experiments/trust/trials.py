"""Trials of a campaign: kept one by one, so that an interrupted campaign goes on."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from rich.progress import track

from dcsomrl.writing import tabulate

KEPT = Path(__file__).parents[1] / "results" / "trust"
Trial = dict[str, Any]


def run_trials(
    name: str, numbers: Sequence[int], run: Callable[[int], Trial], at_once: int = 1
) -> None:
    """Run what is missing of a campaign's trials, and keep each as soon as it has ended.

    Args:
        name: of the campaign, whose trials are lines of ``results/trust/NAME.jsonl``.
        numbers: of the trials; a trial is drawn from its number alone.
        run: makes a trial and says what came of it, in plain values.
        at_once: trials that run side by side.
    """
    KEPT.mkdir(parents=True, exist_ok=True)
    done = {trial["number"] for trial in read_trials(name)}
    missing = [number for number in numbers if number not in done]
    hidden = not sys.stderr.isatty()
    with (
        ThreadPoolExecutor(at_once) as pool,
        (KEPT / f"{name}.jsonl").open("a", encoding="utf-8") as file,
    ):
        futures = [pool.submit(_time, run, number) for number in missing]
        for future in track(as_completed(futures), name, total=len(missing), disable=hidden):
            file.write(json.dumps({**future.result(), "commit": COMMIT}) + "\n")
            file.flush()
            os.fsync(file.fileno())


def read_trials(name: str) -> list[Trial]:
    """The trials of a campaign that have ended, by their numbers."""
    file = KEPT / f"{name}.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return sorted(map(json.loads, lines), key=lambda trial: trial["number"])


def tabulate_outcomes(
    trials: Iterable[Trial],
    key: str,
    title: str,
    names: Iterable[str],
    columns: Sequence[str],
    tell: Callable[[Trial], Sequence[str]] = lambda trial: [trial["outcome"]],
) -> str:
    """A table of how many trials came to what.

    Args:
        trials: that have ended.
        key: by which they are told apart.
        title: of the first column.
        names: of the rows, values of the key.
        columns: what a trial can come to.
        tell: to which of them it came.
    """
    counts = {name: Counter[str]() for name in names}
    for trial in trials:
        counts[trial[key]].update(tell(trial))
    rows = [[name, *(str(count[one]) for one in columns)] for name, count in counts.items()]
    return tabulate([title, *columns], rows)


def _time(run: Callable[[int], Trial], number: int) -> Trial:
    started = time.monotonic()
    trial = run(number)
    return {"number": number, **trial, "seconds": round(time.monotonic() - started, 2)}


def _find_commit() -> str:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


COMMIT = _find_commit()
