"""The end of a training whose time is over."""

import time
from pathlib import Path
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer


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


def warn_of_time(trainer: Trainer) -> list[str]:
    """A sentence where a training has ended because its time was over."""
    callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]
    if not any(isinstance(callback, TimeLimit) and callback.over for callback in callbacks):
        return []
    return [
        f"The time limit ended the training in step {trainer.global_step}, after "
        f"{trainer.current_epoch} whole epochs: continue it with ckpt_path=last."
    ]
