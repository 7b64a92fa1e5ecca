"""What looks like a sample and may be none: codes of missing values, and a row of totals."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dcsomrl.data.constant import list_some
from dcsomrl.data.notes import note

# Numbers that stand for a missing value: nines, and what programs fill gaps with.
NINES = re.compile(r"-9|-?9{2,}(\.9+|\.25)?|-32768|-2147483648|-9223372036854775808")
# From this size on a number is a code wherever it lies far from the others.
HUGE = 1e20
# Codes that a column may have for several reasons, as 88 and 99.
FEW = 4
# What the last row of a table is called that sums up the others.
TOTALS = re.compile(
    r"(grand |sub)?(totals?|sum|mean|average|avg|median|std|sd|min|max|count)|(gesamt)?summe|gesamt"
    r"|mittelwert|total general|total général|moyenne|media|somme|suma|totale?",
    re.IGNORECASE,
)


def warn_of_codes(
    x: NDArray[Any],
    names: Sequence[str],
    path: Path,
    call_row: Callable[[int], str],
    notes: list[str],
) -> None:
    """Note numbers as -999 that lie far from all others of their column.

    Args:
        x: (n, features), NaN where a value is missing.
        names: of the features.
        path: what messages call the table.
        call_row: gives what they call a row by its place.
        notes: gets a sentence on every such number.
    """
    found: dict[str, list[str]] = {}
    first: dict[str, str] = {}
    for name, column in zip(names, x.T, strict=True):
        for code in _find_codes(column[~np.isnan(column)]):
            found.setdefault(_write(code), []).append(name)
            first.setdefault(_write(code), call_row(int((column == code).argmax())))
    for written, columns in found.items():
        note(
            notes,
            f"{path}: {written} lies far from all other values of column {list_some(columns)} (the "
            f"first in {first[written]}) and is taken as a number; if it stands for a missing "
            "value, leave such fields empty, or NaN in arrays",
        )


def _find_codes(values: NDArray[Any]) -> list[float]:
    """The least and the greatest of some values (n,), where they look like codes."""
    if not values.size:
        return []
    ends = {float(values.min()), float(values.max())}
    return [end for end in sorted(ends) if _is_code(end) and _lies_apart(values, end)]


def _is_code(value: float) -> bool:
    return abs(value) >= HUGE or NINES.fullmatch(_write(value)) is not None


def _write(value: float) -> str:
    """A number in as many digits as 32 bits hold, whole ones in all of theirs."""
    return str(int(value)) if abs(value) < HUGE and value == int(value) else f"{value:.7g}"


def _lies_apart(values: NDArray[Any], code: float) -> bool:
    """Whether a code, and few like it, lie further from the others than these spread."""
    sign = np.sign(code)
    like = sign * values >= abs(code) / 2
    codes, others = np.unique(values[like]), values[~like]
    if not others.size or len(codes) > FEW:
        return False
    low, high = others.min(), others.max()
    # Large values are less of a surprise than negative ones.
    if sign > 0:
        return bool(codes[0] - high >= 3 * (high - low))
    return bool(low - codes[-1] >= high - low or (low >= 0 and like.sum() > 1))


def warn_of_totals(
    features: pd.DataFrame,
    others: pd.DataFrame,
    path: Path,
    where: Sequence[str],
    notes: list[str],
) -> None:
    """Note a last row that is the sum of those above, or called so.

    Args:
        features: columns of numbers, (n, features).
        others: columns of the same rows that are no features.
        path: what messages call the table.
        where: what they call each row.
        notes: gets a sentence on such a row.
    """
    if len(features) < 5:
        return
    columns = [others.iloc[:, i].tolist() for i in range(others.shape[1])]
    words = [words[-1] for words in columns if isinstance(words[-1], str)]
    called = next((repr(one) for one in words if TOTALS.fullmatch(one.strip())), None)
    values = features.to_numpy(float, na_value=np.nan)
    last, sums = values[-1], np.nansum(values[:-1], axis=0)
    given = ~np.isnan(last)
    if called is None and not (sums[given].any() and np.allclose(last[given], sums[given])):
        return
    what = f"is called {called}" if called else "is the sum of those above"
    note(
        notes,
        f"{path}: the last row, {where[-1]}, {what} and is taken as a sample: remove it if it sums "
        "up the others",
    )
