"""SOM-VAE: codes quantized to a grid of embeddings, with an optional model of their succession."""

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import StepLR

from dcsomrl import losses
from dcsomrl.hints import check_arguments
from dcsomrl.losses import Step
from dcsomrl.maps import Centers, Grid
from dcsomrl.maps.grid import Topology, squared_distances
from dcsomrl.models.base import OptimizerFactory, to_single
from dcsomrl.models.centers import CenterModel
from dcsomrl.networks import Autoencoder
from dcsomrl.ranges import Count, NonNegative, ShareAboveZero

ADAM: OptimizerFactory = partial(torch.optim.Adam, lr=5e-4, fused=True)


class SOMVAE(CenterModel):
    r"""SOM-VAE, a vector-quantizing autoencoder on a map.

    With the code z, its nearest embedding e and that one's four neighbours on the grid, the loss is
    ``mse(x, decoder(e)) + mse(x, decoder(z)) + alpha * mean (z - e)^2 + beta * mean (z - e')^2``,
    the last mean over e, its neighbours and the dimensions, with z constant. The gradient of the
    first term reaches the embedding alone, as in the authors' code, or with ``copy_gradient`` the
    code as well. Where a neighbour lies beyond the
    grid's rim it is left out of the sum, which is divided by five all the same; the authors' code
    puts a zero there, which changes the term's value and not its gradient. On a hexagonal grid,
    with six neighbours, it is divided by seven.

    Where consecutive samples are a sequence, ``transition`` is the mean negative log-probability
    of the step from one sample's embedding to the next one's under a learned matrix, and
    ``smoothness`` the mean over samples and embeddings of the squared distance, weighted by the
    probability of coming there from the sample before. The first sample of a sequence follows
    itself.

    Args:
        autoencoder: networks from samples to codes and back; the reconstruction is their
            decoder's output through a sigmoid, so the samples must lie in [0, 1].
        rows: rows of the grid.
        columns: columns of the grid.
        alpha: :math:`\alpha` >= 0, weight of the commitment.
        beta: :math:`\beta` >= 0, weight of the map's term.
        gamma: :math:`\gamma` >= 0, weight of the transitions.
        tau: :math:`\tau` >= 0, weight of the smoothness.
        sequence_length: how many consecutive samples of a batch are one sequence; 1 for none.
        copy_gradient: whether the code gets the gradient of its embedding's reconstruction.
        lr_decay: factor in (0, 1] on the learning rate every 1,000 steps.
        optimizer: makes the optimiser from the parameters; Adam by default.
        topology: of the grid, ``rectangular`` or ``hexagonal``.
        periodic: whether the grid has no rim, as on a torus.

    Raises:
        ValueError: an argument outside its range.

    Source: Fortuin et al. 2018.
    """

    @check_arguments
    def __init__(
        self,
        autoencoder: Autoencoder,
        rows: Count = 8,
        columns: Count = 8,
        alpha: NonNegative = 1.0,
        beta: NonNegative = 0.9,
        gamma: NonNegative = 0.0,
        tau: NonNegative = 0.0,
        sequence_length: Count = 1,
        copy_gradient: bool = False,
        lr_decay: ShareAboveZero = 0.9,
        optimizer: OptimizerFactory = ADAM,
        topology: Topology = "rectangular",
        periodic: bool = False,
    ) -> None:
        sequences = gamma > 0 or tau > 0
        super().__init__(optimizer)
        if sequences and sequence_length < 2:
            raise ValueError(
                "gamma and tau weigh sequences of two samples or more, got sequence_length="
                f"{sequence_length}: set both to 0, or give the length"
            )
        self.autoencoder = autoencoder
        self.grid = Grid(rows, columns, topology, periodic)
        self._around = 7 if topology == "hexagonal" else 5
        n_clusters = len(self.grid)
        self.weights = {"alpha": alpha, "beta": beta, "gamma": gamma, "tau": tau}
        self.sequence_length, self.lr_decay = sequence_length, lr_decay
        self.copy_gradient = copy_gradient
        start = torch.empty(n_clusters, autoencoder.latent_dim)
        self.centers = nn.Parameter(nn.init.trunc_normal_(start, std=0.05, a=-0.1, b=0.1))
        self.transitions = nn.Parameter(torch.zeros(n_clusters, n_clusters)) if sequences else None

    def encode(self, x: Tensor) -> Tensor:
        """Codes (batch, m), unbounded, of samples (batch, *shape)."""
        return to_single(self.autoencoder.encode(x))

    def decode(self, z: Tensor) -> Tensor:
        """Samples (batch, *shape) in [0, 1] from codes (batch, m)."""
        return to_single(self.autoencoder.decode(z)).sigmoid()

    def terms(self, step: Step) -> dict[str, Tensor]:
        """All terms; those of sequences where one of them has a weight."""
        z = step.z
        distance = squared_distances(z, self.centers)
        winner = distance.detach().argmin(1)
        quantized = self.centers[winner]
        # The value is that of the embedding.
        decoded = self.decode(quantized + z - z.detach() if self.copy_gradient else quantized)
        around = self.grid.distances[winner] <= 1
        to_centers = squared_distances(z.detach(), self.centers)
        terms = {
            "reconstruction_q": losses.reconstruction(decoded, step.x),
            "reconstruction_e": losses.reconstruction(step.reconstruction, step.x),
            "commitment": losses.commitment(z, quantized),
            "som": losses.grid_attraction(to_centers, around, z.shape[1], self._around),
        }
        terms["loss"] = (
            terms["reconstruction_q"]
            + terms["reconstruction_e"]
            + self.weights["alpha"] * terms["commitment"]
            + self.weights["beta"] * terms["som"]
        )
        if self.transitions is not None:
            self._add_sequence_terms(terms, winner, distance, self.transitions)
        return terms

    def _add_sequence_terms(
        self, terms: dict[str, Tensor], winner: Tensor, distance: Tensor, transitions: Tensor
    ) -> None:
        """Add the terms of sequences."""
        first = torch.arange(len(winner), device=winner.device) % self.sequence_length == 0
        before = torch.where(first, winner, winner.roll(1))
        logs = transitions.log_softmax(1)
        terms["transition"] = losses.transition(logs, before, winner)
        terms["smoothness"] = losses.smoothness(logs, before, distance)
        terms["loss"] = (
            terms["loss"]
            + self.weights["gamma"] * terms["transition"]
            + self.weights["tau"] * terms["smoothness"]
        )

    @property
    def codebook(self) -> Centers:
        """The embeddings, on their grid."""
        return Centers(self.centers, self.grid)

    def configure_optimizers(self) -> Any:
        """The optimiser, with a learning rate that falls every 1,000 steps."""
        optimizer = self._optimizer(self.parameters())
        scheduler = StepLR(optimizer, 1000, self.lr_decay)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }
