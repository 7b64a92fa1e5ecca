"""The trainer of a run."""

import logging
import os
import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from pytorch_lightning import Callback, Trainer
from pytorch_lightning.accelerators import AcceleratorRegistry
from pytorch_lightning.callbacks import ModelCheckpoint, ProgressBar, Timer
from pytorch_lightning.loggers import Logger

from dcsomrl.errors import ConfigError, shorten
from dcsomrl.training.callbacks import (
    ChoosePrecision,
    EpochTable,
    RandomState,
    TakeOver,
    TimeLimit,
    WatchProcesses,
)
from dcsomrl.training.callbacks.choose_precision import AUTO, SINGLE
from dcsomrl.training.checkpoints import AtomicCheckpointIO
from dcsomrl.training.limits import check_limits, check_names, read_time_limit
from dcsomrl.training.silence import silence_run

log = logging.getLogger(__name__)


def build_trainer(
    make: Callable[..., Trainer],
    config: dict[str, Any],
    run_dir: Path,
    loggers: list[Logger],
    callbacks: list[Callback],
    validated: bool,
    goes_on: bool,
) -> Trainer:
    """Trainer with the table of epochs, and all that a run needs to be resumed.

    Args:
        make: makes the trainer from the arguments that are added here.
        config: the resolved configuration, which goes into every checkpoint. A precision that is
            ``auto`` there is replaced by what is chosen when the training begins.
        run_dir: the run's folder.
        loggers: further loggers; may be empty.
        callbacks: further callbacks, such as the bar and the scores; may be empty.
        validated: whether there is a validation part; the best checkpoint is the one of the
            lowest loss on it, else on the training split. Neither needs a label.
        goes_on: whether a checkpoint of this folder is continued.

    Raises:
        ConfigError: Lightning refuses an argument, or torch cannot do what it asks for.
    """
    silence_run()
    limit = read_time_limit(config["trainer"])
    folder = run_dir / "checkpoints"
    last = ModelCheckpoint(
        folder, "last", enable_version_counter=False, save_on_train_epoch_end=True
    )
    best = ModelCheckpoint(
        folder,
        "best",
        monitor="val/loss" if validated else "train/loss",
        save_weights_only=True,
        enable_version_counter=False,
        save_on_train_epoch_end=True,
    )
    arguments: dict[str, Any] = {
        "logger": loggers or False,
        "plugins": [AtomicCheckpointIO(config)],
        "max_time": None,
        "callbacks": [
            TakeOver(run_dir, config, goes_on),
            RandomState(),
            Timer(),
            *callbacks,
            *([] if limit is None else [TimeLimit(limit, folder / "last.ckpt")]),
            EpochTable(str(run_dir / "metrics.csv")),
            WatchProcesses(),
            best,
            last,
        ],
    }
    precision = config["trainer"].get("precision")
    arguments["precision"] = SINGLE if precision == AUTO else precision
    if precision == AUTO:
        arguments["callbacks"].append(ChoosePrecision(config))
    if config["trainer"].get("enable_progress_bar") is False:
        arguments["callbacks"] = [
            one for one in arguments["callbacks"] if not isinstance(one, ProgressBar)
        ]
    try:
        trainer = make(**arguments)
    except Exception as error:  # Lightning raises kinds of all sorts for what a user mistook
        raise ConfigError(f"the trainer cannot be made: {shorten(error)}") from error
    _check_sync(trainer, config["trainer"])
    check_nodes(trainer)
    return trainer


def check_trainer(settings: Mapping[str, Any], make: Callable[..., Trainer]) -> None:
    """Refuse settings that no trainer is made of, or that have no use, before any data is read.

    Args:
        settings: of the trainer.
        make: what it is made by.

    Raises:
        ConfigError: names the setting.
    """
    check_names(settings, getattr(make, "func", make))
    check_limits(settings)
    _check_accelerator(settings.get("accelerator"))
    read_time_limit(settings)


def check_nodes(trainer: Trainer) -> None:
    """Refuse to wait for machines that nothing has told of each other.

    SLURM, torchrun and other launchers do; by hand it is done by ``MASTER_ADDR``, without which
    every process is its own machine's first.

    Raises:
        ConfigError: there are several machines and no such launcher.
    """
    launched = not isinstance(
        getattr(trainer.strategy, "cluster_environment", None), LightningEnvironment
    )
    if trainer.num_nodes > 1 and not launched and "MASTER_ADDR" not in os.environ:
        raise ConfigError(
            f"trainer.num_nodes={trainer.num_nodes} would wait for machines on which nothing "
            "runs: start the run on each through SLURM (trainer=slurm) or torchrun, or set "
            "trainer.num_nodes=1"
        )


def warn_of_slow_half(trainer: Trainer) -> None:
    """Say that bf16 makes a training slower where the CPU has no arithmetic for it."""
    on_cpu = trainer.strategy.root_device.type == "cpu"
    x86 = platform.machine().lower() in ("x86_64", "amd64")
    if on_cpu and x86 and "bf16" in str(trainer.precision):
        vectors = torch.backends.cpu.get_cpu_capability()
        if not vectors.startswith("AVX512"):
            log.warning(
                "this CPU (%s) has no bf16 arithmetic and makes up for it slowly: "
                "trainer.precision=32-true is faster here",
                vectors,
            )


def _check_accelerator(name: object) -> None:
    """Refuse a kind of device that is not there; unknown kinds are left to Lightning."""
    kinds = ("cuda", "mps") if name == "gpu" else (name,)
    known = [
        AcceleratorRegistry[kind]["accelerator"] for kind in kinds if kind in AcceleratorRegistry
    ]
    if known and not any(one.is_available() for one in known):
        raise ConfigError(
            f"trainer.accelerator={name} needs a device that torch does not find here: set "
            "trainer.accelerator=auto, which takes what there is, or cpu"
        )


def _check_sync(trainer: Trainer, settings: Mapping[str, Any]) -> None:
    """Refuse batch statistics over all processes where torch has none."""
    on_cpu = trainer.strategy.root_device.type == "cpu"
    if settings.get("sync_batchnorm") and on_cpu and trainer.world_size > 1:
        raise ConfigError(
            "trainer.sync_batchnorm=true works on GPUs alone: leave it out on CPU processes, "
            "each of which then normalises by its own part of a batch"
        )
