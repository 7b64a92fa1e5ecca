"""One cell of a comparison: a method on a dataset with a seed, trained in a process of its own."""

import math
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from dcsomrl.benchmarking.merged import MERGED
from dcsomrl.data.constant import list_some
from dcsomrl.errors import ConfigError, DataError, DcsomrlError
from dcsomrl.inputs import read_json
from dcsomrl.metrics import BY_KEY

# Settings of where a training runs, which its result does not depend on.
ELSEWHERE = ("num_threads=", "data_dir=")
# What a result holds beside its scores.
KINDS = {
    **{"method": str, "dataset": str, "seed": int},
    **{"precision": str, "torch": str, "git_commit": str | None},
}


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
        DataError: a file that is not a result.
    """
    results = {}
    for path in sorted(folder.glob("*.json")):
        result = read_json(path, "remove it, and run again")
        _check_result(result, path)
        results[Cell(result["method"], result["dataset"], result["seed"])] = result
    return results


def _check_result(result: Mapping[str, Any], path: Path) -> None:
    """Refuse what lacks a part of a result, or has it as something else.

    Raises:
        DataError: says what.
    """
    of_kind = [name for name, kind in KINDS.items() if not isinstance(result.get(name), kind)]
    numbers = [
        name
        for name, value in result.items()
        if name.removeprefix(MERGED) in BY_KEY and not _is_number(value)
    ]
    if wrong := [*of_kind, *numbers]:
        raise DataError(
            f"{path} is not a result of a benchmark ({list_some(wrong)} is lacking or of another "
            "kind): remove it, and run again"
        )


def _is_number(value: Any) -> bool:
    """Whether a value is a finite number, or null for one that is not defined."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value is None or (is_number and math.isfinite(value))
