"""Integers so large that floats of 64 bits do not hold each of them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dcsomrl.errors import DataError


def restore_integers(
    table: pd.DataFrame, reread: Callable[[list[str]], pd.DataFrame]
) -> pd.DataFrame:
    """The table with whole numbers beyond 2**53 as integers, where a gap has made them floats.

    Args:
        table: as it was read.
        reread: gives columns as text or as nullable integers.
    """
    floats = table.select_dtypes("float64")
    largest = floats[floats.columns[floats.isna().any()]].abs().max()
    for name in largest.index[(largest >= 2**53) & np.isfinite(largest)].tolist():
        column = reread([name])[name].mask(table[name].isna())
        column = pd.to_numeric(column, errors="coerce", dtype_backend="numpy_nullable")
        if column.dtype.kind in "iu" and column.isna().equals(table[name].isna()):
            table[name] = column
    return table


def check_told_apart(x: NDArray[np.generic], path: Path) -> None:
    """Refuse integers (n, ...) so large that floats of 64 bits hardly tell them apart.

    Raises:
        DataError: a feature's range holds fewer than a hundred of the floats about it.
    """
    if x.dtype.kind not in "iu" or x.dtype.itemsize < 8 or x.size == 0:
        return
    flat = x.reshape(len(x), -1)
    for low, high in zip(flat.min(0).tolist(), flat.max(0).tolist(), strict=True):
        grain = float(np.spacing(float(max(abs(low), abs(high)))))
        if grain > 1 and 0 < high - low < 100 * grain:
            raise DataError(
                f"{path} holds integers from {low} to {high}, which floats of 64 bits round to "
                f"multiples of {grain:.0f}: subtract their least value first"
            )
