"""Codes of missing values, as -999, that lie far from all other values of their column."""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcsomrl.data.constant import list_some
from dcsomrl.data.notes import note

# Numbers that stand for a missing value: nines, and what programs fill gaps with.
NINES = re.compile(r"-9|-?9{2,}(\.9+|\.25)?|-32768|-2147483648|-9223372036854775808")
# From this size on a number is a code wherever it lies far from the others.
HUGE = 1e20
# Codes that a column may have for several reasons, as 88 and 99.
FEW = 4
# What to do about them where a field can be left empty.
REMEDY = "leave such fields empty, or NaN in arrays"


def warn_of_codes(
    x: Iterable[NDArray[Any]],
    names: Sequence[str],
    path: str | Path,
    call_first: Callable[[int, float], str],
    notes: list[str],
    what: str = "column",
    remedy: str = REMEDY,
) -> None:
    """Note numbers as -999 that lie far from all others of their column.

    Args:
        x: values of every feature, of any shape, NaN where one is missing.
        names: of the features.
        path: what messages call the samples.
        call_first: gives what they call the first sample in which a feature, by its place, has a
            code.
        notes: gets a sentence on every such number.
        what: what they call a feature.
        remedy: what to do about a missing value.
    """
    found: dict[str, list[str]] = {}
    first: dict[str, str] = {}
    for place, (name, values) in enumerate(zip(names, x, strict=True)):
        for code in _find_codes(values):
            found.setdefault(_write(code), []).append(name)
            if _write(code) not in first:
                first[_write(code)] = call_first(place, code)
    for written, features in found.items():
        note(
            notes,
            f"{path}: {written} lies far from all other values of {what} {list_some(features)} (the"
            f" first in {first[written]}) and is taken as a number; if it stands for a missing "
            f"value, {remedy}",
        )


def warn_of_codes_in_rows(
    x: NDArray[Any],
    names: Sequence[str],
    path: Path,
    call_row: Callable[[int], str],
    notes: list[str],
    remedy: str = REMEDY,
) -> None:
    """The same of rows (n, features), which messages call by their place."""

    def call_first(feature: int, code: float) -> str:
        return call_row(int((x[:, feature] == code).argmax()))

    warn_of_codes(x.T, names, path, call_first, notes, remedy=remedy)


def _find_codes(values: NDArray[Any]) -> list[float]:
    """The least and the greatest of some values that are not missing, where they are codes."""
    if not values.size:
        return []
    ends = {float(np.fmin.reduce(values, axis=None)), float(np.fmax.reduce(values, axis=None))}
    ends = {end for end in ends if np.isfinite(end)}
    codes = [end for end in sorted(ends) if _is_code(end)]
    return [code for code in codes if _lies_apart(values[~np.isnan(values)], code)]


def _is_code(value: float) -> bool:
    return abs(value) >= HUGE or NINES.fullmatch(_write(value)) is not None


def _write(value: float) -> str:
    """A number in as many digits as 32 bits hold, whole ones in all of theirs."""
    return str(int(value)) if abs(value) < HUGE and value == int(value) else f"{value:.7g}"


def _lies_apart(values: NDArray[Any], code: float) -> bool:
    """Whether a code, and few like it, lie further from the others than these spread."""
    sign = np.sign(code)
    values = values / abs(code)  # no difference of these overflows
    like = sign * values >= 0.5
    codes, others = np.unique(values[like]), values[~like]
    if not others.size or len(codes) > FEW:
        return False
    low, high = others.min(), others.max()
    # Large values are less of a surprise than negative ones.
    if sign > 0:
        return bool(codes[0] - high >= 3 * (high - low))
    return bool(low - codes[-1] >= high - low or (low >= 0 and like.sum() > 1))
