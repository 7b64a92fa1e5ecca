"""What a normalisation needs to know of samples, found in one pass over parts of them."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from dcsomrl.data.block_files import AT_ONCE
from dcsomrl.data.normalization import (
    NARROW,
    Kind,
    Normalization,
    find_magnitude,
    fit,
    to_floats,
)


@dataclass(frozen=True)
class Summary:
    """Range, mean and deviation of every feature.

    Attributes:
        bounds: (2, features) least and greatest raw value.
        mean: (features,) float64; of bytes brought to [0, 1].
        deviation: (features,) float64, with n - 1; 0 of a single sample.
        fill: (features,) what missing values are taken as, here too; None where none may be.
    """

    bounds: Tensor
    mean: Tensor
    deviation: Tensor
    fill: Tensor | None = None

    def fit(self, kind: Kind) -> Normalization:
        """The normalisation of a kind; see :func:`dcsomrl.data.normalization.fit`."""
        if kind != "standard":
            return fit(kind, self.bounds)
        dtype = torch.float32 if self.bounds.dtype in NARROW else torch.float64
        return Normalization(self.mean.to(dtype), self.deviation.to(dtype), clipped=False)


def summarize(parts: Iterable[Tensor], fill: Tensor | None = None) -> Summary:
    """One pass over raw samples.

    Args:
        parts: the samples, (n, features) each, of which one at least is not empty.
        fill: (features,) what missing values are taken as; None where none are.

    Source: Chan, Golub, LeVeque 1979, "Updating formulae and a pairwise algorithm for computing
    sample variances".
    """
    n, low, high = 0, torch.empty(0), torch.empty(0)
    mean = squares = size = torch.empty(0)
    for part in (piece for whole in parts for piece in whole.split(AT_ONCE)):
        if not len(part):
            continue
        if fill is not None:
            part = torch.where(part.isnan(), fill.to(part), part)
        x = to_floats(part, torch.float64)
        if n == 0:
            low, high = part[0], part[0]
            size = find_magnitude(x, (0,))[0]  # squares of what is far from 1 are not numbers
            mean = squares = torch.zeros_like(size)
        low, high = low.minimum(part.amin(0)), high.maximum(part.amax(0))
        x = x / size
        own = x.mean(0)
        apart, total = own - mean, n + len(x)
        squares = squares + (x - own).square().sum(0) + apart.square() * (n * len(x) / total)
        mean, n = mean + apart * (len(x) / total), total
    deviation = (squares / max(n - 1, 1)).sqrt()
    return Summary(torch.stack([low, high]), mean * size, deviation * size, fill)
