"""One cell of a comparison: a method on a dataset with a seed, trained in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from dcsomrl.errors import ConfigError, DataError, DcsomrlError

# Settings of where a training runs, which its result does not depend on.
ELSEWHERE = ("num_threads=", "data_dir=")


class Cell(NamedTuple):
    """A method on a dataset with a seed."""

    method: str
    dataset: str
    seed: int

    @property
    def run(self) -> Path:
        """Its run directory, below that of all runs."""
        return Path(f"{self.method}-{self.dataset}") / f"seed{self.seed}"

    @property
    def file(self) -> str:
        """Name of its result."""
        return f"{self.dataset}-{self.method}-seed{self.seed}.json"


def collect_settings(cell: Cell, config: Mapping[str, Any]) -> dict[str, Any]:
    """What a cell's result depends on."""
    overrides = [*config["common"], *config["methods"][cell.method]]
    kept = [line for line in overrides if not line.startswith(ELSEWHERE)]
    return {"training": kept, "merged_clusters": config["merged_clusters"]}


def check_same(found: object, now: object, where: Path) -> None:
    """Refuse to take the results of other settings for those of the present ones.

    Raises:
        ConfigError: they differ.
    """
    if found != now:
        raise ConfigError(
            f"{where} was made with {found}, and the settings now are {now}: set them back, choose "
            "other folders with output= and runs_dir=, or remove it"
        )


def train(cell: Cell, overrides: Sequence[str], run_dir: Path, lock: int) -> None:
    """Train a cell, from its last checkpoint where it was interrupted; its output goes to a file.

    Args:
        cell: what to train.
        overrides: its settings.
        run_dir: the run directory.
        lock: descriptor of :func:`dcsomrl.locks.lend`.

    Raises:
        DcsomrlError: the training failed; says where to read why.
    """
    command = [
        *(sys.executable, "-m", "dcsomrl.train", f"dataset={cell.dataset}", f"seed={cell.seed}"),
        *(f"name={cell.method}-{cell.dataset}", *overrides),
        *("ckpt_path=last", f"hydra.run.dir={run_dir}"),
    ]
    output = run_dir / "output.txt"
    with output.open("w") as file:
        done = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, pass_fds=(lock,))
    if done.returncode:
        last = output.read_text().strip().splitlines()[-1:] or ["no output"]
        raise DcsomrlError(f"{cell.run} failed ({last[0].strip()}): read {output}, then run again")


def read_results(folder: Path) -> dict[Cell, dict[str, Any]]:
    """Results of all cells in a folder.

    Raises:
        DataError: a file that is no result.
    """
    results = {}
    for path in sorted(folder.glob("*.json")):
        try:
            result = json.loads(path.read_text())
            cell = Cell(result["method"], result["dataset"], result["seed"])
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path} is no result of a benchmark: remove it") from error
        results[cell] = result
    return results
