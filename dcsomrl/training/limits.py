"""Settings of the trainer that make no sense here or have no effect, and the limit of time."""

import difflib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.callbacks import Timer

from dcsomrl.errors import ConfigError

# Arguments of Lightning's trainer that would take away what a run is made of, or do nothing.
UNFIT = {
    "fast_dev_run": (
        "it writes no checkpoint, by which a run is scored; set trainer.max_epochs=1 "
        "+trainer.limit_train_batches=1, with a name=... of its own, to see that all parts run"
    ),
    "overfit_batches": "the batches of an epoch are drawn anew; set trainer.limit_train_batches",
    "enable_checkpointing": "a run is scored and resumed by its checkpoints; leave it out",
    "barebones": "a run is scored and resumed by what it writes; leave it out",
    "logger": "loggers are chosen by logger=NAME, and metrics.csv is always written",
    "callbacks": "they are chosen by callbacks=NAME, your own by +callbacks.NAME._target_=...",
    "plugins": "a run has one of its own, which writes checkpoints whole; leave it out",
    "limit_test_batches": "the whole test split is scored; leave it out",
    "limit_predict_batches": "every sample is assigned; leave it out",
    "model_registry": "a run sends no checkpoint to a registry; leave it out",
}
USUAL = {
    "fast_dev_run": False,
    "enable_checkpointing": True,
    "barebones": False,
    "overfit_batches": 0,
}
# Arguments that Lightning's trainer once had, and what is set now.
REMOVED = {
    "gpus": "trainer.accelerator=gpu, with trainer=ddp trainer.devices=N for several",
    "num_processes": "trainer=ddp trainer.devices=N",
    "resume_from_checkpoint": "ckpt_path=PATH",
}


def check_names(trainer: Mapping[str, Any], make: Callable[..., Any]) -> None:
    """Refuse arguments that a trainer does not have.

    Args:
        trainer: its settings; those that begin with ``_`` say how it is made.
        make: the class or function that they are given to.

    Raises:
        ConfigError: names what is set in its place, or what there is.
    """
    known = inspect.signature(make).parameters
    if any(one.kind is inspect.Parameter.VAR_KEYWORD for one in known.values()):
        return
    for name in (one for one in trainer if one not in known and not one.startswith("_")):
        if name in REMOVED:
            raise ConfigError(f"Lightning's Trainer has no {name} any more: set {REMOVED[name]}")
        close = difflib.get_close_matches(name, known, n=1)
        meant = f"did you mean trainer.{close[0]}? " if close else ""
        taken = ", ".join(sorted({*known} - {*UNFIT}))
        raise ConfigError(f"Lightning's Trainer has no {name}; {meant}it takes {taken}")


def check_limits(trainer: Mapping[str, Any]) -> None:
    """Refuse limits that contradict each other, and what has no effect.

    Raises:
        ConfigError: names the setting.
    """
    for name, reason in UNFIT.items():
        if trainer.get(name) not in (None, USUAL.get(name)):
            raise ConfigError(f"trainer.{name} has no use here: {reason}")
    for what in ("epochs", "steps"):
        least, most = trainer.get(f"min_{what}"), trainer.get(f"max_{what}")
        if least is not None and most is not None and 0 < most < least:
            raise ConfigError(
                f"trainer.min_{what}={least} is above trainer.max_{what}={most}, which ends the "
                "training: lower the one or raise the other"
            )


def read_time_limit(trainer: Mapping[str, Any]) -> float | None:
    """Seconds of ``trainer.max_time``; None without.

    Raises:
        ConfigError: it is not a time, or none is left.
    """
    given = trainer.get("max_time")
    if given is None:
        return None
    try:
        seconds = Timer(given).time_remaining()
    except (MisconfigurationException, TypeError, AttributeError):
        seconds = None
    if not seconds or seconds <= 0:
        raise ConfigError(
            f"trainer.max_time must be days:hours:minutes:seconds above 0, such as 00:01:30:00, "
            f"got {given}"
        )
    return seconds
