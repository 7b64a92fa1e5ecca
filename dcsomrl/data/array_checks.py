"""What a source gives, and whether it is of the kinds that it should be."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from dcsomrl.data.arrays import Arrays, check_arrays, choose_features
from dcsomrl.data.stream_labels import StreamLabels
from dcsomrl.errors import DataError


def load_arrays(source: Callable[..., Arrays], columns: list[str] | None, origin: str) -> Arrays:
    """What a source gives, if it is sound, with classes numbered from 0.

    Args:
        source: called once; one that takes ``feature_names`` is told the columns.
        columns: of the table that a training had, which are taken in this order; None for a
            training or what is not a table.
        origin: what messages call the data.

    Raises:
        DataError: the data is absent or unsound, or a column is absent.
    """
    if columns and "feature_names" in inspect.signature(source).parameters:
        arrays = source(feature_names=columns)
    else:
        arrays = source()
    arrays = check_arrays(check_kinds(arrays, origin), origin)
    return arrays if columns is None else choose_features(arrays, columns, origin)


def check_kinds(arrays: Any, origin: str) -> Arrays:
    """The same arrays, without the history of gradients and with classes of 64 bits.

    Args:
        arrays: what a source gave.
        origin: what messages call the data.

    Raises:
        DataError: they are no :class:`Arrays`, samples or classes of a split are of another kind,
            or there are more or fewer names than what they name.
    """
    if not isinstance(arrays, Arrays):
        raise DataError(
            f"the source of {origin} gave an object of class {type(arrays).__name__}: a function "
            "should give `dcsomrl.Arrays`; samples themselves are given without one"
        )
    train_x = _check_samples(arrays.train_x, "train_x", origin)
    same = arrays.test_x is arrays.train_x
    test_x = train_x if same else _check_samples(arrays.test_x, "test_x", origin)
    names = arrays.class_names
    train_y = _check_classes(arrays.train_y, "train_y", names, origin)
    same = arrays.test_y is arrays.train_y
    test_y = train_y if same else _check_classes(arrays.test_y, "test_y", names, origin)
    features = arrays.feature_names
    width = train_x.shape[1:]
    if isinstance(features, str):
        raise DataError(f"`feature_names` of {origin} are one text, {features!r}: give a list")
    if features is not None and (len(width) != 1 or len(features) != width[0]):
        raise DataError(
            f"{origin} has {len(features)} `feature_names` for samples of shape {tuple(width)}: "
            "give one to each feature"
        )
    for key, about, x in (
        ("train_about", arrays.train_about, train_x),
        ("test_about", arrays.test_about, test_x),
    ):
        if about is not None and len(about) != len(x):
            raise DataError(
                f"{origin} has {len(about)} rows of `{key}` for {len(x)} samples: give each one"
            )
    return replace(arrays, train_x=train_x, train_y=train_y, test_x=test_x, test_y=test_y)


def _check_samples(x: Any, key: str, origin: str) -> Any:
    """Samples of a split as they are, a tensor without its history.

    Raises:
        DataError: they are not a tensor of real numbers and nothing that is read by index.
    """
    if not isinstance(x, Tensor):
        read = all(hasattr(x, name) for name in ("shape", "__len__", "__getitem__"))
        if not read or isinstance(x, np.ndarray | pd.DataFrame | pd.Series):
            raise DataError(
                f"`{key}` of {origin} should be a tensor, got an object of class "
                f"{type(x).__name__}: convert it by torch.from_numpy, or give it to ClusterData.of"
            )
        return x
    plain = x.layout == torch.strided and not (x.is_nested or x.is_meta or x.is_quantized)
    if not plain or x.is_complex():
        raise DataError(
            f"`{key}` of {origin} should be a dense tensor of real numbers, got {x.dtype} of "
            f"layout {x.layout} on {x.device}: convert it, or give it to ClusterData.of"
        )
    if x.ndim < 2 or 0 in x.shape[1:]:
        raise DataError(
            f"`{key}` of {origin} should be samples (n, features) or (n, channels, height, width), "
            f"got shape {tuple(x.shape)}: reshape it"
        )
    return x.detach().cpu()


def _check_classes(
    y: Any, key: str, names: list[str] | None, origin: str
) -> Tensor | StreamLabels | None:
    """Classes of a split, (n,), as integers; those of a stream as they are.

    Raises:
        DataError: they are none, or there is a class without a name.
    """
    if y is None or isinstance(y, StreamLabels):
        return y
    if not isinstance(y, Tensor) or y.is_floating_point() or y.is_complex():
        kind = str(y.dtype) if isinstance(y, Tensor) else f"an object of class {type(y).__name__}"
        raise DataError(
            f"`{key}` of {origin} should be a tensor of classes 0, 1, ..., got {kind}: convert it "
            "by torch.as_tensor(y).long(), or give it to ClusterData.of"
        )
    classes = y.detach().cpu().long()
    if names is not None and len(classes):
        low, high = int(classes.min()), int(classes.max())
        if low < 0 or high >= len(names):
            raise DataError(
                f"`{key}` of {origin} has classes from {low} to {high}, and there are {len(names)} "
                "`class_names`, from 0: give each class one"
            )
    return classes
