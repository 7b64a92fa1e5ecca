"""Arguments from Python as plain values, or one sentence on what they should be."""

import os
from numbers import Integral
from typing import Any

import torch
from torch import Tensor

from dcsomrl.hints import unpack
from dcsomrl.ranges import MOST


def read_whole(name: str, given: Any, least: int, also: str = "") -> int:
    """A whole number of at least some.

    Args:
        name: of the argument.
        given: an integer of Python, NumPy, or an array or tensor of one.
        least: what it must be at least.
        also: what else it can be, in words.

    Raises:
        ValueError: it is none.
    """
    number = unpack(given)
    is_whole = isinstance(number, Integral) and not isinstance(number, bool)
    if not is_whole or not least <= number <= MOST:
        kind = "at least" if is_whole and not also else "an integer of at least"
        above = " and below 2^63" if is_whole and number > MOST else ""
        raise ValueError(f"{name} must be {also}{kind} {least}{above}, got {number!r}")
    return int(number)


def read_places(name: str, given: Any, n: int) -> Tensor:
    """Places (batch,) among n samples.

    Raises:
        ValueError: they are not whole numbers from 0 to n - 1.
    """
    try:
        places = torch.as_tensor(given)
        kept = places.numel() and (places.is_floating_point() or places.is_complex())
        sound = places.ndim == 1 and not kept and places.dtype != torch.bool
    except (TypeError, ValueError, RuntimeError):
        sound = False
    if not sound or (places.numel() and not 0 <= int(places.min()) <= int(places.max()) < n):
        raise ValueError(
            f"{name} must be places (batch,) from 0 to {n - 1}, got {str(given)[:60]}: give whole "
            "numbers, as by torch.arange"
        )
    return places.long()


def read_text(name: str, given: Any) -> str:
    """A text.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(given, str):
        raise ValueError(f"{name} must be a text, got {given!r}")
    return str(given)


def read_path(name: str, given: Any) -> str | None:
    """A path as text; None for none.

    Raises:
        ValueError: it is none.
    """
    if given is None:
        return None
    if not isinstance(given, str | os.PathLike):
        raise ValueError(f"{name} must be a path, got {given!r}")
    return str(os.fspath(given))
