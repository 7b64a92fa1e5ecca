"""From raw samples to what a network is trained on, and back."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Kind = Literal["standard", "half", "minmax", "none"]
KINDS = ("standard", "half", "minmax", "none")


@dataclass(frozen=True)
class Normalization:
    """Subtract an offset, divide by a scale.

    Attributes:
        offset: one number, or one a feature.
        scale: likewise, at least 0; what has scale 0 becomes 0.
        clipped: whether the result is kept in [0, 1].
    """

    offset: Tensor
    scale: Tensor
    clipped: bool

    def __call__(self, x: Tensor) -> Tensor:
        """Normalise raw samples (batch, *shape), bytes or floats, to float32."""
        divisor = torch.where(self.scale > 0, self.scale, torch.inf).to(x.device)
        x = (unit(x) - self.offset.to(x.device)) / divisor
        return x.clamp_(0, 1) if self.clipped else x

    def inverse(self, x: Tensor) -> Tensor:
        """The other way round; bytes come back as floats in [0, 1]."""
        return x * self.scale.to(x.device) + self.offset.to(x.device)


def fit(kind: Kind, sample: Tensor) -> Normalization:
    """The normalisation of a kind for raw training samples (n, *shape).

    ``standard`` takes the mean and the deviation over all samples and features, one number each;
    ``half`` brings [0, 1] to [-1, 1]; ``minmax`` brings every feature of a table to [0, 1], and
    images as a whole; ``none`` leaves all as it is. Bytes are first brought to [0, 1].
    """
    offset, scale = torch.tensor(0.0), torch.tensor(1.0)
    if kind == "half":
        offset, scale = torch.tensor(0.5), torch.tensor(0.5)
    elif kind == "standard":
        scale, offset = torch.std_mean(unit(sample))
    elif kind == "minmax":
        sample = unit(sample)
        # A pixel that is seldom inked must not count as much as one that often is.
        axes = 0 if sample.ndim == 2 else tuple(range(sample.ndim))
        offset = sample.amin(axes)
        scale = sample.amax(axes) - offset
    return Normalization(offset, scale, clipped=kind == "minmax")


def unit(x: Tensor) -> Tensor:
    """As float32, bytes brought to [0, 1]."""
    return x.float() / 255 if x.dtype == torch.uint8 else x.float()
