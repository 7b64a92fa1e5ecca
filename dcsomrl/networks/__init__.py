"""Encoders and decoders; torch only."""

from dcsomrl.networks.autoencoder import Autoencoder
from dcsomrl.networks.conv import ConvAutoencoder, PooledConvAutoencoder
from dcsomrl.networks.mlp import MLPAutoencoder

__all__ = ["Autoencoder", "ConvAutoencoder", "MLPAutoencoder", "PooledConvAutoencoder"]
