"""Runs of the entry point, each in a process of its own, taken up again where they stopped."""

import csv
import json
import statistics
import subprocess
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.progress import track

from dcsomrl.writing import write_json

RUNS = Path("runs")
# Stands once on every page that names a figure, table or section of the paper by its number.
CITATION = (
    'Numbered figures, tables, sections and equations are those of "Shaping latent '
    'representations using Self-Organizing Maps with Relevance Learning", submitted to ICLR 2022.'
)


def run_all(jobs: Mapping[str, list[str]]) -> dict[str, Path]:
    """Run what has no results yet; a job that was interrupted goes on from its last epoch.

    Args:
        jobs: overrides of ``python -m dcsomrl.train`` by the job's folder below ``runs``.

    Returns:
        The run directories by the same names.
    """
    hidden = not sys.stderr.isatty()
    return {name: train_job(name, jobs[name]) for name in track(jobs, "runs", disable=hidden)}


def measure(
    jobs: Mapping[str, list[str]], kept: Path, at_once: int = 1
) -> dict[str, dict[str, Any]]:
    """Final scores of jobs; a job whose scores were kept is not run again.

    Args:
        jobs: as of :func:`run_all`.
        kept: folder of the scores, a small file a job; it needs no run directories.
        at_once: processes that run side by side.
    """
    kept.mkdir(parents=True, exist_ok=True)

    def one(name: str) -> dict[str, Any]:
        file = kept / f"{name.replace('/', '-')}.json"
        if not file.exists():
            write_json(file, read_final_metrics(train_job(name, jobs[name])))
        return json.loads(file.read_text())

    with ThreadPoolExecutor(at_once) as pool:
        results = pool.map(one, jobs)
        shown = track(results, "runs", total=len(jobs), disable=not sys.stderr.isatty())
        return dict(zip(jobs, shown, strict=True))


def train_job(name: str, overrides: list[str]) -> Path:
    """Train a job, from its last epoch where it was interrupted; returns its run directory."""
    folder = RUNS / name
    if not (folder / "metrics.json").exists():
        command = [sys.executable, "-m", "dcsomrl.train", *overrides, "ckpt_path=last"]
        subprocess.run([*command, f"hydra.run.dir={folder}"], check=True)
    return folder


def read_final_metrics(folder: Path) -> dict[str, Any]:
    """Scores on the test split."""
    return json.loads((folder / "metrics.json").read_text())


def read_last_epoch(table: Path) -> dict[str, float]:
    """The last row of a run's ``metrics.csv``; scores of the validation part begin with val/."""
    with table.open(newline="") as file:
        return {name: float(value) for name, value in list(csv.DictReader(file))[-1].items()}


def format_spread(values: Iterable[float], decimals: int = 3) -> str:
    """Mean and sample deviation, as one cell of a table."""
    numbers = list(values)
    mean = f"{statistics.fmean(numbers):.{decimals}f}"
    if len(numbers) < 2:
        return mean
    return f"{mean} ± {statistics.stdev(numbers):.{decimals}f}"
