"""Part 6: a run that was killed and goes on, beside the run that was never stopped."""

import shutil
import subprocess
import time
from functools import partial
from pathlib import Path
from typing import Any

import torch

from dcsomrl.checkpoints import read_checkpoint
from experiments.gpu.setting import Cells, Setting
from experiments.gpu.training import finish, start

EPOCHS, KILLED_AFTER = 4, 2


def cells(setting: Setting) -> Cells:
    """In both precisions; and two runs that nothing stopped, which a GPU need not repeat."""
    precisions = ("32-true",) if setting.dry else ("32-true", "bf16-mixed")
    found: dict[str, Any] = {p: partial(compare_resumed, setting, p) for p in precisions}
    if not setting.dry:
        found |= {f"{p}, repeated": partial(compare_repeated, setting, p) for p in precisions}
    return found


def compare_resumed(setting: Setting, precision: str) -> dict[str, Any]:
    """Differences of the run that was killed and resumed from the one that was not."""
    common = (*setting.overrides, f"trainer.max_epochs={EPOCHS}", f"trainer.precision={precision}")
    whole, killed = f"whole-{precision}", f"killed-{precision}"
    for folder in (whole, killed):
        shutil.rmtree(setting.runs / folder, ignore_errors=True)
    begun = start(setting, whole, *common)
    rows = _kill_after(start(setting, killed, *common), setting.runs / killed / "metrics.csv")
    metrics = finish(setting, whole, begun)
    resumed = finish(setting, killed, start(setting, killed, *common, "ckpt_path=last"))
    return {
        "killed after epoch": rows,
        **_apart(setting, whole, killed),
        "NMI, never stopped": metrics["nmi"],
        "NMI, resumed": resumed["nmi"],
    }


def compare_repeated(setting: Setting, precision: str) -> dict[str, Any]:
    """The same of two runs that nothing stopped: what the device itself does not repeat."""
    common = (*setting.overrides, f"trainer.max_epochs={EPOCHS}", f"trainer.precision={precision}")
    folders = one, two = f"one-{precision}", f"two-{precision}"
    for folder in folders:
        shutil.rmtree(setting.runs / folder, ignore_errors=True)
    begun = [start(setting, folder, *common) for folder in folders]
    nmi = [finish(setting, *run)["nmi"] for run in zip(folders, begun, strict=True)]
    return {**_apart(setting, one, two), "NMI": nmi[0], "NMI, repeated": nmi[1]}


def _kill_after(process: subprocess.Popen[str], table: Path) -> int:
    """Kill a run once its table has the rows of some epochs; returns how many it has."""
    while process.poll() is None:
        rows = len(table.read_text().splitlines()) - 1 if table.exists() else 0
        if rows >= KILLED_AFTER:
            process.kill()
            process.wait()
            return rows
        time.sleep(0.005)
    raise RuntimeError("the run ended before it could be killed")


def _apart(setting: Setting, one: str, two: str) -> dict[str, Any]:
    """Whether the weights and the map of two runs are equal, and the largest difference."""
    states = [
        read_checkpoint(setting.runs / folder / "checkpoints" / "last.ckpt")["state_dict"]
        for folder in (one, two)
    ]
    a, b = states
    largest = max(float((a[name].double() - b[name].double()).abs().max()) for name in a)
    equal = all(torch.equal(a[name], b[name]) for name in a)
    return {"bit for bit": equal, "largest difference": largest}
