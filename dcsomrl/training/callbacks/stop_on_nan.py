"""The end of a training whose loss has gone wrong."""

from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer

from dcsomrl.data import Batch
from dcsomrl.errors import TrainingError
from dcsomrl.models import ClusteringModule

# Asking a GPU for a number waits for it; a CPU is asked at every step.
CHECK_EVERY = 50
# What is logged beside the terms of a loss and made of them or of the codes.
WHOLE = ("loss", "latent_spread")


class StopOnNaN(Callback):
    """Ends a training whose loss is no longer a number, before a checkpoint is made of it."""

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
    ) -> None:
        """Look at the loss: on a CPU at every step, on other devices now and then."""
        if pl_module.device.type == "cpu" or batch_idx % CHECK_EVERY == 0:
            self._check(trainer, pl_module)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Look once more before the epoch is saved."""
        self._check(trainer, pl_module)

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
