"""Part 5: a whole training as a user starts it, and where its time goes."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

from hydra.utils import instantiate
from omegaconf import OmegaConf
from pytorch_lightning import Callback, Trainer
from pytorch_lightning.profilers import SimpleProfiler
from torch.profiler import ProfilerActivity, profile

from dcsomrl.data import ClusterData
from dcsomrl.models import DCSOMRL
from dcsomrl.training.run import fit
from dcsomrl.training.trainer import build_trainer
from experiments.gpu.setting import Cells, Setting

# What Lightning's profiler calls the parts of an epoch that are told apart.
LOADER, STEP = "[_TrainingEpochLoop].train_dataloader_next", "run_training_batch"
SHOWN = 6


def list_cells(setting: Setting) -> Cells:
    """The command, the share of the time in which the GPU works, and what the rest is."""
    return {
        "command": partial(run_command, setting),
        "busy": partial(measure_busy, setting),
        "where": partial(measure_parts, setting),
    }


def start(setting: Setting, folder: str, *overrides: str) -> subprocess.Popen[str]:
    """``python -m dcsomrl.train`` into a folder of the runs; what it says goes to a file there."""
    run_dir = setting.runs / folder
    run_dir.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "dcsomrl.train", *overrides]
    with (run_dir / "output.txt").open("w") as output:
        return subprocess.Popen(
            [*command, f"hydra.run.dir={run_dir}"],
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )


def finish(setting: Setting, folder: str, process: subprocess.Popen[str]) -> dict[str, Any]:
    """Wait for a run; its results.

    Raises:
        RuntimeError: it failed.
    """
    run_dir = setting.runs / folder
    if process.wait():
        raise RuntimeError((run_dir / "output.txt").read_text()[-400:])
    return json.loads((run_dir / "metrics.json").read_text())


def run_command(setting: Setting) -> dict[str, Any]:
    """Seconds from the command to its end, and those of the training in it."""
    begin = time.perf_counter()
    epochs = 1 if setting.dry else 30
    process = start(setting, "command", *setting.overrides, f"trainer.max_epochs={epochs}")
    metrics = finish(setting, "command", process)
    whole = time.perf_counter() - begin
    keys = ("epochs", "step", "nodes", "purity", "nmi", "precision")
    return {
        "seconds": whole,
        "training seconds": metrics["seconds"],
        **{k: metrics[k] for k in keys},
    }


def make_trainer(
    setting: Setting, epochs: int, callbacks: Sequence[Callback] = (), **arguments: Any
) -> tuple[Trainer, DCSOMRL, ClusterData]:
    """Trainer, model and data of a run, with all that a run has."""
    cfg, data, model = setting.make(f"trainer.max_epochs={epochs}")
    folder = setting.runs / "inside"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    config: Any = OmegaConf.to_container(cfg, resolve=True)
    trainer = build_trainer(
        partial(instantiate(cfg.trainer, _partial_=True), **arguments),
        config,
        folder,
        loggers=[],
        callbacks=[*instantiate(cfg.callbacks).values(), *callbacks],
        validated=data.val_fraction > 0,
        goes_on=False,
    )
    return trainer, model, data


def measure_busy(setting: Setting) -> dict[str, Any]:
    """Share of a training's time in which the device computes, in the second epoch."""
    kind = "cpu" if setting.dry else "device"
    activity = ProfilerActivity.CPU if setting.dry else ProfilerActivity.CUDA
    trainer, model, data = make_trainer(setting, 1)
    fit(trainer, model, data, None)
    trainer, _, data = make_trainer(setting, 1)
    begin = time.perf_counter()
    with profile(activities=[activity]) as profiler:
        fit(trainer, model, data, None)
        setting.wait()
    whole = time.perf_counter() - begin
    events = profiler.key_averages()
    busy = sum(getattr(event, f"self_{kind}_time_total") for event in events) / 1e6
    return {"seconds": whole, "busy seconds": busy, "busy": busy / whole}


def measure_parts(setting: Setting) -> dict[str, Any]:
    """Share of the epochs that each part of them takes, as the host sees it."""
    profiler = SimpleProfiler(dirpath=setting.runs, filename="profile")
    epochs = 2 if setting.dry else 4
    trainer, model, data = make_trainer(setting, epochs, profiler=profiler)
    fit(trainer, model, data, None)
    # The first epoch warms up.
    spent = {name: sum(times) for name, times in profiler.recorded_durations.items()}
    whole = spent["run_training_epoch"]
    others: Counter[str] = Counter()
    for name, seconds in spent.items():
        if name.startswith(("[Callback]", "save_checkpoint", "[_EvaluationLoop]")):
            others[name.partition("{")[0].partition(".")[0]] += seconds / whole
    return {
        "seconds an epoch": whole / epochs,
        "step": spent[STEP] / whole,
        "loader": spent[LOADER] / whole,
        "others": dict(others.most_common(SHOWN)),
    }
