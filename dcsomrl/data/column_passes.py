"""Passes over one column of a table larger than memory, of which little is kept."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from dcsomrl.data.columns import MOST_CATEGORIES, TRUTH, as_numbers, as_text
from dcsomrl.data.row_names import Values

# Values that are held against each other in one pass, by 8 bytes each.
HELD = 2**23
Parts = Callable[[], Iterator["pd.Series"]]


class Words(NamedTuple):
    """What a column of text holds.

    Attributes:
        n: values that are there.
        values: each value once, sorted; None where they are more than
            :data:`dcsomrl.data.columns.MOST_CATEGORIES`.
        are_numbers: whether all are numbers, or all are words true and false.
    """

    n: int
    values: list[str] | None
    are_numbers: bool


def look_at_words(parts: Iterable["pd.Series"]) -> Words:
    """What a column of text holds, in parts (n,) each."""
    n, values, are_numbers = 0, set[str](), True
    truth: set[bool] = set()
    for part in parts:
        there = as_text(part).dropna()
        if not len(there):
            continue
        n += len(there)
        if len(values) <= MOST_CATEGORIES:
            values |= set(there)
        if are_numbers:
            truth.add(bool(there.str.strip().str.lower().isin(TRUTH).all()))
            are_numbers = len(truth) == 1 and as_numbers(part) is not None
    return Words(n, sorted(values) if len(values) <= MOST_CATEGORIES else None, are_numbers)


def look_for_names(read: Parts, n: int) -> Values:
    """Whether the values of a column name the rows, as :func:`..row_names.look_at_values` says.

    Values are told apart by 64 bits; of more than :data:`HELD` each pass takes a share of them.

    Args:
        read: gives the column in parts.
        n: rows that it has.
    """
    fractions, passes = False, max(1, -(-n // HELD))
    for share in range(passes):
        held: list[np.ndarray] = []
        for part in read():
            if part.isna().any():
                return Values(False, False, fractions)
            if part.dtype.kind == "f" and not fractions:
                fractions = bool((part % 1).any())
            told = pd.util.hash_pandas_object(part, index=False, categorize=False).to_numpy()
            held.append(told[told % passes == share] if passes > 1 else told)
        together = np.concatenate(held) if held else np.empty(0, np.uint64)
        held.clear()
        together.sort()
        if (together[1:] == together[:-1]).any():
            return Values(True, False, fractions)
    return Values(True, True, fractions)
