"""Datasets of one's own: a file of features."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dcsomrl.data.arrays import Arrays, divide
from dcsomrl.data.tables import SUFFIXES, check_told_apart, common_dtype, read_table
from dcsomrl.errors import DataError

log = logging.getLogger(__name__)


class Features(NamedTuple):
    """What a file holds.

    Attributes:
        x: (n, features) or (n, channels, height, width), bytes, float32, or
            float64 for what 32 bits would cut.
        y: (n,) labels as they stand in the file, or None.
        names: names of the columns of a table.
    """

    x: NDArray[Any]
    y: NDArray[Any] | None
    names: list[str] | None


def arrays(
    path: str,
    target: str | None = None,
    test_path: str | None = None,
    test_fraction: float = 0.2,
    feature_names: list[str] | None = None,
) -> Arrays:
    """A file of features: npz, npy, csv or parquet.

    Args:
        path: an npz with ``x`` and optionally ``y``, or with ``x_train``, ``x_test`` and
            optionally ``y_train``, ``y_test``; an npy; or a table with a row a sample.
        target: column of the labels in a table.
        test_path: file of the test split; None splits off a fixed part.
        test_fraction: share of the test split, where it has no file.
        feature_names: columns of a table that are features, in this order; None for all but the
            labels and a nameless index.

    Raises:
        DataError: a file is absent, damaged, or holds what is no feature.
    """
    if test_path is not None:
        train = read_features(path, target, columns=feature_names)
        test = read_features(test_path, target, columns=feature_names)
        test = _like(test, train, test_path)
    elif _has_splits(path):
        train, test = (read_features(path, target, split) for split in ("_train", "_test"))
    else:
        x, y, names = read_features(path, target, columns=feature_names)
        if y is not None and len(y) != len(x):
            raise DataError(f"{path} has {len(x)} samples but {len(y)} labels: make them as many")
        train, test = (
            Features(x[rows], None if y is None else y[rows], names)
            for rows in map(Tensor.numpy, divide(len(x), test_fraction))
        )
    train_y, test_y, class_names = _numbered(train.y, test.y)
    return Arrays(
        torch.from_numpy(train.x),
        train_y,
        torch.from_numpy(test.x),
        test_y,
        class_names,
        train.names,
    )


def read_features(
    path: str | Path,
    target: str | None = None,
    split: str = "",
    columns: list[str] | None = None,
) -> Features:
    """Features, labels and names of the features of a file; see :func:`arrays`.

    Args:
        path: the file.
        target: column of the labels in a table.
        split: ``_train`` or ``_test`` for the arrays of an npz that end so.
        columns: those of a table that are features, in this order; None for all but the labels.

    Raises:
        DataError: the file is absent, damaged, or holds what is no feature.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"there is no file {path}: check the path")
    if path.suffix in SUFFIXES:
        features, labels = read_table(path, target, columns)
        for name in features:
            check_told_apart(features[name].to_numpy(), path)
        dtype = common_dtype(features.dtypes)
        x = np.array(features.to_numpy(dtype, na_value=np.nan))
        return Features(x, None if labels is None else labels.to_numpy(), features.columns.tolist())
    if path.suffix not in (".npz", ".npy"):
        raise DataError(f"{path} is no npz, npy, csv or parquet file: convert it to one of these")
    if target is not None:
        raise DataError(
            f"{path} has no columns, and so no column {target}: leave `target` null; an npz "
            "holds its labels as y"
        )
    content = _read(path)
    return _from_arrays(content if path.suffix == ".npz" else {"x": content}, split, path)


def _has_splits(path: str | Path) -> bool:
    is_npz = Path(path).suffix == ".npz" and Path(path).is_file()
    return is_npz and {"x_train", "x_test"} <= _read(Path(path)).keys()


def _read(path: Path) -> Any:
    try:
        content = np.load(path, allow_pickle=False)
        return content if path.suffix == ".npy" else dict(content)
    except Exception as error:  # each reader raises kinds of its own for a damaged file
        raise DataError(
            f"{path} cannot be read ({error}): it is damaged or not what its name says"
        ) from error


def _from_arrays(content: Mapping[str, NDArray[Any]], split: str, path: Path) -> Features:
    if f"x{split}" not in content:
        raise DataError(
            f"{path} holds no array named x{split}, but {', '.join(content) or 'nothing'}: save "
            "the features as x, or as x_train and x_test"
        )
    x = content[f"x{split}"]
    if x.dtype.kind not in "fiub" or not 2 <= x.ndim <= 4:
        raise DataError(
            f"{path} should hold numbers of shape (n, features), (n, height, width) or (n, "
            f"channels, height, width), got {x.dtype} of shape {x.shape}"
        )
    check_told_apart(x, path)
    # An image without a channel gets one; bytes stay bytes, which are scaled to [0, 1] later.
    x = x[:, None] if x.ndim == 3 else x
    y = content.get(f"y{split}")
    labels = "no labels" if y is None else "with labels"
    log.info("%s: %d samples of shape %s, %s, %s", path, len(x), x.shape[1:], x.dtype, labels)
    return Features(x if x.dtype == np.uint8 else x.astype(common_dtype([x.dtype])), y, None)


def _like(test: Features, train: Features, path: str) -> Features:
    """The test split with its columns in the training's order."""
    if train.names is None or test.names is None or train.names == test.names:
        return test
    if sorted(train.names) != sorted(test.names):
        differing = sorted({*train.names} ^ {*test.names})
        raise DataError(
            f"{path} has other columns than the training split ({', '.join(differing)}): make "
            "them alike"
        )
    order = [test.names.index(name) for name in train.names]
    return Features(test.x[:, order], test.y, train.names)


def _numbered(
    train: NDArray[Any] | None, test: NDArray[Any] | None
) -> tuple[Tensor | None, Tensor | None, list[str] | None]:
    """Labels of any kind as classes from 0, and what they were called."""
    labels = [part for part in (train, test) if part is not None]
    if not labels:
        return None, None, None
    whole = np.concatenate([part.astype(str) if part.dtype == object else part for part in labels])
    if whole.dtype.kind == "f":
        if not (whole == np.round(whole)).all():
            raise DataError("the labels are fractions: name a column of classes")
        whole = whole.astype(np.int64)
    values, numbers = np.unique(whole, return_inverse=True)
    parts = iter(torch.from_numpy(numbers).split([len(part) for part in labels]))
    train_y, test_y = (None if part is None else next(parts) for part in (train, test))
    return train_y, test_y, [str(value) for value in values]
