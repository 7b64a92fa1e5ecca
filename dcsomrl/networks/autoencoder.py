"""What every autoencoder offers to a model: two networks that are each other's mirror."""

from collections.abc import Sequence
from operator import index

from torch import Tensor, nn


def read_shape(input_shape: Sequence[int]) -> tuple[int, ...]:
    """The shape of a sample, without the batch.

    Raises:
        ValueError: it is not a sequence of whole numbers.
    """
    try:
        return tuple(index(side) for side in input_shape)
    except TypeError as error:
        raise ValueError(
            "input_shape must be the sides of a sample, such as (5,) or (1, 28, 28), got "
            f"{input_shape!r}"
        ) from error


def check_samples(x: Tensor, shape: tuple[int, ...]) -> None:
    """Refuse a batch of samples of another shape.

    Raises:
        ValueError: it is none (batch, *shape).
    """
    if tuple(x.shape[1:]) != shape:
        sides = ", ".join(str(side) for side in ("batch", *shape))
        raise ValueError(f"the model takes samples ({sides}), got {tuple(x.shape)}")


class Autoencoder(nn.Module):
    """Encoder from samples to codes and decoder back.

    Args:
        input_shape: shape of one sample, without the batch.
        latent_dim: number m of dimensions of a code.
        encoder: network from (batch, *input_shape) to (batch, latent_dim).
        decoder: network from (batch, latent_dim) to (batch, *input_shape).

    Raises:
        ValueError: the shape is not a sequence of whole numbers.
    """

    def __init__(
        self, input_shape: Sequence[int], latent_dim: int, encoder: nn.Module, decoder: nn.Module
    ) -> None:
        super().__init__()
        self.input_shape = read_shape(input_shape)
        self.latent_dim = latent_dim
        self.encoder = encoder
        self.decoder = decoder

    def encode(self, x: Tensor) -> Tensor:
        """Codes (batch, latent_dim), unbounded, of samples (batch, *input_shape).

        Raises:
            ValueError: the samples have another shape.
        """
        check_samples(x, self.input_shape)
        return self.encoder(x)

    def decode(self, code: Tensor) -> Tensor:
        """Samples (batch, *input_shape) from what the model makes of codes (batch, latent_dim)."""
        return self.decoder(code)
