"""Runs of the entry point, each in a process of its own, taken up again where they stopped."""

import csv
import json
import statistics
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rich.progress import track

RUNS = Path("runs")


def run_all(jobs: Mapping[str, list[str]]) -> dict[str, Path]:
    """Run what has no results yet; a job that was interrupted goes on from its last epoch.

    Args:
        jobs: overrides of ``python -m dcsomrl.train`` by the job's folder below ``runs``.

    Returns:
        The run directories by the same names.
    """
    folders = {name: RUNS / name for name in jobs}
    for name in track(jobs, description="runs", disable=not sys.stderr.isatty()):
        if not (folders[name] / "metrics.json").exists():
            command = [sys.executable, "-m", "dcsomrl.train", *jobs[name], "ckpt_path=last"]
            subprocess.run([*command, f"hydra.run.dir={folders[name]}"], check=True)
    return folders


def final_metrics(folder: Path) -> dict[str, Any]:
    """Scores on the test split."""
    return json.loads((folder / "metrics.json").read_text())


def last_epoch(folder: Path) -> dict[str, float]:
    """Every number logged in the last epoch; those of the validation part begin with val/."""
    with (folder / "metrics.csv").open(newline="") as file:
        return {name: float(value) for name, value in list(csv.DictReader(file))[-1].items()}


def spread(values: Iterable[float], decimals: int = 3) -> str:
    """Mean and sample deviation, as one cell of a table."""
    numbers = list(values)
    mean = f"{statistics.fmean(numbers):.{decimals}f}"
    if len(numbers) < 2:
        return mean
    return f"{mean} ± {statistics.stdev(numbers):.{decimals}f}"


def markdown_table(header: list[str], rows: Iterable[list[str]]) -> str:
    """A table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
