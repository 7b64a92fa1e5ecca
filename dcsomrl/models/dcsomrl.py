"""DC-SOMRL: an autoencoder whose codes gather about a growing map with relevances."""

from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from dcsomrl.maps import SOMRL
from dcsomrl.models.base import OptimizerFactory, single
from dcsomrl.models.growing import GrowingModel
from dcsomrl.networks import Autoencoder

ADAM: OptimizerFactory = partial(torch.optim.Adam, lr=1e-3, fused=True)


class DCSOMRL(GrowingModel):
    r"""Autoencoder and SOMRL map, trained together.

    The code is ``z = sigmoid(encoder(x))``. A step first moves the map to the batch's codes, then
    takes the gradient of ``mse(x, decoder(z)) + alpha * D_w(z, c_winner)`` (eq. 7), in which the
    map is constant: the clustering term moves the encoder alone. Means are taken over pixels and
    batch for the reconstruction, the sum over dimensions and the mean over the batch for the
    distance.

    Args:
        autoencoder: networks from samples to codes and back.
        som: the map, as wide as the codes.
        alpha: :math:`\alpha` >= 0, weight of the clustering loss.
        optimizer: makes the optimiser from the parameters; Adam by default.

    Raises:
        ValueError: alpha is negative, or the map and the codes differ in width.

    Source: section 3.7 and eq. 7.
    """

    def __init__(
        self,
        autoencoder: Autoencoder,
        som: SOMRL,
        alpha: float = 0.1,
        optimizer: OptimizerFactory = ADAM,
    ) -> None:
        super().__init__(optimizer, ("loss", "reconstruction", "clustering", "latent_spread"))
        if alpha < 0:
            raise ValueError(f"alpha must be at least 0, got {alpha}")
        if som.n_features != autoencoder.latent_dim:
            raise ValueError(
                f"the map takes {som.n_features} features, but a code has "
                f"{autoencoder.latent_dim} dimensions"
            )
        self.autoencoder = autoencoder
        self.som = som
        self.alpha = alpha
        self.n_clusters = som.max_nodes

    def encode(self, x: Tensor) -> Tensor:
        """Codes (batch, m) in [0, 1]."""
        # In single precision also where the network ran in half: at a threshold of 0.9989 a node
        # reaches 0.034 a dimension, near the grain of bfloat16 about 0.5.
        return single(self.autoencoder.encode(x)).sigmoid()

    def decode(self, z: Tensor) -> Tensor:
        """Samples from codes."""
        return single(self.autoencoder.decode(z))

    def losses(self, x: Tensor) -> dict[str, Tensor]:
        """Terms on a batch, after a step of the map if it trains."""
        z = self.encode(x)
        distance = self.som(z).distance
        return self.map_terms(x, z, distance)

    def map_terms(self, x: Tensor, z: Tensor, distance: Tensor) -> dict[str, Tensor]:
        """Eq. 7 and its terms; the deviation of the codes shows a collapse."""
        reconstruction = mse_loss(self.decode(z), x)
        clustering = distance.mean()
        return {
            "loss": reconstruction + self.alpha * clustering,
            "reconstruction": reconstruction,
            "clustering": clustering,
            "latent_spread": z.detach().std(0, correction=0).mean(),
        }
