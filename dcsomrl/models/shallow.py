"""Models without a gradient, on the samples themselves or on the codes of a frozen network."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from dcsomrl.data import Batch
from dcsomrl.hints import check_arguments
from dcsomrl.losses import Step
from dcsomrl.maps import BatchSOM, Centers
from dcsomrl.maps.grid import Topology
from dcsomrl.models.autoencoder import load_autoencoder, run_kmeans
from dcsomrl.models.base import ClusteringModule
from dcsomrl.models.centers import draw_codes
from dcsomrl.models.features import Features
from dcsomrl.networks import Autoencoder
from dcsomrl.ranges import Count, Positive, Seed, Several


class ShallowModel(ClusteringModule):
    """A model that learns from features by rules of its own.

    Args:
        input_shape: shape of one sample.
        autoencoder: gives the features, frozen; None for the samples' own values.
        pretrained: checkpoint of a trained model, from which the autoencoder takes its weights;
            None for the random ones that it has.
    """

    automatic_optimization = False
    started: Tensor

    @check_arguments
    def __init__(
        self,
        input_shape: Sequence[int],
        autoencoder: Autoencoder | None = None,
        pretrained: str | None = None,
    ) -> None:
        super().__init__(_refuse_optimizer)
        if pretrained is not None and autoencoder is None:
            raise ValueError("pretrained needs a network to load into, such as `MLPAutoencoder`")
        self.features = Features(input_shape, autoencoder)
        self._pretrained = pretrained
        self.register_buffer("started", torch.tensor(False))
        # Several processes cannot share a model without a weight that has a gradient.
        self.idle = nn.Parameter(torch.zeros(()))

    @abstractmethod
    def learn(self, z: Tensor) -> None:
        """Learn from the features (batch, width) of a batch."""

    def terms(self, step: Step) -> dict[str, Tensor]:
        """Mean squared distance to the winner, weighted by its relevances where it has some."""
        return {"loss": step.assignment.distance.mean()}

    def start(self) -> None:  # most start from nothing
        """Begin, once; :meth:`training_codes` has the features of the training part."""

    def encode(self, x: Tensor) -> Tensor:
        """Features (batch, width) in [0, 1] of samples (batch, *shape)."""
        return self.features.encode(x)

    def decode(self, z: Tensor) -> Tensor:
        """Samples (batch, *shape) from features (batch, width)."""
        return self.features.decode(z)

    def on_train_start(self) -> None:
        """Load the frozen network, find the range of its codes, start."""
        if self.started:
            return
        if self._pretrained is not None:
            load_autoencoder(self.features.autoencoder, self._pretrained)
        if self.features.autoencoder is not None or not self.data.keeps_range:
            self.features.fit(self.training_samples())
        self.start()
        self.started.fill_(True)

    @torch.no_grad()
    def training_step(self, batch: Batch, batch_idx: int) -> None:  # type: ignore[override]
        """Learn from a batch."""
        self.learn_from(self._read_batch(batch))
        self.optimizers().step()  # type: ignore[union-attr]

    def configure_optimizers(self) -> Any:
        """An optimiser of a weight that nothing reads: Lightning counts steps, and saves, by it."""
        return torch.optim.SGD([self.idle], lr=0.0)


class KMeansModel(ShallowModel):
    """k-means on all training samples at once, by scikit-learn; one pass of the trainer is enough.

    Args:
        input_shape: see :class:`ShallowModel`, as ``autoencoder`` and ``pretrained``.
        autoencoder: gives the features.
        pretrained: its weights.
        n_clusters: K, at least 2.
        n_init: starts by k-means++, of which the best is kept; at least 1.
        seed: draws them.

    Raises:
        ValueError: an argument outside its range.
    """

    starts_at_samples = True
    centers: Tensor

    @check_arguments
    def __init__(
        self,
        input_shape: Sequence[int],
        autoencoder: Autoencoder | None = None,
        pretrained: str | None = None,
        n_clusters: Several = 64,
        n_init: Count = 1,
        seed: Seed = 0,
    ) -> None:
        super().__init__(input_shape, autoencoder, pretrained)
        self.n_init, self.seed = n_init, seed
        self.register_buffer("centers", torch.zeros(n_clusters, self.features.width))

    @property
    def codebook(self) -> Centers:
        """The centres."""
        return Centers(self.centers)

    def start(self) -> None:
        """All there is to do; the training ends after its first batch."""
        codes = self.training_codes()
        self.centers.copy_(run_kmeans(codes, self.n_clusters, self.seed, self.n_init))

    def learn(self, z: Tensor) -> None:
        """Nothing is left to learn."""
        self.trainer.should_stop = True


class KohonenModel(ShallowModel):
    """Kohonen's self-organizing map, in its batch version: the map moves once an epoch.

    The radius falls from half the map's longer side to ``radius_end``, exponentially over the
    epochs. The prototypes start at random training samples.

    Args:
        input_shape: see :class:`ShallowModel`, as ``autoencoder`` and ``pretrained``.
        autoencoder: gives the features.
        pretrained: its weights.
        rows: rows of the grid.
        columns: columns of the grid.
        topology: ``rectangular`` or ``hexagonal``.
        periodic: whether the map has no rim, as on a torus.
        radius_end: radius of the last epoch, above 0.

    Raises:
        ValueError: an argument outside its range.

    Source: Kohonen 1990; the batch map as in Kohonen 2013.
    """

    starts_at_samples = True

    @check_arguments
    def __init__(
        self,
        input_shape: Sequence[int],
        autoencoder: Autoencoder | None = None,
        pretrained: str | None = None,
        rows: Count = 8,
        columns: Count = 8,
        topology: Topology = "rectangular",
        radius_end: Positive = 0.5,
        periodic: bool = False,
    ) -> None:
        super().__init__(input_shape, autoencoder, pretrained)
        self.som = BatchSOM(self.features.width, rows, columns, topology, periodic)
        self.radius_end = radius_end

    @property
    def codebook(self) -> Centers:
        """The prototypes, on their grid."""
        return Centers(self.som.centers, self.som.grid)

    def start(self) -> None:
        """Prototypes at random samples."""
        self.som.centers.copy_(draw_codes(self.training_codes(), self.n_clusters))

    def learn(self, z: Tensor) -> None:
        """Gather the batch; after an epoch's last, move the map."""
        self.som.gather_(z)
        if self.trainer.is_last_batch:
            assert self.trainer.max_epochs is not None
            last = max(self.trainer.max_epochs - 1, 1)
            self.som.move_(self.compute_radius(min(self.current_epoch / last, 1.0)))

    def compute_radius(self, share: float) -> float:
        """Radius when a share of the epochs, in [0, 1], is done."""
        start = max(max(self.som.grid.rows, self.som.grid.columns) / 2, self.radius_end)
        return start * (self.radius_end / start) ** share


def _refuse_optimizer(parameters: Any) -> Any:
    raise AssertionError("a model without a gradient makes its own")
