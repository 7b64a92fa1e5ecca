"""DESOM: an autoencoder and a grid of prototypes that learn by gradient, together."""

from functools import partial

import torch
from torch import Tensor, nn

from dcsomrl import losses
from dcsomrl.data import Batch
from dcsomrl.hints import check_arguments
from dcsomrl.losses import Step
from dcsomrl.maps import Centers, Grid
from dcsomrl.maps.grid import Topology, squared_distances
from dcsomrl.models.base import OptimizerFactory, to_single
from dcsomrl.models.centers import CenterModel, draw_codes
from dcsomrl.networks import Autoencoder
from dcsomrl.ranges import Count, NonNegative, Positive

ADAM: OptimizerFactory = partial(torch.optim.Adam, lr=1e-3, fused=True)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, *TRANSPOSED)


class DESOM(CenterModel):
    r"""Deep Embedded Self-Organizing Map.

    The loss is ``mse(x, decoder(z)) + gamma * mean_b sum_k K_T(d(k, bmu_b)) |z_b - m_k|^2`` with
    :math:`K_T(d) = e^{-d^2/T^2}` on the grid's Manhattan distance. Codes and prototypes both follow
    its gradient; the weights :math:`K_T` are constant in it. T falls from ``t_max`` to ``t_min``,
    exponentially over the steps of the training. The prototypes start at the codes of random
    training samples, the network at Glorot's uniform weights.

    Args:
        autoencoder: networks from samples to codes and back.
        rows: rows of the grid.
        columns: columns of the grid.
        gamma: :math:`\gamma` >= 0, weight of the map's term.
        t_max: T at the first step, above 0.
        t_min: T at the last step, above 0.
        optimizer: makes the optimiser from the parameters; Adam by default.
        topology: of the grid, ``rectangular`` or ``hexagonal``.
        periodic: whether the grid has no rim, as on a torus.

    Raises:
        ValueError: an argument outside its range.

    Source: Forest et al. 2019 and 2021. The authors' code takes the difference of two nodes'
    numbers, divided by the width and rounded down, as the distance of their rows; here it is the
    distance of their rows, as the publications have it.
    """

    starts_at_samples = True
    temperature: Tensor
    started: Tensor

    @check_arguments
    def __init__(
        self,
        autoencoder: Autoencoder,
        rows: Count = 8,
        columns: Count = 8,
        gamma: NonNegative = 1e-3,
        t_max: Positive = 10.0,
        t_min: Positive = 0.1,
        optimizer: OptimizerFactory = ADAM,
        topology: Topology = "rectangular",
        periodic: bool = False,
    ) -> None:
        super().__init__(optimizer)
        if t_min > t_max:
            raise ValueError(f"t_min must be at most t_max, got {t_min} and {t_max}")
        self.autoencoder = initialize_glorot(autoencoder)
        self.grid = Grid(rows, columns, topology, periodic)
        self.gamma, self.t_max, self.t_min = gamma, t_max, t_min
        self.centers = nn.Parameter(torch.zeros(len(self.grid), autoencoder.latent_dim))
        self.register_buffer("temperature", torch.tensor(t_max))
        self.register_buffer("started", torch.tensor(False))

    def encode(self, x: Tensor) -> Tensor:
        """Codes (batch, m), unbounded, of samples (batch, *shape)."""
        return to_single(self.autoencoder.encode(x))

    def decode(self, z: Tensor) -> Tensor:
        """Samples (batch, *shape) from codes (batch, m), through the decoder."""
        return to_single(self.autoencoder.decode(z))

    def terms(self, step: Step) -> dict[str, Tensor]:
        """Reconstruction and map, at the temperature as it is."""
        distance = squared_distances(step.z, self.centers)
        som = losses.neighborhood(distance, self.grid.kernel(self.temperature))
        error = losses.reconstruction(step.reconstruction, step.x)
        return {"loss": error + self.gamma * som, "reconstruction": error, "som": som}

    @property
    def codebook(self) -> Centers:
        """The prototypes, on their grid."""
        return Centers(self.centers, self.grid)

    def progress(self) -> dict[str, Tensor]:
        """The temperature."""
        return {"temperature": self.temperature}

    @torch.no_grad()
    def on_train_start(self) -> None:
        """Prototypes at the codes of random training samples, once."""
        if self.started:
            return
        self.centers.copy_(draw_codes(self.training_codes(), self.n_clusters))
        self.started.fill_(True)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """The temperature of this step."""
        last = max(float(self.trainer.estimated_stepping_batches) - 1, 1.0)
        self.temperature.fill_(self.compute_temperature(min(self.global_step / last, 1.0)))

    def compute_temperature(self, share: float) -> float:
        """Temperature when a share of the training, in [0, 1], is done."""
        return self.t_max * (self.t_min / self.t_max) ** share


def initialize_glorot(module: Autoencoder) -> Autoencoder:
    """Uniform weights and biases of 0 in dense layers and convolutions, in place.

    Source: Glorot & Bengio 2010.
    """
    for layer in module.modules():
        if isinstance(layer, WEIGHTED):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return module
