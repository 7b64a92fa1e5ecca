"""The end of a training whose loss has gone wrong."""

from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor

from dcsomrl.data import Batch
from dcsomrl.errors import TrainingError
from dcsomrl.models import ClusteringModule
from dcsomrl.networks.modes import evaluating

# Asking a GPU for a number waits for it; a CPU is asked at every step.
CHECK_EVERY = 50
# What is logged beside the terms of a loss and made of them or of the codes.
WHOLE = ("loss", "latent_spread")


class StopOnNaN(Callback):
    """Ends a training whose loss or codes are no longer numbers, before they are saved."""

    _sample: Tensor | None = None

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
    ) -> None:
        """Look at the loss: on a CPU at every step, on other devices now and then."""
        self._sample = batch.x[:1]
        if pl_module.device.type == "cpu" or batch_idx % CHECK_EVERY == 0:
            self._check(trainer, pl_module)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Look once more before the epoch is saved, and at what the last step has made."""
        self._check(trainer, pl_module)
        if self._sample is not None and not _has_finite_code(pl_module, self._sample):
            raise TrainingError(
                f"the codes of the samples stopped being numbers in epoch {trainer.current_epoch}, "
                f"by step {trainer.global_step}; the last good checkpoint is kept. Lower the "
                "learning rate (`lr`) and start again"
            )
        self._sample = None

    def _check(self, trainer: Trainer, pl_module: LightningModule) -> None:
        assert isinstance(pl_module, ClusteringModule)
        # A sum keeps what was not finite in any step before it.
        if lost := pl_module.epoch_sums.find_not_finite():
            parts = [name for name in lost if name not in WHOLE]
            first = f" ({', '.join(parts)})" if parts else ""
            other = " or the weight of such a term" if parts else ""
            raise TrainingError(
                f"the loss stopped being a number{first} in epoch {trainer.current_epoch}, by step "
                f"{trainer.global_step}; the last good checkpoint is kept. Lower the learning rate "
                f"(`lr`){other} and start again"
            )


@torch.no_grad()
def _has_finite_code(model: LightningModule, x: Tensor) -> bool:
    """Whether the code of a sample (1, *shape) has a length that is a finite number."""
    assert isinstance(model, ClusteringModule)
    with evaluating(model):
        code = model.encode(x.to(model.codebook.centers))
    return bool(code.square().sum().isfinite())
