"""Points in numbers that are read as decimal signs, and may as well set thousands apart."""

import re
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# A point where decimals have a comma, or there are none.
POINTED = re.compile(r"\s*[+-]?[1-9][0-9]{0,2}\.[0-9]{3}\s*")


def find_pointed(
    table: pd.DataFrame, reread: Callable[[Sequence[str]], pd.DataFrame], alone: bool
) -> str | None:
    """A number of a table whose point may set thousands apart; None where there is none.

    All numbers of the table that have a point then have one to three digits before it and three
    behind, and beside one of them stand whole numbers without any.

    Args:
        table: as it was read.
        reread: gives columns by their names as they stand in the file.
        alone: whether whole numbers need not stand beside them, as where fields are separated by
            semicolons.
    """
    fractions = {str(name): part for name in table if len(part := _take_fractions(table[name]))}
    if not fractions or not all(map(_may_be_thousands, fractions.values())):
        return None  # which spares reading them again
    text = reread(list(fractions))
    for name, found in fractions.items():
        pointed = [one for one in text[name] if isinstance(one, str) and "." in one]
        if not all(POINTED.fullmatch(one) for one in pointed):
            return None
        alone = alone or table[name].count() > len(found)
    return pointed[0].strip() if alone else None


def _take_fractions(column: pd.Series) -> NDArray[np.floating]:
    """Sizes of the numbers of a column that are not whole."""
    if column.dtype.kind != "f":
        return np.empty(0)
    values = column.to_numpy(float, na_value=np.nan)
    values = np.abs(values[np.isfinite(values)])
    return values[values % 1 != 0]


def _may_be_thousands(fractions: NDArray[np.floating]) -> bool:
    """Whether numbers lie between 1 and 1,000 and have three decimals at most."""
    thousandths = fractions * 1000
    near = np.abs(thousandths - thousandths.round()) < 1e-6
    return bool(((thousandths >= 1000) & (thousandths < 1e6) & near).all())
