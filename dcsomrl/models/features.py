"""What a model without a gradient sees of a sample: its values, or a frozen network's codes."""

import math
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from dcsomrl.errors import DataError
from dcsomrl.models.base import to_single
from dcsomrl.networks import Autoencoder, check_samples, read_shape


class Features(nn.Module):
    """Samples as vectors in [0, 1].

    Args:
        input_shape: shape of one sample.
        autoencoder: gives the codes, frozen: it gets no gradient and stays in evaluation mode; None
            for the sample's own values.

    Attributes:
        width: features of a sample.
        low: (width,) value that becomes 0; ``span`` what becomes 1 above it. Both come from the
            training part where there is an autoencoder, whose codes are unbounded.
    """

    low: Tensor
    span: Tensor

    def __init__(self, input_shape: Sequence[int], autoencoder: Autoencoder | None = None) -> None:
        super().__init__()
        self.input_shape = read_shape(input_shape)
        self.autoencoder = None if autoencoder is None else autoencoder.requires_grad_(False)
        self.width = math.prod(self.input_shape) if autoencoder is None else autoencoder.latent_dim
        self.register_buffer("low", torch.zeros(self.width))
        self.register_buffer("span", torch.ones(self.width))
        self.train(self.training)

    def train(self, mode: bool = True) -> "Features":
        """Set the mode of all but the frozen network, whose batch statistics must not move."""
        super().train(mode)
        if self.autoencoder is not None:
            self.autoencoder.eval()
        return self

    @torch.no_grad()
    def fit(self, samples: Iterable[Tensor]) -> None:
        """Find the range of the codes, or check the range of the samples.

        Raises:
            DataError: samples outside [0, 1].
        """
        low = torch.full_like(self.low, math.inf)
        high = -low
        for x in samples:
            values = self._compute_values(x)
            low, high = low.minimum(values.amin(0)), high.maximum(values.amax(0))
        if self.autoencoder is not None:
            self.low.copy_(low)
            self.span.copy_((high - low).clamp(min=torch.finfo(low.dtype).tiny))
        elif low.min() < 0 or high.max() > 1:
            raise DataError(
                f"the map takes samples in [0, 1], but they reach from {float(low.min()):.3g} to "
                f"{float(high.max()):.3g}: set `normalization=minmax`"
            )

    @torch.no_grad()
    def encode(self, x: Tensor) -> Tensor:
        """(batch, width) features in [0, 1] of samples (batch, *shape)."""
        return ((self._compute_values(x) - self.low) / self.span).clamp(0, 1)

    @torch.no_grad()
    def decode(self, z: Tensor) -> Tensor:
        """Samples (batch, *shape) from features."""
        values = z * self.span + self.low
        if self.autoencoder is None:
            return values.unflatten(1, self.input_shape)
        return to_single(self.autoencoder.decode(values))

    def _compute_values(self, x: Tensor) -> Tensor:
        check_samples(x, self.input_shape)
        return x.flatten(1) if self.autoencoder is None else to_single(self.autoencoder.encode(x))
