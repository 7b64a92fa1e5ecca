"""What Python holds numbers and labels in, as arrays of NumPy."""

from collections import deque
from collections.abc import Iterator, Mapping, Set
from os import PathLike
from typing import Any, cast

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from dcsomrl.errors import DataError, shorten

# Floats that NumPy has, too; all others become those of 32 bits.
FLOATS = (torch.float16, torch.float32, torch.float64)
LISTS = (list, tuple, deque)
# By one of these an object hands its values to NumPy.
HANDED = ("__array__", "__array_interface__", "__array_struct__", "__dlpack__")


class NotNumbersError(DataError, TypeError):
    """An object stands among numbers; scikit-learn's users know this as a TypeError."""


def to_array(given: Any, what: str) -> NDArray[Any]:
    """An array of NumPy, of any kind and shape, with the values of what was given.

    Args:
        given: an array, a tensor of any layout and device, a matrix of SciPy, a column of a data
            frame, a buffer, or lists of these, however deep.
        what: what messages call it, in the plural.

    Raises:
        DataError: it is something else, has no values, or is masked; or lists differ in length.
    """
    refuse_masked(given, what)
    if isinstance(given, Tensor):
        return _read_tensor(given, what)
    if sparse.issparse(given):
        return np.asarray(cast(Any, given).toarray())
    _refuse_others(given, what)
    if isinstance(given, LISTS):
        given = _read_tensors_within(given, what)
    try:
        if not isinstance(given, np.ndarray) and not hasattr(given, "__array__"):
            given = np.from_dlpack(given) if hasattr(given, "__dlpack__") else given
        found = np.asarray(given)
        # A column of lists, as Arrow's or of objects.
        is_column = found.ndim == 1 and found.dtype == object and len(found)
        if is_column and isinstance(found[0], (*LISTS, np.ndarray, Tensor)) and np.ndim(found[0]):
            return to_array(list(found), what)
        return found
    except DataError:
        raise
    except Exception as error:  # whatever an object raises when it is asked for its values
        raise DataError(_explain_failure(given, what, error)) from error


def to_numbers(given: Any, what: str) -> NDArray[Any]:
    """Numbers of any shape; texts and objects that are numbers are read, None and NA are NaN.

    Args:
        given: see :func:`to_array`, as ``what``.
        what: what messages call it, in the plural.

    Raises:
        DataError: it holds something else than real numbers.
    """
    found = to_array(given, what)
    if found.dtype.kind in "fiub":
        return found
    if found.dtype.kind in "mM":
        raise DataError(
            f"{what} should be numbers, got dates or times ({found.dtype}): make them numbers, as "
            "of days since the first"
        )
    if found.dtype.kind == "c":
        raise DataError(
            f"{what} should be real numbers, got {found.dtype} (Complex data not supported): give "
            "the real and the imaginary part as features"
        )
    if found.dtype.names is not None or found.dtype.kind == "V":
        raise DataError(
            f"{what} should be numbers, got {found.dtype} of shape {found.shape}: give a row a "
            "sample, or a data frame"
        )
    return _read_objects(found, what)


def refuse_masked(given: object, what: str) -> None:
    """Refuse values that are masked: what lies beneath the mask would count as it stands.

    Args:
        given: an array, or a list of numbers or arrays, however deep.
        what: what messages call it.

    Raises:
        DataError: a value is masked.
    """
    if n := _count_masked(given):
        raise DataError(
            f"{what} hold {n} masked values, which would count as they stand beneath the mask: "
            "fill them, as by x.filled(0), or by NaN where missing values are taken"
        )


def _count_masked(given: object) -> int:
    if isinstance(given, np.ma.MaskedArray):
        mask: Any = np.ma.getmaskarray(given)
        fields = mask.dtype.names  # of a structured array each has one
        return int(sum(mask[name].sum() for name in fields) if fields else mask.sum())
    return sum(map(_count_masked, given)) if isinstance(given, LISTS) else 0


def _read_tensor(tensor: Tensor, what: str) -> NDArray[Any]:
    if tensor.is_nested:
        raise DataError(f"{what} are a nested tensor, of unequal lengths: pad them to one")
    if tensor.is_meta:
        raise DataError(f"{what} are a tensor without values, on the device meta: give its values")
    try:
        plain = tensor.detach()
        plain = plain.dequantize() if plain.is_quantized else plain
        plain = plain if plain.layout == torch.strided else plain.to_dense()
        plain = plain.cpu().resolve_conj().resolve_neg()
        return (
            plain.float() if plain.is_floating_point() and plain.dtype not in FLOATS else plain
        ).numpy()
    except (RuntimeError, TypeError, NotImplementedError) as error:
        raise DataError(
            f"{what} are a tensor of {tensor.dtype} on {tensor.device} that NumPy cannot take "
            f"({shorten(error)}): convert it, as by .float().cpu()"
        ) from error


def _read_tensors_within(given: Any, what: str) -> Any:
    """The same lists with arrays in the place of tensors and SciPy's matrices."""
    if isinstance(given, LISTS):
        return [_read_tensors_within(one, what) for one in given] if _has_odd(given) else given
    return to_array(given, what) if isinstance(given, Tensor) or sparse.issparse(given) else given


def _has_odd(given: Any) -> bool:
    if isinstance(given, LISTS):
        return any(map(_has_odd, given))
    return isinstance(given, Tensor) or sparse.issparse(given)


def _refuse_others(given: Any, what: str) -> None:
    """Refuse what holds no values in an order, with what to give in its place.

    Raises:
        DataError: it is such.
    """
    kind = type(given).__name__
    if isinstance(given, str | bytes | bytearray | PathLike):
        is_label = what.endswith("labels")
        remedy = (
            "name a column of a data frame by `roles=Roles(target=...)`, or give the labels"
            if is_label
            else "files are read by `ClusterData(partial(dcsomrl.data.files.arrays, path))`, "
            "whose `setup()` gives `arrays`"
        )
        raise DataError(f"{what} should be values, got the text {str(given)[:60]!r}: {remedy}")
    if isinstance(given, Mapping | Set):
        raise DataError(
            f"{what} should be an array, got a {kind}: give what it holds, or a data frame by "
            "pd.DataFrame(...)"
        )
    if isinstance(given, DataLoader | Dataset):
        raise DataError(
            f"{what} should be an array, got a {kind} of torch: stack what it holds, as by "
            "torch.stack([x for x, *_ in dataset])"
        )
    if isinstance(given, Iterator):
        raise DataError(
            f"{what} should be an array, got a {kind}, which can be read but once: make a list or "
            "an array of it"
        )
    if isinstance(given, LISTS) and any(isinstance(one, pd.DataFrame) for one in given):
        raise DataError(f"{what} are several data frames: join them by pd.concat")
    if isinstance(given, type) or not (
        isinstance(given, (*LISTS, range, memoryview, np.generic))
        or any(hasattr(given, name) for name in HANDED)
        or _is_buffer(given)
    ):
        got = "None" if given is None else f"an object of class {kind}"
        got = f"the class {given.__name__}" if isinstance(given, type) else got
        raise DataError(f"{what} should be an array, got {got}: give an array of NumPy or a list")


def _is_buffer(given: Any) -> bool:
    try:
        memoryview(given)
    except TypeError:
        return False
    return True


def _explain_failure(given: Any, what: str, error: Exception) -> str:
    """Why NumPy makes no array of an object, in words."""
    if not isinstance(given, LISTS):
        return (
            f"{what} are a {type(given).__name__} that gives no array ({shorten(error)}): convert "
            "it to an array of NumPy"
        )
    shapes = [_measure(one) for one in given]
    odd = next((i for i, shape in enumerate(shapes) if shape != shapes[0]), None)
    if odd is None:
        return f"{what} are lists of unequal length: give every sample as many values"
    return (
        f"{what} are lists of unequal length: the first item has {shapes[0]}, item {odd} "
        f"{shapes[odd]}; give every sample as many values, and labels apart from samples"
    )


def _measure(one: Any) -> str:
    """The shape of an item of a list, in words."""
    try:
        shape = np.shape(one)
    except ValueError:
        return f"{len(one)} lists of unequal length"
    return f"shape {shape}" if len(shape) > 1 else f"{shape[0]} values" if shape else "1 value"


def _read_objects(found: NDArray[Any], what: str) -> NDArray[np.float64]:
    """Objects or texts (...) that are numbers as such.

    Raises:
        DataError: one is none.
    """
    values = np.empty(found.size)
    for i, one in enumerate(found.ravel().tolist()):
        if one is None or one is pd.NA or one is pd.NaT:
            values[i] = np.nan
            continue
        try:
            if isinstance(one, bool | str | bytes) or not hasattr(one, "__len__"):
                values[i] = float(one)
                continue
        except (TypeError, ValueError, OverflowError):
            pass
        place = ", ".join(str(int(axis)) for axis in np.unravel_index(i, found.shape))
        if isinstance(one, str | bytes):
            raise DataError(
                f"{what} should be numbers, got {str(one)[:40]!r} at [{place}]: make them numbers, "
                "or give a data frame, whose columns of text may be categories"
            )
        raise NotNumbersError(
            f"{what} should be numbers, got a {type(one).__name__} at [{place}], and an argument "
            "must be an array of numbers, not a string or another object that is not a number"
        )
    return values.reshape(found.shape)
