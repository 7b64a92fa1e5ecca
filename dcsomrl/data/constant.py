"""Features that are the same in every sample, and so tell nothing apart."""

import logging
from collections.abc import Callable

import torch
from torch import Tensor

log = logging.getLogger(__name__)

# Names that a message gives before it counts the rest.
SHOWN = 8


def find_constant(low: Tensor, high: Tensor, normalize: Callable[[Tensor], Tensor]) -> Tensor:
    """Whether each feature is constant once it is normalised, (*shape).

    Normalisation keeps the order of values, so that the least and the greatest tell it of all.

    Args:
        low: least value of every feature, (*shape).
        high: greatest value, likewise.
        normalize: takes raw samples (n, *shape) to 32-bit numbers.
    """
    normal = normalize(torch.stack([low, high]))
    return normal[0] == normal[1]


def name_constant(flags: Tensor, names: list[str] | None) -> list[str]:
    """What to call constant features: all samples, where everything is constant.

    Pixels of images are not named: borders are often blank.
    """
    if bool(flags.all()):
        return ["all samples"]
    if flags.ndim > 1:
        return []
    return [names[i] if names else f"feature {i}" for i in flags.nonzero().flatten().tolist()]


def list_some(names: list[str]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def warn_of_constant(names: list[str], origin: str) -> None:
    """Say which features, by :func:`name_constant`, are constant."""
    if names == ["all samples"]:
        log.warning("%s: all training samples are identical once normalised", origin)
    elif names:
        log.warning(
            "%s: %d features are constant once normalised and tell nothing apart: %s",
            origin,
            len(names),
            list_some(names),
        )
