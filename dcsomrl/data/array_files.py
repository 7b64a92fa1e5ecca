"""Files of arrays: npz, npy and pt, with samples and, in an archive, labels and two splits."""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor

from dcsomrl.data.columns import choose_dtype
from dcsomrl.data.constant import list_some
from dcsomrl.data.features import Features
from dcsomrl.data.foreign import describe_damage, refuse_foreign
from dcsomrl.data.labels import explain_shape
from dcsomrl.data.large_integers import check_told_apart
from dcsomrl.data.layout import Layout, put_channels_first
from dcsomrl.data.model_files import refuse_model, refuse_script
from dcsomrl.data.notes import note
from dcsomrl.data.numpy_files import check_npz, load_npy
from dcsomrl.data.row_checks import warn_of_rows
from dcsomrl.errors import DataError

log = logging.getLogger(__name__)

# What labels are called where they are not called y.
LABELS = r"labels?|targets?|class(es)?"
SPLITS = ("x_train", "y_train", "x_test", "y_test")


@dataclass(frozen=True)
class NoArray:
    """What stands in a file where an array could be, in words."""

    what: str


def has_splits(path: Path) -> bool:
    """Whether a file holds a training and a test split, as ``x_train`` and ``x_test``.

    Raises:
        DataError: it is damaged, or holds something else.
    """
    is_archive = path.suffix.lower() in (".npz", ".pt", ".pth") and path.is_file()
    return is_archive and {"x_train", "x_test"} <= _read(path, NAMES).keys()


def read_arrays(path: Path, layout: Layout, notes: list[str], split: str = "") -> Features:
    """Samples and labels of a file, not packed into a table.

    Args:
        path: the file.
        layout: where images have their channels.
        notes: gets a sentence on everything that was guessed or left out.
        split: ``_train`` or ``_test`` for the arrays whose names end so.

    Raises:
        DataError: the file is damaged, or holds what is not a feature.
    """
    content = _read(path, READERS)
    samples = _find_samples(content, f"x{split}", path)
    x = content[samples]
    if isinstance(x, NoArray):
        raise DataError(
            f"{path} holds {x.what} in the place of samples ({samples}): save them as an array of "
            "numbers"
        )
    if x.dtype.kind not in "fiub" or not 2 <= x.ndim <= 4 or 0 in x.shape[1:]:
        raise DataError(
            f"{path} should hold numbers of shape (n, features), (n, height, width) or (n, "
            f"channels, height, width), got {x.dtype} of shape {x.shape}"
        )
    check_told_apart(x, path)
    x = put_channels_first(x, layout, path, notes)
    labels = _find_labels(content, x, f"y{split}", path, notes)
    used = {samples, labels, *(SPLITS if split else ())}
    if left := [_describe(name, one) for name, one in content.items() if name not in used]:
        note(notes, f"{path}: arrays that are neither x nor y are left out: {list_some(left)}")
    y = None if labels is None else _check_labels(content[labels], x, labels, path)
    log.info(
        "%s: %d samples of shape %s, %s, %s, %s",
        call_part(path, split),
        len(x),
        x.shape[1:],
        x.dtype,
        _describe_span(x),
        "no labels" if y is None else "with labels",
    )
    # Bytes stay bytes, which are scaled to [0, 1] later.
    x = x if x.dtype == np.uint8 else x.astype(choose_dtype([x.dtype]))
    if x.ndim == 2:
        warn_of_rows(x, None, path, "row {}".format, notes)
    return Features(np.ascontiguousarray(x), y, None, pd.DataFrame({"row": np.arange(len(x))}))


def call_part(path: Path, split: str) -> str:
    """What messages call a file, or the part of it that is a split."""
    return f"{path}, x{split}" if split else str(path)


def drop_gaps(features: Features, origin: str, notes: list[str]) -> Features:
    """The samples without a missing value; a note says which are left out."""
    gaps = np.isnan(features.x.reshape(len(features.x), -1).astype(float)).any(1)
    if not gaps.any():
        return features
    some = list_some([f"row {i}" for i in features.about["row"][gaps].tolist()])
    note(notes, f"{origin}: {int(gaps.sum())} rows with missing values are left out: {some}")
    return features.take(np.flatnonzero(~gaps))


def _find_samples(content: Mapping[str, Any], wanted: str, path: Path) -> str:
    """The name of the array of samples: the one that is wanted, or the only one of several axes.

    Raises:
        DataError: there is none.
    """
    if wanted in content:
        return wanted
    tables = [name for name, one in content.items() if getattr(one, "ndim", 0) >= 2]
    if len(tables) == 1 and not {"x", "x_train"} & content.keys():
        log.info("%s: the samples are taken from %s", path, tables[0])
        return tables[0]
    held = [_describe(name, one) for name, one in content.items()]
    raise DataError(
        f"{path} holds no array named {wanted}, but {list_some(held) or 'nothing'}: save the "
        "features as x, or as x_train and x_test"
    )


def _find_labels(
    content: Mapping[str, Any], x: NDArray[Any], wanted: str, path: Path, notes: list[str]
) -> str | None:
    """The name of the array of labels; None where there is none."""
    if wanted in content:
        return wanted
    others = [name for name in content if re.fullmatch(LABELS, name.lower())]
    if wanted != "y" or len(others) != 1:
        return None
    if getattr(content[others[0]], "shape", ()) not in (x.shape[:1], (len(x), 1)):
        return None
    note(notes, f"{path}: labels are taken from {others[0]}")
    return others[0]


def _check_labels(
    found: NDArray[Any] | NoArray, x: NDArray[Any], name: str, path: Path
) -> NDArray[Any]:
    """The same labels, if there is one to each sample.

    Raises:
        DataError: they are not an array, or of another shape.
    """
    if isinstance(found, NoArray):
        raise DataError(
            f"{path} holds {found.what} in the place of labels ({name}): save them as numbers or "
            "text, one a sample"
        )
    if found.shape == (len(x), 1):
        found = found[:, 0]
    if found.shape != x.shape[:1]:
        raise DataError(explain_shape(found, len(x), f"labels ({name} of {path})"))
    return found


def _describe(name: str, one: NDArray[Any] | NoArray) -> str:
    return f"{name} ({one.what})" if isinstance(one, NoArray) else name


def _describe_span(x: NDArray[Any]) -> str:
    """The least and the greatest number that is there, in words."""
    values = x[~np.isnan(x)] if x.dtype.kind == "f" else x
    return f"from {values.min():g} to {values.max():g}" if values.size else "empty"


def _read(path: Path, readers: Mapping[str, Callable[[Path], Any]]) -> Mapping[str, Any]:
    """What a file holds by name, x where it has none.

    Args:
        path: the file.
        readers: by the endings of files.

    Raises:
        DataError: the file is damaged, or holds something else.
    """
    try:
        content = readers[path.suffix.lower()](path)
    except DataError:
        raise
    except MemoryError as error:
        raise DataError(f"{path} does not fit into memory: give fewer samples") from error
    except Exception as error:  # each reader raises kinds of its own for a damaged file
        raise DataError(describe_damage(path, error)) from error
    if not isinstance(content, Mapping):
        return {"x": content}
    known = ("x", "y", *SPLITS)
    named = [name.lower() if name.lower() in known else name for name in content]
    if len(set(named)) < len(named):  # both in capitals and in small letters
        return content
    return dict(zip(named, content.values(), strict=True))


def _list_npz(path: Path) -> dict[str, None]:
    """The names alone, without what would be read twice."""
    check_npz(path)
    with np.load(path, allow_pickle=False) as archive:
        return dict.fromkeys(archive.files)


def _read_npz(path: Path) -> Any:
    check_npz(path)
    with np.load(path, allow_pickle=False) as archive:
        content = {name: _load(archive.__getitem__, name) for name in archive.files}
    refuse_model(content, path)
    if not {"data", "shape", "format"} <= content.keys():
        return content
    found = sparse.load_npz(path)
    log.info(
        "%s: a sparse matrix of shape %s is made dense, %.1f MB",
        path,
        found.shape,
        np.prod(found.shape) * found.dtype.itemsize / 1e6,
    )
    return found.toarray()


def _load(load: Callable[..., Any], name: str | Path) -> NDArray[Any] | NoArray:
    """An array, which is not read where its reading could run code."""
    try:
        found = load(name)
    except ValueError as error:
        if "allow_pickle=False" not in str(error) or "Object arrays" not in str(error):
            raise
        return NoArray("Python objects")
    return found if isinstance(found, np.ndarray) else NoArray("no array")


def _read_pt(path: Path) -> Any:
    refuse_script(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        refuse_foreign(path)
        kind = re.search(r"GLOBAL ([\w.]+)", str(error))
        raise DataError(
            f"{path} cannot be read: it is damaged, or holds more than tensors, which could run "
            f"code{f' (an object of {kind[1]})' if kind else ''}: save a tensor or a dict of "
            "tensors by torch.save"
        ) from error
    if isinstance(content, Tensor):
        return _to_numpy(content)
    if not isinstance(content, Mapping):
        raise DataError(f"{path} holds no tensor and no dict of tensors: save the features so")
    refuse_model(content, path)
    return {str(name): _to_array(one) for name, one in content.items()}


def _to_array(one: Any) -> NDArray[Any] | NoArray:
    """What stands beside tensors in a file, where it is plainly an array."""
    if isinstance(one, Tensor):
        return _to_numpy(one)
    if isinstance(one, list | tuple) and one:
        if all(isinstance(part, Tensor) and part.shape == one[0].shape for part in one):
            return _to_numpy(torch.stack([part.detach().to_dense() for part in one]))
        if {type(part) for part in one} <= {int, float, bool} or set(map(type, one)) == {str}:
            found = np.asarray(one)
            return found if found.dtype.kind != "O" else NoArray("integers beyond 64 bits")
        if all(isinstance(part, list | tuple) for part in one):
            parts = [part for part in map(_to_array, one) if not isinstance(part, NoArray)]
            if len(parts) == len(one) and len({part.shape for part in parts}) == 1:
                return np.stack(parts)
    return NoArray(f"a {type(one).__name__}")


def _to_numpy(tensor: Tensor) -> NDArray[Any]:
    tensor = tensor.detach().to_dense()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


READERS = {
    ".npz": _read_npz,
    ".npy": lambda path: _load(load_npy, path),
    ".pt": _read_pt,
    ".pth": _read_pt,
}
# What tells their names.
NAMES = {**READERS, ".npz": _list_npz}
