"""How long a training goes: limits that make sense, and the one of time."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.callbacks import Timer

from dcsomrl.errors import ConfigError


class TimeIsOver(Exception):
    """Ends a training in the middle of an epoch, after its checkpoint is written."""


class TimeLimit(Callback):
    """Ends a training when its time is over; the same command with ``ckpt_path=last`` goes on.

    The time counts from the first batch, anew in every process that continues a run. In the
    middle of an epoch a checkpoint is written from which the epoch goes on as if it had not been
    left, and :class:`TimeIsOver` raised.

    Args:
        seconds: above 0.
        path: the checkpoint.
    """

    def __init__(self, seconds: float, path: Path) -> None:
        self._seconds, self._path = seconds, path
        self._end = 0.0
        self.over = False

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Set the clock."""
        self._end = time.monotonic() + self._seconds

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Save and end, but after the last batch leave it to the end of the epoch."""
        if not trainer.is_last_batch and self._is_over(trainer):
            trainer.save_checkpoint(self._path)
            raise TimeIsOver

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Let the epoch be saved, and end."""
        if self._is_over(trainer):
            trainer.should_stop = True

    def _is_over(self, trainer: Trainer) -> bool:
        """Whether the clock of one process has run out."""
        self.over = trainer.strategy.reduce_boolean_decision(
            time.monotonic() >= self._end, all=False
        )
        return self.over


def out_of_time(trainer: Trainer) -> list[str]:
    """A sentence where a training has ended because its time was over."""
    callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]
    if not any(isinstance(callback, TimeLimit) and callback.over for callback in callbacks):
        return []
    return [
        f"The time limit ended the training in step {trainer.global_step}, after "
        f"{trainer.current_epoch} whole epochs: continue it with ckpt_path=last."
    ]


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
    for name in ("limit_train_batches", "accumulate_grad_batches", "check_val_every_n_epoch"):
        value = trainer.get(name)
        if value is not None and (not isinstance(value, int | float) or value <= 0):
            raise ConfigError(f"trainer.{name} must be above 0, got {value}")


def time_limit(trainer: Mapping[str, Any]) -> float | None:
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
