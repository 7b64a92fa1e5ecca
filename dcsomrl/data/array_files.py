"""Files of arrays: npz, npy and pt, with samples and, in an archive, labels and two splits."""

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor

from dcsomrl.data.columns import check_told_apart, choose_dtype
from dcsomrl.data.constant import list_some
from dcsomrl.data.features import Features
from dcsomrl.data.layout import Layout, put_channels_first
from dcsomrl.data.notes import note
from dcsomrl.errors import DataError, first_line

log = logging.getLogger(__name__)

# What labels are called where they are not called y.
LABELS = r"labels?|targets?|class(es)?"


def has_splits(path: Path) -> bool:
    """Whether a file holds a training and a test split, as ``x_train`` and ``x_test``.

    Raises:
        DataError: it is damaged, or holds something else.
    """
    is_archive = path.suffix.lower() in (".npz", ".pt") and path.is_file()
    return is_archive and {"x_train", "x_test"} <= _read(path).keys()


def read_arrays(path: Path, layout: Layout, notes: list[str], split: str = "") -> Features:
    """Samples and labels of a file, not packed into a table.

    Args:
        path: the file.
        layout: where images have their channels.
        notes: gets a sentence on everything that was guessed or left out.
        split: ``_train`` or ``_test`` for the arrays whose names end so.

    Raises:
        DataError: the file is damaged, or holds what is no feature.
    """
    content = _read(path)
    if f"x{split}" not in content:
        raise DataError(
            f"{path} holds no array named x{split}, but {list_some(list(content)) or 'nothing'}: "
            "save the features as x, or as x_train and x_test"
        )
    x = content[f"x{split}"]
    if x.dtype.kind not in "fiub" or not 2 <= x.ndim <= 4 or 0 in x.shape[1:]:
        raise DataError(
            f"{path} should hold numbers of shape (n, features), (n, height, width) or (n, "
            f"channels, height, width), got {x.dtype} of shape {x.shape}"
        )
    check_told_apart(x, path)
    x = put_channels_first(x, layout, path)
    y = _find_labels(content, x, split, path, notes)
    if y is not None and len(y) != len(x):
        raise DataError(f"{path} has {len(x)} samples but {len(y)} labels: make them as many")
    labels = "no labels" if y is None else "with labels"
    span = f"from {x.min():g} to {x.max():g}" if x.size else "empty"
    log.info(
        "%s: %d samples of shape %s, %s, %s, %s", path, len(x), x.shape[1:], x.dtype, span, labels
    )
    # Bytes stay bytes, which are scaled to [0, 1] later.
    x = x if x.dtype == np.uint8 else x.astype(choose_dtype([x.dtype]))
    return Features(np.ascontiguousarray(x), y, None, pd.DataFrame({"row": np.arange(len(x))}))


def drop_gaps(features: Features, path: Path, notes: list[str]) -> Features:
    """The samples without a missing value; a note says how many are left out."""
    gaps = np.isnan(features.x.reshape(len(features.x), -1).astype(float)).any(1)
    if not gaps.any():
        return features
    note(notes, f"{path}: {int(gaps.sum())} rows with missing values are left out")
    return features.take(np.flatnonzero(~gaps))


def _find_labels(
    content: Mapping[str, Any], x: NDArray[Any], split: str, path: Path, notes: list[str]
) -> NDArray[Any] | None:
    """The array of labels; what is neither that nor samples is said to be left out."""
    named = f"y{split}"
    others = [name for name in content if re.fullmatch(LABELS, name.lower())]
    if not split and named not in content and len(others) == 1:
        found = content[others[0]]
        if getattr(found, "shape", ()) == x.shape[:1]:
            note(notes, f"{path}: labels are taken from {others[0]}")
            return np.asarray(found)
    parts = ("", "_train", "_test")
    known = {f"{name}{part}" for name in "xy" for part in parts}
    left = [name for name, one in content.items() if name not in known and one is not x]
    if left:
        note(notes, f"{path}: arrays that are neither x nor y are left out: {list_some(left)}")
    return content.get(named)


def _read(path: Path) -> Mapping[str, Any]:
    """Arrays of a file by name, x where there is but one.

    Raises:
        DataError: the file is damaged, or holds something else.
    """
    try:
        content = READERS[path.suffix.lower()](path)
    except DataError:
        raise
    except MemoryError as error:
        raise DataError(f"{path} does not fit into memory: give fewer samples") from error
    except Exception as error:  # each reader raises kinds of its own for a damaged file
        raise DataError(
            f"{path} cannot be read ({first_line(error)}): it is damaged or not what its name says"
        ) from error
    if not isinstance(content, Mapping):
        return {"x": content}
    tables = [name for name, one in content.items() if getattr(one, "ndim", 0) >= 2]
    if len(tables) == 1 and not {"x", "x_train"} & content.keys():
        log.info("%s: the samples are taken from %s", path, tables[0])
        return {**content, "x": content[tables[0]]}
    return content


def _read_npz(path: Path) -> Any:
    content = dict(np.load(path, allow_pickle=False))
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


def _read_pt(path: Path) -> Any:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise DataError(
            f"{path} cannot be read: it is damaged, or holds more than tensors, which could "
            "run code: save a tensor or a dict of tensors by torch.save"
        ) from error
    if isinstance(content, Tensor):
        return _to_numpy(content)
    if not isinstance(content, Mapping):
        raise DataError(f"{path} holds no tensor and no dict of tensors: save the features so")
    return {str(name): _to_numpy(one) for name, one in content.items() if isinstance(one, Tensor)}


def _to_numpy(tensor: Tensor) -> NDArray[Any]:
    tensor = tensor.detach().to_dense()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


READERS = {
    ".npz": _read_npz,
    ".npy": lambda path: np.load(path, allow_pickle=False),
    ".pt": _read_pt,
    ".pth": _read_pt,
}
