"""Part 6: a run that was killed and goes on, beside the run that was never stopped."""

import shutil
import subprocess
import time
from functools import partial
from pathlib import Path
from typing import Any

import torch

from dcsomrl.checkpoints import read_checkpoint
from experiments.gpu.agreement import measure_difference
from experiments.gpu.setting import Cells, Setting
from experiments.gpu.training import finish, start

EPOCHS, KILLED_AFTER = 4, 2
VARIANTS = {
    "32-true": ("trainer.precision=32-true",),
    "bf16-mixed": ("trainer.precision=bf16-mixed",),
    "32-true, deterministic": ("trainer.precision=32-true", "trainer.deterministic=true"),
}


def list_cells(setting: Setting) -> Cells:
    """Resumed runs; and two runs that nothing stopped, which a GPU need not repeat."""
    if setting.dry:
        return {"32-true": partial(compare_resumed, setting, "32-true")}
    return {
        **{name: partial(compare_resumed, setting, name) for name in VARIANTS},
        **{f"{name}, repeated": partial(compare_repeated, setting, name) for name in VARIANTS},
    }


def compare_resumed(setting: Setting, variant: str) -> dict[str, Any]:
    """Differences of the run that was killed and resumed from the one that was not."""
    common = (*setting.overrides, f"trainer.max_epochs={EPOCHS}", *VARIANTS[variant])
    whole, killed = f"whole-{variant}", f"killed-{variant}"
    for folder in (whole, killed):
        shutil.rmtree(setting.runs / folder, ignore_errors=True)
    begun = start(setting, whole, *common)
    rows = _kill_after(start(setting, killed, *common), setting.runs / killed / "metrics.csv")
    metrics = finish(setting, whole, begun)
    resumed = finish(setting, killed, start(setting, killed, *common, "ckpt_path=last"))
    return {
        "killed after epoch": rows,
        **_compare_runs(setting, whole, killed),
        "NMI, never stopped": metrics["nmi"],
        "NMI, resumed": resumed["nmi"],
    }


def compare_repeated(setting: Setting, variant: str) -> dict[str, Any]:
    """The same of two runs that nothing stopped: what the device itself does not repeat."""
    common = (*setting.overrides, f"trainer.max_epochs={EPOCHS}", *VARIANTS[variant])
    folders = one, two = f"one-{variant}", f"two-{variant}"
    for folder in folders:
        shutil.rmtree(setting.runs / folder, ignore_errors=True)
    begun = [start(setting, folder, *common) for folder in folders]
    nmi = [finish(setting, *run)["nmi"] for run in zip(folders, begun, strict=True)]
    return {**_compare_runs(setting, one, two), "NMI": nmi[0], "NMI, repeated": nmi[1]}


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


def _compare_runs(setting: Setting, *folders: str) -> dict[str, Any]:
    """Whether two runs are equal in all they hold, and how far apart their networks are."""
    one, two = (
        read_checkpoint(setting.runs / folder / "checkpoints" / "last.ckpt")["state_dict"]
        for folder in folders
    )
    names = [name for name in one if name.startswith("autoencoder")]
    weights = [torch.cat([state[name].flatten() for name in names]) for state in (one, two)]
    return {
        "bit for bit": all(torch.equal(one[name], two[name]) for name in one),
        "relative difference of the weights": measure_difference(*weights),
    }
