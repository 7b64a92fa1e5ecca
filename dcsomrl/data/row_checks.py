"""What is doubtful in rows of numbers: codes, dates, counts, columns twice, and distances."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcsomrl.data.codes import REMEDY, warn_of_codes_in_rows
from dcsomrl.data.constant import list_some
from dcsomrl.data.notes import note
from dcsomrl.data.written_numbers import warn_of_dates

# Rows from which on it is no chance that columns are equal, count, or that a table is symmetric.
FEWEST = 5


def warn_of_rows(
    x: NDArray[Any],
    names: Sequence[str] | None,
    path: Path,
    call_row: Callable[[int], str],
    notes: list[str],
    remedy: str = REMEDY,
) -> None:
    """Note what is doubtful in samples, before they are split.

    Args:
        x: (n, features), NaN where a value is missing.
        names: of the features; None where they have none.
        path: what messages call the samples.
        call_row: gives what they call a row by its place.
        notes: gets a sentence on each.
        remedy: what to do about a missing value.
    """
    called = [str(i) for i in range(x.shape[1])] if names is None else names
    warn_of_codes_in_rows(x, called, path, call_row, notes, remedy)
    warn_of_dates(x, called, names is not None, path, notes)
    if len(x) < FEWEST:
        return
    if names is None:  # of a table the reader tells them by their kind
        _warn_of_counts(x, path, notes)
    warn_of_equal_columns(x, called, path, notes)
    if _is_symmetric(x):
        note(
            notes,
            f"{path}: the samples are a symmetric matrix {x.shape[0]} x {x.shape[1]}, whose rows "
            "are taken as features: if it holds distances or correlations, give what they were "
            "computed from",
        )


def _warn_of_counts(x: NDArray[Any], path: Path, notes: list[str]) -> None:
    """Note columns that count the rows."""
    steps = x[1:2] - x[:1] == 1
    counts = [str(i) for i in np.flatnonzero(steps[0]) if (np.diff(x[:, i]) == 1).all()]
    if counts and len(x) > 2 * FEWEST:
        note(
            notes,
            f"{path}: column {list_some(counts)} counts the rows and is taken as a feature; save "
            "the samples without it if it is an index",
        )


def warn_of_equal_columns(
    x: NDArray[Any], names: Sequence[str], path: str | Path, notes: list[str]
) -> None:
    """Note columns that are equal to another, each of which counts; but for constant ones."""
    alike: dict[bytes, list[int]] = defaultdict(list)
    for i in np.flatnonzero(np.fmin.reduce(x, 0) < np.fmax.reduce(x, 0)).tolist():
        alike[x[:: len(x) // FEWEST, i].tobytes()].append(i)
    copies: list[str] = []
    for first, *others in (group for group in alike.values() if len(group) > 1):
        same = [i for i in others if np.array_equal(x[:, first], x[:, i], equal_nan=True)]
        copies += [f"{names[i]} (as {names[first]})" for i in same]
    if copies:
        note(
            notes,
            f"{path}: columns hold the same as others, which so count twice: {list_some(copies)}; "
            "leave one of them out",
        )


def _is_symmetric(x: NDArray[Any]) -> bool:
    """Whether samples are as many as features, and in both ways the same with one diagonal."""
    if x.shape[0] != x.shape[1]:
        return False
    diagonal = np.diagonal(x)
    return bool(np.allclose(diagonal, diagonal[0])) and np.allclose(x, x.T) and bool(np.ptp(x) > 0)
