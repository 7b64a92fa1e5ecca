"""What a training makes of raw samples, and how samples that come later are brought to the same."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dcsomrl.data.constant import list_some
from dcsomrl.data.normalization import Kind, Normalization, find_magnitude, fit, to_floats
from dcsomrl.data.scale import Reading, Scale, take_as
from dcsomrl.data.summary import Summary
from dcsomrl.errors import DataError


@dataclass(frozen=True)
class Preparation:
    """Normalisation and scale of a training part.

    Attributes:
        normalization: from raw samples to what a network is trained on.
        scale: what the raw samples are made of; None in older checkpoints, which do not say.
        reading: how the samples at hand are taken; other than "as they are" only where they are
            not the training's.
        fill: (features,) medians of the training part, which missing values are taken as; None
            where none were allowed.
    """

    normalization: Normalization
    scale: Scale | None = None
    reading: Reading = "as they are"
    fill: Tensor | None = None

    def __call__(self, x: Tensor) -> Tensor:
        """Normalise raw samples (batch, *shape) at hand to float32."""
        return self.normalization(take_as(self.reading, self.fill_missing(x)))

    def check_samples(self, x: object, origin: str = "the input") -> Tensor:
        """The same, if they are raw samples (batch, *shape).

        Raises:
            DataError: they are not a tensor of real numbers, or have other features.
        """
        if not isinstance(x, Tensor):
            raise DataError(
                f"{origin} should be a tensor of samples (n, *shape), got an object of class "
                f"{type(x).__name__}: convert it, as by torch.from_numpy"
            )
        shape = tuple(self.normalization.scale.shape)
        if x.ndim < 2 or x.is_complex() or (shape and tuple(x.shape[1:]) != shape):
            wanted = ", ".join(map(str, ("n", *shape))) if shape else "n, *shape"
            raise DataError(
                f"{origin} should be real numbers of shape ({wanted}), got {x.dtype} of shape "
                f"{tuple(x.shape)}: give samples as those of the training"
            )
        return x

    def normalize_by_feature(self, x: Tensor) -> Tensor:
        """The same without bringing samples to one length, so that a feature keeps its order.

        Where they would be brought to it, every feature is divided by its size instead.
        """
        normalization = replace(self.normalization, to_unit=False)
        if self.normalization.to_unit:
            size = find_magnitude(to_floats(x, normalization.scale.dtype), (0,))[0]
            normalization = replace(normalization, scale=size)
        return normalization(take_as(self.reading, self.fill_missing(x)))

    def fill_missing(self, x: Tensor) -> Tensor:
        """Raw samples (batch, *shape) with the medians in the place of missing values."""
        if self.fill is None or not x.is_floating_point():
            return x
        return torch.where(x.isnan(), self.fill.to(x), x)

    def judge(self, parts: list[Tensor], origin: str, files: bool = False) -> "Preparation":
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
        scale, parts = self.scale, [self.fill_missing(x) for x in parts]
        reading = (
            scale.choose_file_reading(origin) if files else scale.choose_reading(parts, origin)
        )
        return replace(self, reading=reading)

    def state(self) -> dict[str, Any]:
        """As plain values."""
        raw = None if self.scale is None else asdict(self.scale)
        fill = None if self.fill is None else self.fill.tolist()
        return {**self.normalization.state(), "raw": raw, "fill": fill}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Preparation":
        """Back from plain values, those of older checkpoints too."""
        raw, given = state.get("raw"), state.get("fill")
        fill = None if given is None else torch.tensor(given, dtype=torch.float64)
        return cls(Normalization.from_state(state), Scale(**raw) if raw else None, fill=fill)


def prepare(
    kind: Kind,
    sample: Tensor,
    named: bool,
    origin: str,
    summary: Summary | None = None,
    may_lack: bool = False,
) -> Preparation:
    """Fit the normalisation of a kind to the raw training part.

    Args:
        kind: see :func:`dcsomrl.data.normalization.fit`.
        sample: raw samples (n, *shape); NaN of a table is taken as the column's median. Those that
            are the least and the greatest are enough beside a summary.
        named: whether they are a table whose columns have names.
        origin: what messages call them.
        summary: of all samples, where they are not at hand.
        may_lack: whether values may be missing in other samples, though none is here.

    Raises:
        DataError: values overflow, or a column has no value.
    """
    fill = compute_medians(sample, origin, may_lack) if summary is None else summary.fill
    if fill is not None:
        sample = torch.where(sample.isnan(), fill.to(sample), sample)
    low, high = sample.amin(0), sample.amax(0)
    normalization = fit(kind, sample) if summary is None else summary.fit(kind)
    made = Preparation(normalization, Scale.of(low, high, named), fill=fill)
    if sample.numel() > 1:  # one number has no deviation
        for number in (normalization.offset, normalization.scale):
            check_finite(number, origin, normalization)
    check_finite(made(torch.stack([low, high])), origin, normalization)
    return made


def compute_medians(sample: Tensor, origin: str, may_lack: bool = False) -> Tensor | None:
    """(features,) medians of raw samples (n, features), float64; None where nothing is missing.

    Args:
        sample: NaN where a value is missing.
        origin: what messages call them.
        may_lack: whether values may be missing elsewhere, so that the medians are needed.

    Raises:
        DataError: a column has no value.
    """
    if not sample.is_floating_point() or not (may_lack or sample.isnan().any()):
        return None
    empty = sample.isnan().all(0)
    if empty.any():
        column = int(empty.int().argmax())
        raise DataError(
            f"{origin}: column {column} has no value in the training part: leave it out"
        )
    return torch.from_numpy(np.nanmedian(sample.double().numpy(), axis=0))


def check_finite(x: Tensor, origin: str, normalization: Normalization) -> Tensor:
    """The same numbers, normalised ones, if 32 bits hold them.

    Args:
        x: what became of samples.
        origin: what messages call these.
        normalization: theirs.

    Raises:
        DataError: one is not finite.
    """
    if not x.isfinite().all():
        other = "" if normalization.clipped else ", or train with `normalization=minmax`"
        raise DataError(
            f"{origin} holds values too large for 32-bit numbers once normalised: make them "
            f"smaller{other}"
        )
    return x


def check_state(state: Any) -> dict[str, Any]:
    """What the ``state_dict`` of a datamodule gave, if it is such.

    Raises:
        DataError: it is something else, or not whole.
    """
    needed = ("offset", "scale", "clipped")
    if isinstance(state, Mapping) and all(name in state for name in needed):
        try:
            Preparation.from_state(found := dict(state))
        except (LookupError, TypeError, ValueError, AttributeError, RuntimeError):
            pass
        else:
            return found
    raise DataError(
        "`state_dict` must be what `state_dict()` of the `ClusterData` of a training gives, got "
        f"{describe_state(state)}: give that one, or load a checkpoint by `dcsomrl.load`"
    )


def describe_state(state: Any) -> str:
    """What was given in the place of a state, in words."""
    if isinstance(state, Mapping):
        return f"a dict of {list_some([str(name) for name in state]) or 'nothing'}"
    return f"an object of class {type(state).__name__}"
