"""Limits of a training as its configuration has them: that they make sense, and the one of time."""

from collections.abc import Mapping
from typing import Any

from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.callbacks import Timer

from dcsomrl.errors import ConfigError

# Arguments of Lightning's trainer that would take away what a run is made of.
UNFIT = {
    "fast_dev_run": (
        "it writes no checkpoint, by which a run is scored; set trainer.max_epochs=1 "
        "+trainer.limit_train_batches=1, with a name=... of its own, to see that all parts run"
    ),
    "overfit_batches": "the batches of an epoch are drawn anew; set trainer.limit_train_batches",
    "enable_checkpointing": "a run is scored and resumed by its checkpoints; leave it out",
    "barebones": "a run is scored and resumed by what it writes; leave it out",
}
USUAL = {
    "fast_dev_run": False,
    "enable_checkpointing": True,
    "barebones": False,
    "overfit_batches": 0,
}


def check_limits(trainer: Mapping[str, Any]) -> None:
    """Refuse a training without a step, and limits that are no numbers.

    Raises:
        ConfigError: names the setting.
    """
    for name, what in (("max_epochs", "epochs"), ("max_steps", "steps")):
        value = trainer.get(name)
        whole = isinstance(value, int) and not isinstance(value, bool)
        if value is not None and not (whole and (value >= 1 or value == -1)):
            raise ConfigError(
                f"trainer.{name} must be a number of {what} of at least 1, or -1 for no limit, got "
                f"{value}"
            )
    for name, reason in UNFIT.items():
        if trainer.get(name, USUAL[name]) != USUAL[name]:
            raise ConfigError(f"trainer.{name} has no use here: {reason}")
    for name in ("limit_train_batches", "accumulate_grad_batches", "check_val_every_n_epoch"):
        value = trainer.get(name)
        if value is not None and (not isinstance(value, int | float) or value <= 0):
            raise ConfigError(f"trainer.{name} must be above 0, got {value}")


def read_time_limit(trainer: Mapping[str, Any]) -> float | None:
    """Seconds of ``trainer.max_time``; None without.

    Raises:
        ConfigError: it is no time, or none is left.
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
