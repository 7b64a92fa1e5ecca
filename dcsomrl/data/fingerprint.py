"""Whether two sets of samples are the same, by a short text."""

import hashlib
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from dcsomrl.data.arrays import Samples
from dcsomrl.errors import DataError


@runtime_checkable
class Stamped(Protocol):
    """Samples on the disk that can tell without being read what they are."""

    def stamp(self) -> bytes:
        """The same for the same samples, wherever they lie."""
        ...


def take_fingerprint(parts: list[Tensor | Samples]) -> str:
    """Hexadecimal digits of samples (n, *shape) each, with their kind and shape, without labels.

    Empty where samples on the disk do not tell what they are.
    """
    digest = hashlib.blake2b(digest_size=16)
    for x in parts:
        if not isinstance(x, Tensor | Stamped):
            return ""
        if isinstance(x, Tensor):
            digest.update(f"{x.dtype}{tuple(x.shape)}".encode())
            digest.update(x.cpu().contiguous().view(torch.uint8).numpy().data)
        else:
            digest.update(f"{tuple(x.shape)}".encode())
            digest.update(x.stamp())
    return digest.hexdigest()


def check_same(found: str, trained: str, origin: str) -> None:
    """Refuse samples that are not those of a training, by the fingerprints of both.

    An empty one tells nothing, and is believed.

    Raises:
        DataError: they are others.
    """
    if trained and found and found != trained:
        raise DataError(
            f"{origin} holds other samples than those that the model was trained on: give back the "
            "data of the training"
        )
