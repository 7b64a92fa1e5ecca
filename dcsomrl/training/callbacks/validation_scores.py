"""Scores of the validation part, once an epoch."""

from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer

from dcsomrl.data import Batch
from dcsomrl.losses import Step
from dcsomrl.models import ClusteringModule
from dcsomrl.scoring import Scorer, count_classes
from dcsomrl.training.data import get_data


class ValidationScores(Callback):
    """Logs the scores of the validation part under ``val/``, once an epoch."""

    _scorer: Scorer

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin anew, on the map as it is."""
        assert isinstance(pl_module, ClusteringModule)
        self._scorer = Scorer(pl_module, count_classes(get_data(trainer), "val"))

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Take in what the model said."""
        assert isinstance(outputs, Step)
        self._scorer.update(outputs.z, outputs.assignment, batch.y)

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log the scores of the validation part under ``val/``."""
        for name, value in self._scorer.compute().items():
            shown = name in ("purity", "nmi")
            pl_module.log(f"val/{name}", float(value), prog_bar=shown, rank_zero_only=True)
