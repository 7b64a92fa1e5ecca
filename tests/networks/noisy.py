"""A small network with all that needs care: BatchNorm, dropout, and layers without bias."""

import math

from torch import nn

from dcsomrl.networks import Autoencoder


class NoisyAutoencoder(Autoencoder):
    """Dense, with a normalisation and dropout on either side of the code."""

    def __init__(self, input_shape, latent_dim=5, width=16, drop=0.3):
        n = math.prod(input_shape)
        encoder = nn.Sequential(
            nn.Flatten(), nn.Linear(n, width, bias=False), nn.BatchNorm1d(width), nn.ReLU(),
            nn.Dropout(drop), nn.Linear(width, latent_dim, bias=False),
        )  # fmt: skip
        decoder = nn.Sequential(
            nn.Linear(latent_dim, width, bias=False), nn.BatchNorm1d(width), nn.ReLU(),
            nn.Dropout(drop), nn.Linear(width, n), nn.Unflatten(1, tuple(input_shape)),
        )  # fmt: skip
        super().__init__(input_shape, latent_dim, encoder, decoder)
