"""Neighbours found again, among the codes, while a training goes on."""

import logging
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor

from dcsomrl.data import Neighbors
from dcsomrl.errors import ConfigError
from dcsomrl.hints import check_arguments
from dcsomrl.models import ClusteringModule
from dcsomrl.ranges import ShareBetween
from dcsomrl.training.data import get_data

log = logging.getLogger(__name__)


class RefreshNeighbors(Callback):
    """Replaces the nearest neighbours of the training part by those of its codes, once.

    They are Euclidean, as many as before, and part of every later checkpoint, so that a run that
    is resumed draws from the same. The validation part keeps its own.

    Args:
        after: share of the epochs, in (0, 1), after which they are found.

    Raises:
        ValueError: the share is out of its range.
    """

    @check_arguments
    def __init__(self, after: ShareBetween = 0.5) -> None:
        self._after = after
        self._graph: Tensor | None = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Refuse a training without neighbours, or without an end.

        Raises:
            ConfigError: it is one.
        """
        neighbors = get_data(trainer).neighbors
        if neighbors is None or neighbors.k == 0:
            raise ConfigError(
                "there are no neighbours to find anew (`RefreshNeighbors`): give the data "
                "neighbours, or leave the callback out"
            )
        if trainer.max_epochs is None or trainer.max_epochs < 0:
            raise ConfigError(
                "neighbours are found again after a share of the epochs (`RefreshNeighbors`), of "
                "which there is no number: set `max_epochs`, or leave the callback out"
            )

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Find them once it is time, and have the epoch draw from them."""
        assert isinstance(pl_module, ClusteringModule)
        assert trainer.max_epochs is not None
        if self._graph is None:
            if trainer.current_epoch < round(self._after * trainer.max_epochs):
                return
            self._graph = self._find(trainer, pl_module)
        sampler = trainer.train_dataloader.sampler  # type: ignore[union-attr]
        sampler.graph = self._graph.long()

    def _find(self, trainer: Trainer, model: ClusteringModule) -> Tensor:
        """Neighbours (n, k) by the codes, the same in all processes."""
        data = get_data(trainer)
        former = data.graph("train")
        assert data.neighbors is not None
        assert former is not None
        found = None
        if trainer.is_global_zero:
            codes = model.training_codes()
            method = Neighbors(former.shape[1], exact_limit=data.neighbors.exact_limit)
            found = method.graph(codes.cpu(), model.device).int()
        graph = trainer.strategy.broadcast(found)
        assert graph is not None
        kept = (graph[:, :, None] == former[:, None]).any(2).double().mean()
        log.info(
            "from epoch %d on neighbours are those of the codes: %.0f %% of them are others",
            trainer.current_epoch + 1,
            100 * (1 - kept),
        )
        return graph

    def state_dict(self) -> dict[str, Any]:
        """The neighbours in use, None for those of the data."""
        return {"graph": self._graph}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with them."""
        self._graph = state_dict["graph"]
