"""What every autoencoder offers to a model: two networks that are each other's mirror."""

from collections.abc import Sequence

from torch import Tensor, nn


class Autoencoder(nn.Module):
    """Encoder from samples to codes and decoder back.

    Args:
        input_shape: shape of one sample, without the batch.
        latent_dim: number m of dimensions of a code.
        encoder: network from (batch, *input_shape) to (batch, latent_dim).
        decoder: network from (batch, latent_dim) to (batch, *input_shape).
    """

    def __init__(
        self, input_shape: Sequence[int], latent_dim: int, encoder: nn.Module, decoder: nn.Module
    ) -> None:
        super().__init__()
        self.input_shape = tuple(input_shape)
        self.latent_dim = latent_dim
        self.encoder = encoder
        self.decoder = decoder

    def encode(self, x: Tensor) -> Tensor:
        """Codes (batch, latent_dim), unbounded, of samples (batch, *input_shape)."""
        return self.encoder(x)

    def decode(self, code: Tensor) -> Tensor:
        """Samples (batch, *input_shape) from what the model makes of codes (batch, latent_dim)."""
        return self.decoder(code)
