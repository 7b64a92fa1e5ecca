"""Exact medians of columns that do not fit into memory, from counts of the values' digits."""

from collections.abc import Callable, Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dcsomrl.data.block_files import AT_ONCE
from dcsomrl.errors import DataError

# Bytes of all counts, about.
ROOM = 2**26


def find_medians(
    read: Callable[[], Iterable[Tensor]], names: list[str] | None, origin: str
) -> Tensor:
    """(features,) medians, float64, of the values that are not missing.

    The order of floats is that of their bits, which are looked at from the first to the last, as
    many in a pass as there is room for counts: two passes over 32-bit numbers and four over 64-bit
    ones where features are few. Of an even number of values it is the mean of the middle two.

    Args:
        read: gives all samples in parts (n, features) of floats; called for every pass.
        names: of the features; None where they have none.
        origin: what messages call them.

    Raises:
        DataError: a column has no value.
    """
    known = 0  # bits of both middle values that are known
    rank, prefix = np.empty(0, np.int64), np.empty(0, np.uint64)
    wide, width = 64, 0
    while known < wide:
        counts = np.empty(0, np.int64)
        for part in (piece for whole in read() for piece in whole.split(AT_ONCE)):
            x = part.numpy()
            if not counts.size:
                wide, width = 8 * x.dtype.itemsize, x.shape[1]
                room = max(1, ROOM // (16 * max(width, 1)))
                bits = min(max(room.bit_length() - 1, 1), 16, wide - known)
                counts = np.zeros((2, width, 2**bits), np.int64)
                if not known:
                    prefix = np.zeros((2, width), np.uint64)
            _count(x, prefix, known, bits, counts)
        if not known:
            n = counts[0].sum(1)
            _refuse_empty(n, names, origin)
            rank = np.stack([(n - 1) // 2, n // 2])
        for side, column in np.ndindex(2, width):
            sums = counts[side, column].cumsum()
            digit = int(np.searchsorted(sums, rank[side, column], side="right"))
            rank[side, column] -= sums[digit - 1] if digit else 0
            prefix[side, column] = (int(prefix[side, column]) << bits) | digit
        known += bits
    middle = _to_floats(prefix, wide).astype(np.float64)
    return torch.from_numpy(middle.mean(0))


def _count(
    x: NDArray[np.floating],
    prefix: NDArray[np.uint64],
    known: int,
    bits: int,
    counts: NDArray[np.int64],
) -> None:
    """Count, for both middle values, the next bits of values (n, features) that begin as they do.

    Args:
        x: the values, NaN where one is missing.
        prefix: (2, features) bits of the middle values that are known.
        known: how many these are.
        bits: how many are counted.
        counts: (2, features, 2**bits), to which it is added.
    """
    wide = 8 * x.dtype.itemsize
    keys = _to_keys(x)
    digit = (keys >> np.uint64(wide - known - bits)) & np.uint64(2**bits - 1)
    there = ~np.isnan(x)
    column = np.broadcast_to(np.arange(x.shape[1]), x.shape)
    for side in range(2):
        chosen = there
        if known:
            chosen = there & ((keys >> np.uint64(wide - known)) == prefix[side])
        np.add.at(counts[side], (column[chosen], digit[chosen].astype(np.int64)), 1)


def _to_keys(x: NDArray[np.floating]) -> NDArray[np.uint64]:
    """Whole numbers in the order of floats of 32 or 64 bits."""
    wide = 8 * x.dtype.itemsize
    raw = np.ascontiguousarray(x).view(f"u{x.dtype.itemsize}").astype(np.uint64)
    sign, every = np.uint64(2 ** (wide - 1)), np.uint64(2**wide - 1)
    return np.where(raw & sign, raw ^ every, raw | sign)


def _to_floats(keys: NDArray[np.uint64], wide: int) -> NDArray[np.floating]:
    """The other way round."""
    sign, every = np.uint64(2 ** (wide - 1)), np.uint64(2**wide - 1)
    raw = np.where(keys & sign, keys ^ sign, keys ^ every)
    return raw.astype(f"u{wide // 8}").view(f"f{wide // 8}")


def _refuse_empty(n: NDArray[np.int64], names: list[str] | None, origin: str) -> None:
    """Refuse columns without a value, by how many each has.

    Raises:
        DataError: there is one.
    """
    if not n.all():
        column = int((n == 0).argmax())
        called = column if names is None else names[column]
        raise DataError(
            f"{origin}: column {called} has no value in the training part: leave it out"
        )
