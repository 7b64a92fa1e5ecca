"""The end of a training whose map has collapsed."""

import logging
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer

from dcsomrl.hints import check_arguments
from dcsomrl.models import ClusteringModule
from dcsomrl.ranges import Count

log = logging.getLogger(__name__)


class StopCollapsed(Callback):
    """Ends a training whose map has held one node at the end of several epochs in a row.

    Where the latents lie closer together than a node's radius, no sample asks for a second node,
    and the clustering loss draws them closer still. The run is scored as it is. No label is seen.

    Args:
        epochs: in a row with one node, at least 1.

    Raises:
        ValueError: epochs below 1.
    """

    @check_arguments
    def __init__(self, epochs: Count = 5) -> None:
        self._epochs = epochs
        self._alone = 0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Train no further where a run that is resumed had been ended."""
        trainer.should_stop |= self._alone >= self._epochs

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Count the epochs that end with one live node; end the training after so many."""
        assert isinstance(pl_module, ClusteringModule)
        self._alone = self._alone + 1 if int(pl_module.codebook.live.sum()) <= 1 else 0
        if self._alone >= self._epochs:
            trainer.should_stop = True
            log.warning(
                "the map has held one node for %d epochs, so the training ends with epoch %d: "
                "lower alpha or raise activation_threshold",
                self._alone,
                trainer.current_epoch,
            )

    def state_dict(self) -> dict[str, Any]:
        """Epochs in a row so far."""
        return {"alone": self._alone}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on counting."""
        self._alone = state_dict["alone"]
