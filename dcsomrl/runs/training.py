"""The trainer of a run, and what is done when it has trained."""

import logging
import platform
import warnings
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning import Callback, Trainer
from pytorch_lightning.callbacks import ModelCheckpoint, RichProgressBar, Timer, TQDMProgressBar
from pytorch_lightning.loggers import Logger

from dcsomrl.data import ClusterData
from dcsomrl.errors import ConfigError, TrainingError, first_line
from dcsomrl.models import ClusteringModule
from dcsomrl.runs import results
from dcsomrl.runs.begin import TakeOver
from dcsomrl.runs.callbacks import EpochTable, StopOnNaN, ValidationScores
from dcsomrl.runs.checkpoints import AtomicCheckpointIO
from dcsomrl.runs.limits import TimeIsOver, TimeLimit, check_limits, out_of_time, time_limit
from dcsomrl.runs.scoring import score, silhouette
from dcsomrl.runs.warnings import warnings_of

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
    """Trainer with progress, scores, the table of epochs, and checkpoints.

    Args:
        make: makes the trainer from the arguments that are added here.
        config: the resolved configuration, which goes into every checkpoint.
        run_dir: the run's folder.
        loggers: further loggers; may be empty.
        callbacks: further callbacks; may be empty.
        validated: whether there is a validation part; the best checkpoint is the one of the
            lowest loss on it, else on the training split. Neither needs a label.
        goes_on: whether a checkpoint of this folder is continued.

    Raises:
        ConfigError: Lightning refuses an argument.
    """
    _quiet()
    check_limits(config["trainer"])
    limit = time_limit(config["trainer"])
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
    arguments = {
        "logger": loggers or False,
        "plugins": [AtomicCheckpointIO(config)],
        "max_time": None,
        "callbacks": [
            TakeOver(run_dir, config, goes_on),
            RichProgressBar(leave=False) if find_spec("rich") else TQDMProgressBar(),
            Timer(),
            ValidationScores(),
            StopOnNaN(),
            *callbacks,
            *([] if limit is None else [TimeLimit(limit, folder / "last.ckpt")]),
            EpochTable(str(run_dir / "metrics.csv")),
            best,
            last,
        ],
    }
    try:
        return make(**arguments)
    except Exception as error:  # Lightning raises kinds of all sorts for what a user mistook
        raise ConfigError(f"the trainer cannot be made: {first_line(error)}") from error


def fit(trainer: Trainer, model: ClusteringModule, data: ClusterData, resume: Path | None) -> None:
    """Train to the end, or until the time is over.

    Raises:
        ConfigError: Lightning refuses a setting.
        TrainingError: no step was trained.
    """
    # The moments of weights that rest fade into denormal numbers, which a CPU handles slowly.
    torch.set_flush_denormal(True)
    try:
        trainer.fit(model, datamodule=data, ckpt_path=resume)
    except TimeIsOver:
        pass
    except MisconfigurationException as error:
        raise ConfigError(f"the trainer cannot train: {first_line(error)}") from error
    finally:
        torch.set_flush_denormal(False)  # not the caller's business
    if trainer.global_step == 0:
        raise TrainingError(
            "no step was trained, so there is nothing to score: raise trainer.max_epochs, "
            "trainer.max_steps or trainer.limit_train_batches, or give more data"
        )


def _quiet() -> None:
    """Silence what Lightning says of its own inside, and of what is meant to be so."""
    for message in (
        ".*LeafSpec.*is deprecated",
        "Checkpoint directory .* exists and is not empty",  # a run that is resumed
        "The number of training batches .* is smaller than the logging interval",  # none by step
        "Total length of `list` across ranks is zero",  # no validation part
        ".*your dataloader is not resumable",  # the datamodule finds the place by itself
        "It is recommended to use `self.log",  # the scores are summed over processes already
        "`broadcast_buffers` is deprecated",  # its successor is younger than our lower bound
    ):
        warnings.filterwarnings("ignore", message)
    advertising = logging.getLogger("pytorch_lightning.utilities.rank_zero")
    # Nothing but tensors and plain values is read, whatever Lightning says of `weights_only`.
    quiet = ("Tip:", "`weights_only` was not set")
    advertising.addFilter(lambda record: not any(one in record.getMessage() for one in quiet))


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


def leave_group() -> None:
    """End what a distributed training shared, on every process."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def finish(
    trainer: Trainer,
    model: ClusteringModule,
    data: ClusterData,
    config: Mapping[str, Any],
    run_dir: Path,
) -> dict[str, Any]:
    """Score the model as training left it on the test split, and write the run's results.

    This is the work of one process; the others must have left their group, or the scores would
    wait for them.

    Returns:
        What stands in ``metrics.json``, and the scores on the validation part under ``val/``.
    """
    callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]
    timer = next(callback for callback in callbacks if isinstance(callback, Timer))
    model.to(trainer.strategy.root_device)
    scores, assignments = score(model, data.split_dataloader("test"), data.num_classes)
    metrics = {
        **describe(config, "test"),
        **scores,
        "seconds": timer.time_elapsed("train"),
        "epochs": trainer.current_epoch,
        "step": trainer.global_step,
        **results.origin(trainer.strategy.root_device),
        "warnings": [
            *warnings_of(model, data, scores, assignments["cluster"]),
            *out_of_time(trainer),
        ],
    }
    results.write_json(run_dir / "metrics.json", metrics)
    results.write_assignments(run_dir, assignments)
    title = f"{metrics['model']} on {metrics['dataset']}, test split, seed {metrics['seed']}"
    results.draw_prototypes(
        run_dir / "prototypes.png", model, data, assignments["cluster"], f"{title}: prototypes"
    )
    results.print_summary(metrics, title, run_dir)
    if not data.val_fraction:
        return metrics
    scores, _ = score(model, data.split_dataloader("val"), data.num_classes)
    scores["silhouette"] = silhouette(model, data.split_dataloader("val"))
    return metrics | {f"val/{name}": value for name, value in scores.items()}


def describe(config: Mapping[str, Any], split: str) -> dict[str, Any]:
    """What a result was made of: model, dataset, split, seed and precision."""
    return {
        "model": config["model_name"],
        "dataset": config["dataset"]["name"],
        "split": split,
        "seed": config["seed"],
        "precision": config["trainer"]["precision"],
    }
