"""Encoders and decoders; torch only."""

from dcsomrl.networks.autoencoder import Autoencoder
from dcsomrl.networks.conv import ConvAutoencoder, PooledConvAutoencoder
from dcsomrl.networks.mlp import MLPAutoencoder
from dcsomrl.networks.modes import evaluating, find_batch_norms
from dcsomrl.networks.resnet import ResNetAutoencoder
from dcsomrl.networks.sharing import share_buffers_

__all__ = [
    "Autoencoder",
    "ConvAutoencoder",
    "MLPAutoencoder",
    "PooledConvAutoencoder",
    "ResNetAutoencoder",
    "evaluating",
    "find_batch_norms",
    "share_buffers_",
]
