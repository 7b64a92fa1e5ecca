"""Random numbers that are a function of where they stand, not of what was drawn before."""

import torch
from torch import Tensor

# Steele, Lea & Flood 2014, SplitMix64: its increment and the factors of its mixing, as int64.
STEP = -0x61C8864680B583EB
FACTORS = ((30, -0x40A7B892E31B1A47), (27, -0x6B2FB644ECCEEE15))
LAST_SHIFT = 31


def draw_uniform(index: Tensor, n: int, *keys: int) -> Tensor:
    """Numbers in [0, 1), 24 bits each, on the device of the index.

    Args:
        index: (batch,) int64, at least 0.
        n: numbers for every entry.
        keys: integers; other keys give other numbers.

    Returns:
        (batch, n) float32. A row depends on its index and the keys alone.
    """
    state = torch.zeros_like(index)
    for key in keys:
        state = _mix(state + _wrap(STEP * key))
    state = _mix(state + STEP * (index + 1))
    column = torch.arange(1, n + 1, device=index.device)
    bits = _mix(state[:, None] + STEP * column)
    return _shift(bits, 40).float() * 2.0**-24


def _wrap(value: int) -> int:
    """An integer as 64 bits hold it, with a sign."""
    return (value + 2**63) % 2**64 - 2**63


def _mix(state: Tensor) -> Tensor:
    """Every bit of the result depends on every bit of the state, both int64."""
    for bits, factor in FACTORS:
        state = (state ^ _shift(state, bits)) * factor
    return state ^ _shift(state, LAST_SHIFT)


def _shift(state: Tensor, bits: int) -> Tensor:
    """To the right, zeros from the left."""
    return (state >> bits) & ((1 << (64 - bits)) - 1)
