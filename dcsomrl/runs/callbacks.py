"""Callbacks of a training: scores, the table of epochs, and the end of a loss gone wrong."""

from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.callbacks import Checkpoint
from torch import Tensor

from dcsomrl.data import Batch, ClusterData
from dcsomrl.errors import TrainingError
from dcsomrl.losses import Step
from dcsomrl.metrics import contingency, nmi, purity
from dcsomrl.models import ClusteringModule
from dcsomrl.runs.scoring import Scorer
from dcsomrl.runs.tables import GrowingTable, goes_on_beside

# Asking a GPU for a number waits for it; a CPU is asked at every step.
CHECK_EVERY = 50


class ValidationScores(Callback):
    """Logs the scores of the validation part under ``val/``, once an epoch."""

    _scorer: Scorer

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin anew, on the map as it is."""
        assert isinstance(pl_module, ClusteringModule)
        self._scorer = Scorer(pl_module, data_of(trainer).num_classes)

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
        """Log."""
        for name, value in self._scorer.compute().items():
            shown = name in ("purity", "nmi")
            pl_module.log(f"val/{name}", float(value), prog_bar=shown, rank_zero_only=True)


class EpochTable(Checkpoint):
    """Writes every logged number into a CSV file, a row an epoch; resumes with the run.

    It counts as a checkpoint so that Lightning calls it when all of the epoch's numbers are
    there, and before the checkpoint itself: a row can be one ahead, never one behind.

    Args:
        path: the CSV file.
    """

    def __init__(self, path: str) -> None:
        self._table = GrowingTable(path, "epoch")

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Keep the rows of the epochs that a resumed run has behind it."""
        goes_on = goes_on_beside(trainer, self._table.path)
        self._table.restore(trainer.current_epoch if goes_on else 0)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Add the epoch's row."""
        if not trainer.is_global_zero:
            return
        values = {name: float(value) for name, value in sorted(trainer.callback_metrics.items())}
        self._table.rows.append(
            {"epoch": trainer.current_epoch, "step": trainer.global_step, **values}
        )
        self._table.save()


class StepScores(Callback):
    """Purity and NMI on a few test samples of every class, at every step (Fig. 7).

    Args:
        path: the CSV file, with columns step, purity, nmi, nodes.
        per_class: samples of each class, at least 1.

    Raises:
        ValueError: per_class below 1.
    """

    def __init__(self, path: str, per_class: int = 10) -> None:
        if per_class < 1:
            raise ValueError(f"per_class must be at least 1, got {per_class}")
        self._table = GrowingTable(path, "step")
        self._per_class = per_class
        self._x: Tensor
        self._y: Tensor

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Choose the samples: the first of every class."""
        data = data_of(trainer)
        if not data.num_classes:
            raise TrainingError(
                "callbacks=step_scores needs labels, and this dataset has none: use callbacks=none"
            )
        batches = [(batch.x, batch.y) for batch in data.split_dataloader("test")]
        x = torch.cat([part for part, _ in batches])
        y = torch.cat([part for _, part in batches if part is not None])
        first = [(y == label).nonzero()[: self._per_class, 0] for label in range(data.num_classes)]
        chosen = torch.cat(first)
        self._x, self._y = x[chosen].to(pl_module.device), y[chosen].to(pl_module.device)
        goes_on = goes_on_beside(trainer, self._table.path)
        self._table.restore(trainer.global_step + 1 if goes_on else 0)

    @torch.no_grad()
    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
    ) -> None:
        """Score the samples on the map after the step."""
        assert isinstance(pl_module, ClusteringModule)
        pl_module.eval()
        cluster = pl_module.cluster(self._x).winner
        pl_module.train()
        matrix = contingency(cluster, self._y, pl_module.n_clusters, data_of(trainer).num_classes)
        self._table.rows.append(
            {
                "step": trainer.global_step,
                "purity": float(purity(matrix)),
                "nmi": float(nmi(matrix)),
                "nodes": int(pl_module.codebook.live.sum()),
            }
        )

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the rows so far."""
        if trainer.is_global_zero:
            self._table.save()


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
        if not pl_module.epoch_sums.finite():
            raise TrainingError(
                f"the loss stopped being a number in epoch {trainer.current_epoch}, by step "
                f"{trainer.global_step}; the last good checkpoint is kept. Lower "
                "model.optimizer.lr or model.alpha and start again"
            )


def data_of(trainer: Trainer) -> ClusterData:
    """The data of a training."""
    data = trainer.datamodule  # type: ignore[attr-defined]
    assert isinstance(data, ClusterData)
    return data
