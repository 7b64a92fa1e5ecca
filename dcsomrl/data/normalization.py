"""From raw samples to what a network is trained on, and back."""

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn.functional import normalize

Kind = Literal["standard", "half", "minmax", "unit", "none"]
# What 32 bits hold to the last digit; all other numbers are normalised in 64.
NARROW = (
    torch.uint8,
    torch.bool,
    torch.int8,
    torch.int16,
    torch.float16,
    torch.bfloat16,
    torch.float32,
)
# A number that was computed in two ways differs by this many of the smallest steps from itself.
ROUNDING = 4


@dataclass(frozen=True)
class Normalization:
    """Subtract an offset, divide by a scale, in the precision that these two have.

    Attributes:
        offset: one number, or one a feature; float64 where the training samples were wider than
            32 bits, float32 otherwise.
        scale: likewise, at least 0; what has scale 0 becomes 0.
        clipped: whether the result is kept in [0, 1].
        to_unit: whether every sample is brought to a length of 1 afterwards.
    """

    offset: Tensor
    scale: Tensor
    clipped: bool
    to_unit: bool = False

    def __call__(self, x: Tensor) -> Tensor:
        """Normalise raw samples (batch, *shape), bytes or numbers, to float32."""
        divisor = torch.where(self.scale > 0, self.scale, torch.inf).to(x.device)
        x = (to_floats(x, self.offset.dtype) - self.offset.to(x.device)) / divisor
        if self.to_unit:
            flat = x.flatten(1)
            largest = flat.abs().amax(1, keepdim=True)
            # Squares of what is far from 1 are not numbers, or all 0.
            x = normalize(flat / torch.where(largest > 0, largest, 1)).view_as(x)
        return (x.clamp_(0, 1) if self.clipped else x).float()

    def invert(self, x: Tensor) -> Tensor:
        """The other way round, in the precision of offset and scale; bytes become [0, 1].

        A length that was brought to 1 does not come back.
        """
        x = x.double() if self.offset.dtype == torch.float64 else x
        return x * self.scale.to(x.device) + self.offset.to(x.device)

    def state(self) -> dict[str, Any]:
        """As plain values, to the last digit."""
        return {
            "offset": self.offset.tolist(),
            "scale": self.scale.tolist(),
            "clipped": self.clipped,
            "unit": self.to_unit,
            "double": self.offset.dtype == torch.float64,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Normalization":
        """Back from plain values; older checkpoints, which do not say it, are of 32 bits."""
        dtype = torch.float64 if state.get("double", False) else torch.float32
        offset, scale = (torch.tensor(state[name], dtype=dtype) for name in ("offset", "scale"))
        return cls(offset, scale, state["clipped"], state.get("unit", False))


def fit(kind: Kind, sample: Tensor) -> Normalization:
    """The normalisation of a kind for raw training samples (n, *shape).

    ``standard`` takes the mean and the deviation of every column of a table, of images one of all
    pixels; ``half`` brings [0, 1] to [-1, 1]; ``minmax`` brings every column of a table to [0, 1],
    and images as a whole; ``unit`` brings every sample to a length of 1, as is usual with
    embeddings; ``none`` leaves all as it is. Bytes are first brought to [0, 1]. What differs by
    rounding alone is constant.
    """
    dtype = torch.float32 if sample.dtype in NARROW else torch.float64
    offset, scale = torch.tensor(0.0, dtype=dtype), torch.tensor(1.0, dtype=dtype)
    if kind == "half":
        offset, scale = torch.full_like(offset, 0.5), torch.full_like(scale, 0.5)
    elif kind == "standard":
        # The largest column of a table must not count for more than the others.
        axes = _choose_axes(sample)
        sample = to_floats(sample, dtype)
        size = find_magnitude(sample, axes)
        scale, offset = torch.std_mean(sample / size, dim=axes)
        size = size.view_as(scale)
        scale = _drop_rounding(scale.nan_to_num(0), 1)  # NaN of a single sample
        scale, offset = scale * size, offset * size
    elif kind == "minmax":
        sample = to_floats(sample, dtype)
        # A pixel that is seldom inked must not count as much as one that often is.
        axes = _choose_axes(sample)
        offset = sample.amin(axes)
        high = sample.amax(axes)
        scale = _drop_rounding(high - offset, torch.maximum(offset.abs(), high.abs()))
    return Normalization(offset, scale, clipped=kind == "minmax", to_unit=kind == "unit")


def _drop_rounding(spread: Tensor, size: Tensor | int) -> Tensor:
    """Spreads of numbers, 0 where it is but the rounding of numbers of such a size."""
    return torch.where(spread <= ROUNDING * torch.finfo(spread.dtype).eps * size, 0, spread)


def _choose_axes(sample: Tensor) -> tuple[int, ...]:
    """The axes over which numbers are on one scale: the rows of a table, all of images."""
    return (0,) if sample.ndim == 2 else tuple(range(sample.ndim))


def find_magnitude(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """The power of two that the largest number along some axes reaches, kept as axes of length 1.

    Divided by it numbers keep their digits, and their squares neither overflow nor vanish. It is 1
    where all are 0.
    """
    largest = x.abs().amax(axes, keepdim=True)
    power = torch.ldexp(torch.ones_like(largest), torch.frexp(largest).exponent - 1)
    return torch.where(largest > 0, power, 1)


def to_floats(x: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """As numbers of a precision, bytes brought to [0, 1]."""
    return x.to(dtype) / 255 if x.dtype == torch.uint8 else x.to(dtype)
