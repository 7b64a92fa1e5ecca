"""What a training makes of raw samples, and how samples that come later are brought to the same."""

from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor

from dcsomrl.data.normalization import Kind, Normalization, fit
from dcsomrl.data.scale import Reading, Scale, take_as
from dcsomrl.errors import DataError


@dataclass(frozen=True)
class Preparation:
    """Normalisation and scale of a training part.

    Attributes:
        normalization: from raw samples to what a network is trained on.
        scale: what the raw samples are made of; None in older checkpoints, which do not say.
        reading: how the samples at hand are taken; other than "as they are" only where they are
            not the training's.
    """

    normalization: Normalization
    scale: Scale | None = None
    reading: Reading = "as they are"

    def __call__(self, x: Tensor) -> Tensor:
        """Normalise raw samples (batch, *shape) at hand to float32."""
        return self.normalization(take_as(self.reading, x))

    def judged(self, parts: list[Tensor], origin: str, files: bool = False) -> "Preparation":
        """The same for samples that come after the training.

        Args:
            parts: all of them, each (n, *shape).
            origin: what messages call them.
            files: whether they are pixels of image files, which are bytes however dark they are.

        Raises:
            DataError: they are on another scale than the training's, or it cannot be told.
        """
        if self.scale is None:
            return self
        scale = self.scale
        reading = scale.reading_of_files(origin) if files else scale.reading(parts, origin)
        return replace(self, reading=reading)

    def state(self) -> dict[str, Any]:
        """As plain values."""
        raw = None if self.scale is None else asdict(self.scale)
        return {**self.normalization.state(), "raw": raw}

    @classmethod
    def of_state(cls, state: dict[str, Any]) -> "Preparation":
        """Back from plain values, those of older checkpoints too."""
        raw = state.get("raw")
        return cls(Normalization.of_state(state), Scale(**raw) if raw else None)


def prepare(
    kind: Kind, low: Tensor, high: Tensor, sample: Tensor, named: bool, origin: str
) -> Preparation:
    """Fit the normalisation of a kind to the raw training part.

    Args:
        kind: see :func:`dcsomrl.data.normalization.fit`.
        low: least value of every feature, (*shape).
        high: greatest value, likewise.
        sample: raw samples (n, *shape).
        named: whether they are a table whose columns have names.
        origin: what messages call them.

    Raises:
        DataError: values overflow.
    """
    normalization = fit(kind, sample)
    made = Preparation(normalization, Scale.of(low, high, named))
    if sample.numel() > 1:  # one number has no deviation
        for number in (normalization.offset, normalization.scale):
            finite(number, origin)
    finite(made(torch.stack([low, high])), origin)
    return made


def finite(x: Tensor, origin: str) -> Tensor:
    """The same numbers, normalised ones, if 32 bits hold them.

    Raises:
        DataError: one is not finite.
    """
    if not x.isfinite().all():
        raise DataError(
            f"{origin} holds values too large for 32-bit numbers once normalised: make them "
            "smaller, or train with `normalization=minmax`"
        )
    return x
