"""What every clustering model shares: logging of losses, evaluation steps, the optimiser."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

import torch
from pytorch_lightning import LightningModule
from torch import Tensor, nn
from torch.optim import Optimizer

from dcsomrl.data import Batch, ClusterData
from dcsomrl.losses import Step
from dcsomrl.maps import Assignment, Codebook
from dcsomrl.models.sums import EpochSums

OptimizerFactory = Callable[[Iterator[nn.Parameter]], Optimizer]


class ClusteringModule(LightningModule, ABC):
    """A model that trains by gradient and assigns samples to clusters; it never sees a label.

    Args:
        optimizer: makes the optimiser from the parameters.

    Attributes:
        epoch_sums: losses of the epoch so far.
    """

    def __init__(self, optimizer: OptimizerFactory) -> None:
        super().__init__()
        self._optimizer = optimizer
        self.epoch_sums = EpochSums()

    @property
    @abstractmethod
    def codebook(self) -> Codebook:
        """What the model clusters with: a map's nodes, or centres."""

    @abstractmethod
    def terms(self, step: Step) -> dict[str, Tensor]:
        """Terms of the loss on a batch, 0-d each, ``loss`` their weighted sum.

        They are logged by their names, which are the same for every batch.
        """

    @property
    def n_clusters(self) -> int:
        """K, slots of clusters."""
        return len(self.codebook.centers)

    def assign(self, z: Tensor) -> Assignment:
        """The best two clusters of codes (batch, m), with the winner's activation and distance."""
        return self.codebook.assign(z)

    def cluster(self, x: Tensor) -> Assignment:
        """Encode and assign a batch (batch, *shape) of normalised samples."""
        return self.assign(self.encode(x))

    def learn(self, z: Tensor) -> None:  # most maps follow the gradient, or there is none
        """A step of the map on the constant codes (batch, m) of a training batch."""

    @abstractmethod
    def encode(self, x: Tensor) -> Tensor:
        """Codes (batch, m), float32, of a batch (batch, *shape) of normalised samples."""

    @abstractmethod
    def decode(self, z: Tensor) -> Tensor:
        """Samples (batch, *shape) from codes."""

    @torch.no_grad()
    def decoded_prototypes(self) -> Tensor:
        """The clusters in use as samples (n_live, *shape), in the order of their slots."""
        return self.decode(self.codebook.prototypes().detach()).float()

    def progress(self) -> dict[str, Tensor]:
        """Numbers, 0-d each, that are worth logging once an epoch beside the losses."""
        return self.codebook.progress()

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Loss of one batch."""
        losses = self.training_terms(self.step(batch))
        self.epoch_sums.add(losses)
        return losses["loss"]

    def step(self, batch: Batch) -> Step:
        """Encode a batch."""
        return Step(batch.x, self.encode(batch.x), self, batch.index, batch.views)

    def training_terms(self, step: Step) -> dict[str, Tensor]:
        """Terms of the loss on a training batch, on which the map takes its step first."""
        self.learn(step.z.detach())
        return self.terms(step)

    def on_train_epoch_end(self) -> None:
        """Log the means of the epoch."""
        for name, mean in self.epoch_sums.means().items():
            self.log(f"train/{name}", mean, prog_bar=name == "loss", sync_dist=True)
        for name, value in self.progress().items():
            self.log(name, value.float(), prog_bar=name == "nodes")
        self.epoch_sums.clear()

    def validation_step(  # type: ignore[override]  # callbacks get what it returns
        self, batch: Batch, batch_idx: int
    ) -> Step:
        """Encode and assign a batch of the validation part; callbacks score what it returns."""
        step = self.step(batch)
        for name, value in self.terms(step).items():
            self.log(f"val/{name}", value, batch_size=len(batch.x), sync_dist=True)
        return step

    @torch.no_grad()
    def training_codes(self) -> Tensor:
        """Codes (n, m) of the training part, in order."""
        return torch.cat([self.encode(x) for x in self.training_samples()])

    def training_samples(self) -> Iterator[Tensor]:
        """The training part in order, in batches, without labels, in the precision of training."""
        data = self.trainer.datamodule  # type: ignore[attr-defined]
        assert isinstance(data, ClusterData)
        for batch in data.split_dataloader("train"):
            yield batch.x.to(self.codebook.centers)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the losses of an unfinished epoch."""
        checkpoint["epoch_sums"] = self.epoch_sums.state_dict()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take them back."""
        self.epoch_sums.load_state_dict(checkpoint["epoch_sums"])

    def configure_optimizers(self) -> Any:
        """The optimiser over all parameters."""
        return self._optimizer(self.parameters())


def single(x: Tensor) -> Tensor:
    """In single precision where a network ran in half; distances need it."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
