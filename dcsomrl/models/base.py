"""What every clustering model shares: logging of losses, evaluation steps, the optimiser."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from pytorch_lightning import LightningModule
from torch import Tensor, nn
from torch.optim import Optimizer

from dcsomrl.data import Batch
from dcsomrl.losses import Step
from dcsomrl.maps import Assignment

OptimizerFactory = Callable[[Iterator[nn.Parameter]], Optimizer]


class Clustered(NamedTuple):
    """What a model says of a batch.

    Attributes:
        cluster: (batch,) slot of the cluster, int64, -1 where there is none.
        activation: (batch,) activation of the winner in [0, 1].
        second: (batch,) slot of the second best cluster.
        latent: (batch, m) codes.
        error: (batch,) Euclidean distance of a code from its cluster's centre.
    """

    cluster: Tensor
    activation: Tensor
    second: Tensor
    latent: Tensor
    error: Tensor


class ClusteringModule(LightningModule, ABC):
    """A model that trains by gradient and assigns samples to clusters; it never sees a label.

    Args:
        optimizer: makes the optimiser from the parameters.
        loss_names: what :meth:`terms` returns, in order; ``loss`` is the total.
    """

    n_clusters: int
    epoch_sums: Tensor

    def __init__(self, optimizer: OptimizerFactory, loss_names: tuple[str, ...]) -> None:
        super().__init__()
        self._optimizer = optimizer
        self._loss_names = loss_names
        # Sums over the epoch so far and the number of steps. A buffer, so that an epoch that is
        # resumed in its middle reports the same means; and no cost for logging in a step.
        self.register_buffer("epoch_sums", torch.zeros(len(loss_names) + 1))

    @abstractmethod
    def terms(self, step: Step) -> dict[str, Tensor]:
        """Terms of the loss on a batch, 0-d each, ``loss`` their weighted sum."""

    @abstractmethod
    def assign(self, z: Tensor) -> Assignment:
        """Winners of codes (batch, m), with the distance that the loss takes."""

    @abstractmethod
    def place(self, z: Tensor) -> Clustered:
        """Clusters of codes (batch, m), with all that is said of them."""

    def cluster(self, x: Tensor) -> Clustered:
        """Encode and assign a batch (batch, *shape) of normalised samples."""
        return self.place(self.encode(x))

    def learn(self, z: Tensor) -> None:  # most maps follow the gradient, or there is none
        """A step of the map on the constant codes (batch, m) of a training batch."""

    @abstractmethod
    def adjacency(self) -> Tensor | None:
        """(n_clusters, n_clusters) mask of neighbours on the map; None where there is no map."""

    @abstractmethod
    def live_clusters(self) -> Tensor:
        """Slots of the clusters in use, in order."""

    @abstractmethod
    def encode(self, x: Tensor) -> Tensor:
        """Codes (batch, m), float32, of a batch (batch, *shape) of normalised samples."""

    @abstractmethod
    def decode(self, z: Tensor) -> Tensor:
        """Samples (batch, *shape) from codes."""

    def winners(self, z: Tensor) -> Tensor:
        """(batch,) slot of the cluster of every code, int64, -1 where there is none."""
        return self.assign(z).winner

    @abstractmethod
    def prototypes(self) -> Tensor:
        """Codes (n_live, m) that the clusters in use stand for, in the order of their slots."""

    def relevances(self) -> Tensor | None:
        """(n_live, m) relevances in [0, 1] of the clusters in use; None where there are none."""
        return None

    @torch.no_grad()
    def decoded_prototypes(self) -> Tensor:
        """The clusters in use as samples (n_live, *shape), in the order of their slots."""
        return self.decode(self.prototypes()).float()

    def epoch_state(self) -> dict[str, Tensor]:
        """Further numbers that are worth logging once an epoch."""
        return {}

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Loss of one batch."""
        losses = self.training_terms(self.step(batch))
        self._count(losses)
        return losses["loss"]

    def step(self, batch: Batch) -> Step:
        """Encode a batch."""
        return Step(batch.x, self.encode(batch.x), self, batch.index, batch.views)

    def training_terms(self, step: Step) -> dict[str, Tensor]:
        """Terms of the loss on a training batch, on which the map takes its step first."""
        self.learn(step.z.detach())
        return self.terms(step)

    def _count(self, losses: dict[str, Tensor]) -> None:
        """Add a step's losses to the sums of the epoch."""
        values = [losses[name].detach() for name in self._loss_names]
        self.epoch_sums += torch.stack([*values, torch.ones_like(values[0])])

    def on_train_epoch_end(self) -> None:
        """Log the means of the epoch."""
        means = self.epoch_sums[:-1] / self.epoch_sums[-1]
        for name, mean in zip(self._loss_names, means, strict=True):
            self.log(f"train/{name}", mean, prog_bar=name == "loss", sync_dist=True)
        for name, value in self.epoch_state().items():
            self.log(name, value.float(), prog_bar=name == "nodes")
        self.epoch_sums.zero_()

    def validation_step(  # type: ignore[override]  # callbacks get what it returns
        self, batch: Batch, batch_idx: int
    ) -> Clustered:
        """Assign a batch of the validation part; callbacks score what it returns."""
        step = self.step(batch)
        for name, value in self.terms(step).items():
            self.log(f"val/{name}", value, batch_size=len(batch.x), sync_dist=True)
        return self.place(step.z)

    def configure_optimizers(self) -> Any:
        """The optimiser over all parameters."""
        return self._optimizer(self.parameters())


def single(x: Tensor) -> Tensor:
    """In single precision where a network ran in half; distances need it."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
