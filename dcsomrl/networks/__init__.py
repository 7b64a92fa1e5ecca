"""Encoders and decoders; torch only."""

from dcsomrl.networks.autoencoder import Autoencoder, check_samples, read_shape
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
    "check_samples",
    "evaluating",
    "find_batch_norms",
    "read_shape",
    "share_buffers_",
]
