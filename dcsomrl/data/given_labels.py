"""Labels given from Python, of any kind, one to each sample."""

from collections.abc import Mapping, Set
from numbers import Number
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcsomrl.data.frames import to_frame
from dcsomrl.data.labels import explain_shape
from dcsomrl.data.objects import to_array
from dcsomrl.errors import DataError


def read_given_labels(given: Any, n: int, what: str) -> NDArray[Any]:
    """Labels (n,) as numbers, truth values, dates, or texts and other objects.

    Args:
        given: (n,) or (n, 1) in whatever holds values, or a data frame of one column.
        n: how many samples there are.
        what: what messages call them, in the plural.

    Raises:
        DataError: there is not one to each sample, or they are of a kind that names no classes.
    """
    frame = to_frame(given, what)
    if frame is not None:
        if frame.shape[1] != 1:
            raise DataError(
                f"{what} are a table of {frame.shape[1]} columns: give the one that holds the "
                "labels"
            )
        given = frame.iloc[:, 0]
    found = to_array(given, what)
    if found.ndim == 2 and found.shape[1] == 1:
        found = found[:, 0]
    if found.shape != (n,):
        raise DataError(explain_shape(found, n, what))
    if found.dtype.kind == "c" or found.dtype.kind == "V":
        raise DataError(
            f"{what} are of {found.dtype}, which names no classes: number them, or give texts"
        )
    if found.dtype.kind == "S":
        return np.char.decode(found, "utf-8", "replace")
    if found.dtype.kind == "f":
        return found.astype(np.float64)
    return _read_objects(found.astype(object), what) if found.dtype.kind in "OT" else found


def _read_objects(found: NDArray[Any], what: str) -> NDArray[Any]:
    """Objects (n,) as numbers where all are, bytes as text.

    Raises:
        DataError: one is a container or has no text of its own.
    """
    values = [one.decode("utf-8", "replace") if isinstance(one, bytes) else one for one in found]
    for place, one in enumerate(values):
        if isinstance(one, list | tuple | Mapping | Set | np.ndarray | type) or not _has_text(one):
            raise DataError(
                f"{what} hold a {type(one).__name__} at {place}, which names no class: give "
                "numbers or texts"
            )
    kinds = {type(one) for one in values}
    is_plain = bool(kinds) and all(
        issubclass(kind, Number | np.generic) and not issubclass(kind, complex | str | np.bool_)
        for kind in kinds
    )
    if is_plain and bool not in kinds:
        numbers = np.array(values)
        if numbers.dtype.kind in "fiu":
            return numbers
    plain = np.empty(len(values), object)
    plain[:] = values
    return plain


def _has_text(one: object) -> bool:
    """Whether an object says what it is, other than where it lies in memory."""
    kind = type(one)
    return kind.__str__ is not object.__str__ or kind.__repr__ is not object.__repr__
