"""The fully connected autoencoder of deep embedded clustering."""

import math
from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from dcsomrl.hints import check_arguments
from dcsomrl.networks.autoencoder import Autoencoder, read_shape
from dcsomrl.ranges import Count


class MLPAutoencoder(Autoencoder):
    """Dense layers with ReLU between them, and their mirror; both ends linear.

    Args:
        input_shape: shape of one sample; images are flattened.
        latent_dim: dimensions of a code, at least 1.
        hidden_dims: widths of the encoder's layers, from the input on.

    Raises:
        ValueError: a width that is not positive, or a shape that is none.

    Source: Xie et al. 2016 (DEC), d-500-500-2000-m.
    """

    @check_arguments
    def __init__(
        self,
        input_shape: Sequence[int],
        latent_dim: Count = 22,
        hidden_dims: Sequence[Count] = (500, 500, 2000),
    ) -> None:
        shape = read_shape(input_shape)
        widths = [math.prod(shape), *hidden_dims, latent_dim]
        encoder = nn.Sequential(nn.Flatten(), *_make_dense(widths))
        decoder = nn.Sequential(*_make_dense(widths[::-1]), nn.Unflatten(1, shape))
        super().__init__(shape, latent_dim, encoder, decoder)


def _make_dense(widths: Sequence[int]) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return layers[:-1]
