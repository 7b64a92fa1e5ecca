"""One run, from a model and its data to scores and files."""

import logging
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning import Callback, Trainer
from pytorch_lightning.callbacks import Timer
from pytorch_lightning.loggers import Logger
from torch import Tensor

from dcsomrl.checkpoints import count_epochs, describe_damage, read_checkpoint
from dcsomrl.data import ClusterData
from dcsomrl.data.splits import Split
from dcsomrl.errors import (
    CheckpointError,
    ConfigError,
    DataError,
    DcsomrlError,
    TrainingError,
    shorten,
)
from dcsomrl.migrations import RECORD
from dcsomrl.models import ClusteringModule
from dcsomrl.scoring import (
    Scorer,
    assign_batches,
    count_classes,
    read_number,
    score,
    silhouette,
)
from dcsomrl.training import results
from dcsomrl.training.assignments import assign_all, describe_clusters
from dcsomrl.training.callbacks.choose_precision import AUTO
from dcsomrl.training.callbacks.time_limit import TimeIsOver, warn_of_time
from dcsomrl.training.checkpoints import check_same_run, find_checkpoint
from dcsomrl.training.streamed import Scored, write_streamed
from dcsomrl.training.trainer import build_trainer, warn_of_slow_half
from dcsomrl.training.warnings import find_warnings, warn_of_number
from dcsomrl.writing import write_json

log = logging.getLogger(__name__)
# The module of Lightning that puts a checkpoint's parts back.
RESTORING = "pytorch_lightning.trainer.connectors.checkpoint_connector"


def run(
    model: ClusteringModule,
    data: ClusterData,
    config: dict[str, Any],
    run_dir: Path,
    make_trainer: Callable[..., Trainer],
    loggers: list[Logger],
    callbacks: list[Callback],
    named: Callable[[str], str] = str,
) -> dict[str, Any]:
    """Train, or go on with a training, score on the test split, and write the results.

    Args:
        model: as it begins.
        data: after ``setup("fit")``.
        config: the resolved configuration of both; a precision that is ``auto`` there is replaced
            by that of the training.
        run_dir: the run's folder, in which nobody else trains.
        make_trainer: makes the trainer from the arguments that are added here.
        loggers: further loggers; may be empty.
        callbacks: further callbacks; may be empty.
        named: gives the arguments and classes in a warning their keys in the configuration.

    Returns:
        What :func:`finish` does; nothing on other processes than the first.

    Raises:
        CheckpointError: the checkpoint to go on with is damaged or of another configuration.
        DataError: it is of a training on other samples.
        ConfigError: Lightning refuses a setting.
        TrainingError: no step was trained, or the loss stopped being a number.
    """
    read_number(config.get("n_clusters"))
    resume = find_checkpoint(run_dir, config["ckpt_path"])
    if resume is None:
        log.info("starting afresh")
    else:
        _check_resumed(resume, config, data)
    trainer = build_trainer(
        make_trainer,
        config,
        run_dir,
        loggers,
        callbacks,
        validated=data.val_fraction > 0,
        goes_on=resume is not None and resume.resolve().is_relative_to(run_dir.resolve()),
    )
    warn_of_slow_half(trainer)
    if trainer.precision == "64-true":
        model.double()  # Lightning does so after it has loaded a checkpoint, which it would round
    if mode := config.get("compile"):
        whole = min(data.batch_size, len(data.rows("train")))
        model.compile_step(mode, whole // trainer.world_size)
    fit(trainer, model, data, resume)
    leave_group()
    if not trainer.is_global_zero:
        return {}
    return finish(trainer, model, data, config, run_dir, named)


def _check_resumed(path: Path, config: dict[str, Any], data: ClusterData) -> None:
    """Refuse a checkpoint of another configuration or other data; say where it goes on.

    A precision that is ``auto`` becomes the checkpoint's, whatever this machine is like.
    """
    checkpoint = read_checkpoint(path)
    states = checkpoint.get("optimizer_states")
    if states == [] and config["model"].get("optimizer") is not None:
        raise describe_damage(path, ValueError("the state of its optimiser is missing"))
    if states is None:
        raise CheckpointError(
            f"{path} holds the weights alone, as best.ckpt does, and not the state of the "
            "training: go on from the last.ckpt beside it, or begin a new training from it with "
            f"init={path} in place of ckpt_path"
        )
    if config["trainer"].get("precision") == AUTO:
        config["trainer"]["precision"] = checkpoint[RECORD]["config"]["trainer"]["precision"]
    check_same_run(checkpoint, config, path)
    try:
        data.check_same(checkpoint.get(type(data).__qualname__))
    except DataError as error:
        raise DataError(
            f"{error}, or start afresh (ckpt_path=null) under another name=..."
        ) from error
    try:
        epoch, step = count_epochs(checkpoint), int(checkpoint["global_step"])
    except (LookupError, TypeError) as error:
        raise describe_damage(path, error) from error
    precision = config["trainer"].get("precision")
    log.info("resuming from %s after epoch %d, step %d, in %s", path, epoch, step, precision)
    wanted = config["trainer"].get("max_epochs")
    if isinstance(wanted, int) and 0 < wanted < epoch:
        sentence = (
            f"the training has {epoch} epochs behind it already, more than trainer.max_epochs="
            f"{wanted}: nothing is trained"
        )
        log.warning(sentence)
        data.notes.append(sentence)


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
    except DcsomrlError:
        raise
    except MisconfigurationException as error:
        raise ConfigError(f"the trainer cannot train: {shorten(error)}") from error
    except Exception as error:
        if resume is not None and _is_raised_in(error, RESTORING):
            raise describe_damage(resume, error) from error
        if not isinstance(error, ValueError) or not _is_raised_by(error, "pytorch_lightning"):
            raise
        raise ConfigError(f"the trainer cannot train: {shorten(error)}") from error
    finally:
        torch.set_flush_denormal(False)  # not the caller's business
    if trainer.global_step == 0:
        raise TrainingError(
            "no step was trained, so there is nothing to score: raise trainer.max_epochs, "
            "trainer.max_steps or trainer.limit_train_batches, or give more data"
        )


def _is_raised_by(error: Exception, package: str) -> bool:
    """Whether it was code of a package that raised an error."""
    frames = list(traceback.walk_tb(error.__traceback__))
    name: str = frames[-1][0].f_globals.get("__name__", "")
    return name.partition(".")[0] == package


def _is_raised_in(error: Exception, module: str) -> bool:
    """Whether an error comes from what a module called."""
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_globals.get("__name__") == module for frame, _ in frames)


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
    named: Callable[[str], str] = str,
) -> dict[str, Any]:
    """Score the model as training left it on the test split, and write the run's results.

    This is the work of one process; the others must have left their group, or the scores would
    wait for them. The arguments are those of :func:`run`.

    Returns:
        What stands in ``metrics.json``, and the scores on the validation part under ``val/``.
    """
    callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]
    timer = next(callback for callback in callbacks if isinstance(callback, Timer))
    model.to(trainer.strategy.root_device)
    model.update_connectivity()
    merged = model.merged(read_number(config.get("n_clusters")))
    described = describe(config, "test")
    title = "{model} on {dataset}, test split, seed {seed}".format(**described)
    every = "{model} on {dataset}, all splits, seed {seed}".format(**described)
    scores, wins = write_assigned(model, data, merged, run_dir, every)
    metrics = {
        **described,
        **scores,
        "seconds": timer.time_elapsed("train"),
        "epochs": trainer.current_epoch,
        "step": trainer.global_step,
        **results.find_origin(trainer.strategy.root_device),
        "warnings": [
            *data.notes,
            *warn_of_number(read_number(config.get("n_clusters")), scores["clusters"]),
            *map(named, find_warnings(model, data, scores, wins, "test")),
            *warn_of_time(trainer),
        ],
    }
    results.draw_pictures(run_dir, model, data, wins, merged, title)
    # Last: where it is, everything is there.
    write_json(run_dir / "metrics.json", metrics)
    results.print_summary(metrics, title, run_dir, report=True)
    if not data.val_fraction:
        return metrics
    return metrics | {f"val/{name}": value for name, value in score_validated(model, data).items()}


def write_assigned(
    model: ClusteringModule, data: ClusterData, merged: Tensor, run_dir: Path, title: str
) -> Scored:
    """Assign all splits and write what every sample and every cluster is.

    Args:
        model: that was trained.
        data: that it was trained on.
        merged: (K,) cluster of every slot.
        run_dir: the run's folder.
        title: of a picture of samples of all splits.

    Returns:
        What is known of the test split.
    """
    splits: list[Split] = ["test", "train", "val"] if data.val_fraction else ["test", "train"]
    if data.is_streamed:
        return write_streamed(model, data, merged, run_dir, splits)
    scores, assignments = score(
        model, data.split_dataloader("test"), count_classes(data, "test"), merged
    )
    assigned = assign_all(model, data, merged, assignments)
    results.write_assignments(run_dir, assigned)
    results.write_clusters(run_dir, describe_clusters(assigned, data))
    results.draw_typical(run_dir, data, assigned, title)
    return Scored(scores, pd.Series(assignments["node"]).value_counts())


def score_validated(model: ClusteringModule, data: ClusterData) -> dict[str, float]:
    """Scores of the nodes on the validation part, and the silhouette of samples of it."""
    scorer = Scorer(model, count_classes(data, "val"))
    for _ in assign_batches(model, data.split_dataloader("val"), scorer):
        pass
    samples = (
        data.some_samples("val")
        if data.is_streamed
        else (batch.x for batch in data.split_dataloader("val"))
    )
    return {**scorer.compute(), "silhouette": silhouette(model, samples)}


def describe(config: Mapping[str, Any], split: str) -> dict[str, Any]:
    """What a result was made of: model, dataset, split, seed and precision."""
    return {
        "model": config["model_name"],
        "dataset": config["dataset"]["name"],
        "split": split,
        "seed": config["seed"],
        "precision": config["trainer"]["precision"],
    }
