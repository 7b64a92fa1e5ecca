"""Scores of a few samples at every step.

Numbered figures, tables, sections and equations are those of "Shaping latent representations using
Self-Organizing Maps with Relevance Learning", submitted to ICLR 2022.
"""

from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor

from dcsomrl.data import Batch
from dcsomrl.errors import TrainingError
from dcsomrl.hints import check_arguments
from dcsomrl.metrics import count_contingency, nmi, purity
from dcsomrl.models import ClusteringModule
from dcsomrl.networks import evaluating
from dcsomrl.ranges import Count
from dcsomrl.scoring import count_classes
from dcsomrl.training.data import get_data
from dcsomrl.training.tables import GrowingTable, goes_on_beside


class StepScores(Callback):
    """Purity and NMI on a few test samples of every class, at every step (Fig. 7).

    Args:
        path: the CSV file, with columns step, purity, nmi, nodes.
        per_class: samples of each class, at least 1.

    Raises:
        ValueError: per_class below 1.
    """

    @check_arguments
    def __init__(self, path: str, per_class: Count = 10) -> None:
        self._table = GrowingTable(path, "step")
        self._per_class = per_class
        self._x: Tensor
        self._y: Tensor

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Choose the samples: the first of every class."""
        data = get_data(trainer)
        if not count_classes(data, "test"):
            raise TrainingError(
                "scores at every step need labels, and the test split has none: leave "
                "`step_scores` out"
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
        with evaluating(pl_module):
            cluster = pl_module.cluster(self._x).winner
        matrix = count_contingency(
            cluster, self._y, pl_module.n_clusters, get_data(trainer).num_classes
        )
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
