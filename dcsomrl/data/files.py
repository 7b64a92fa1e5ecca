"""Datasets of one's own: a file of features."""

import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor

from dcsomrl.data.arrays import Arrays, divide
from dcsomrl.data.columns import check_told_apart, common_dtype
from dcsomrl.data.constant import list_some
from dcsomrl.data.labels import number_labels
from dcsomrl.data.roles import Categories, Missing, Roles
from dcsomrl.data.tables import SUFFIXES, read_table
from dcsomrl.data.text_tables import Decimal, Separator, Writing, kind_of, note
from dcsomrl.errors import DataError, first_line

log = logging.getLogger(__name__)

Layout = Literal["auto", "channels_first", "channels_last"]
CHANNELS = (1, 3, 4)
# What labels are called where they are not called y.
LABELS = r"labels?|targets?|class(es)?"


class Features(NamedTuple):
    """What a file holds.

    Attributes:
        x: (n, features) or (n, channels, height, width), bytes, float32, or
            float64 for what 32 bits would cut.
        y: (n,) labels as they stand in the file, or None.
        names: names of the columns of a table.
        about: what stands beside the results, a row a sample: ``row`` in the file and, of a table,
            ``id`` and columns that are kept.
    """

    x: NDArray[Any]
    y: NDArray[Any] | None
    names: list[str] | None
    about: pd.DataFrame


class Reading(NamedTuple):
    """How files are read.

    Attributes:
        roles: what the columns of a table are.
        writing: how a table of text is written.
        layout: of images (n, ...) in arrays: ``channels_first``, ``channels_last``, or ``auto``.
    """

    roles: Roles = Roles()
    writing: Writing = Writing()
    layout: Layout = "auto"


def arrays(
    path: str,
    target: str | None = None,
    test_path: str | None = None,
    test_fraction: float = 0.2,
    feature_names: list[str] | None = None,
    id: str | None = None,  # a key of the configuration
    keep: Sequence[str] = (),
    columns: Sequence[str] | None = None,
    ignore: Sequence[str] = (),
    categories: Categories = "refuse",
    missing: Missing = "refuse",
    separator: Separator = "auto",
    decimal: Decimal = "auto",
    encoding: str | None = None,
    header: bool | None = None,
    skip_lines: int = 0,
    layout: Layout = "auto",
) -> Arrays:
    """A file of features: a table of text, packed by gzip or not, or parquet, npz, npy, pt.

    Args:
        path: a table with a row a sample; an npz with ``x`` and optionally ``y``, or with
            ``x_train``, ``x_test`` and optionally ``y_train``, ``y_test``, or of a sparse matrix
            of SciPy; an npy; or a pt with a tensor, or a dict of tensors named as in an npz.
        target: column of the labels in a table.
        test_path: file of the test split; None splits off a fixed part.
        test_fraction: share of the test split, where it has no file.
        feature_names: features of a table that a training had, in this order; None for a training.
        id: column that names the rows; None for one whose name says so, or none.
        keep: columns that stand beside the results, and are no features.
        columns: features; None for all columns that have no other role.
        ignore: columns that are left out.
        categories: what becomes of columns of text: ``refuse``, ``ignore`` or ``onehot``.
        missing: what becomes of missing values: ``refuse``, ``drop`` or ``median``; see
            :class:`dcsomrl.data.roles.Roles`.
        separator: between the fields of a table of text, ``auto`` or as ``comma``.
        decimal: its mark of decimals, ``auto``, ``point`` or ``comma``.
        encoding: its encoding; None to tell it from the file.
        header: whether its first line names the columns; None to tell it from the file.
        skip_lines: lines above it, such as a title.
        layout: where images in arrays have their channels, ``channels_first`` or
            ``channels_last``; ``auto`` tells it from the shape.

    Raises:
        DataError: a file is absent, damaged, or holds what is no feature.
    """
    if path is None:
        raise DataError("`path` is null: give it the file to read")
    reading = Reading(
        Roles(
            _name(target),
            _name(id),
            _listed(keep),
            None if columns is None else _listed(columns),
            _listed(ignore),
            categories,
            missing,
        ),
        Writing(separator, decimal, encoding, header, skip_lines),
        layout,
    )
    notes: list[str] = []
    if test_path is not None:
        train = read_features(path, reading, notes, learned=feature_names)
        test = read_features(test_path, reading, notes, learned=train.names)
    elif _has_splits(path):
        train, test = (read_features(path, reading, notes, split) for split in ("_train", "_test"))
    else:
        whole = read_features(path, reading, notes, learned=feature_names)
        train, test = (
            _rows(whole, rows)
            for rows in map(Tensor.numpy, divide(len(whole.x), test_fraction, path))
        )
    return arrays_of_splits(train, test, notes, missing == "median", path)


def arrays_of_splits(
    train: Features, test: Features, notes: list[str], may_lack: bool, origin: str
) -> Arrays:
    """Two splits as a dataset, with classes numbered over both.

    Args:
        train: the training split.
        test: the test split.
        notes: sentences on what was guessed or left out.
        may_lack: whether NaN stands for a missing value.
        origin: what messages call them.
    """
    train_y, test_y, class_names = number_labels(train.y, test.y, origin)
    if class_names is not None and len(class_names) == len(train.x) + len(test.x) > 2:
        note(
            notes, f"{origin}: every row has a label of its own: check that `target` names classes"
        )
    return Arrays(
        torch.from_numpy(train.x),
        train_y,
        torch.from_numpy(test.x),
        test_y,
        class_names,
        train.names,
        train.about,
        test.about,
        tuple(dict.fromkeys(notes)),
        may_lack=may_lack,
    )


def read_features(
    path: str | Path,
    reading: Reading = Reading(),  # noqa: B008  # frozen
    notes: list[str] | None = None,
    split: str = "",
    learned: list[str] | None = None,
) -> Features:
    """Features, labels and names of the features of a file; see :func:`arrays`.

    Args:
        path: the file.
        reading: how it is read.
        notes: gets a sentence on everything that was guessed or left out.
        split: ``_train`` or ``_test`` for the arrays of an npz that end so.
        learned: features of a table that a training had, in this order; None for a training.

    Raises:
        DataError: the file is absent, damaged, or holds what is no feature.
    """
    path, notes = Path(path), [] if notes is None else notes
    if not path.is_file():
        is_folder = path.is_dir()
        raise DataError(
            f"{path} is a folder, and a file is needed here: folders of images are read by "
            "dataset=images"
            if is_folder
            else f"there is no file {path}: check the path"
        )
    if kind_of(path) in SUFFIXES:
        features, labels, about = read_table(path, reading.roles, reading.writing, notes, learned)
        for name in features:
            check_told_apart(features[name].to_numpy(), path)
        x = np.array(features.to_numpy(common_dtype(features.dtypes), na_value=np.nan))
        y = None if labels is None else labels.to_numpy()
        return Features(x, y, features.columns.tolist(), about)
    if path.suffix.lower() not in READERS:
        raise DataError(
            f"{path} is no table ({', '.join(SUFFIXES)}, the former packed by gzip or not) and no "
            f"array ({', '.join(READERS)}): convert it to one of these"
        )
    _refuse_columns(reading, path)
    found = _from_arrays(_read(path), split, path, reading.layout, notes)
    return _without_gaps(found, path, notes) if reading.roles.missing == "drop" else found


def _refuse_columns(reading: Reading, path: Path) -> None:
    """Refuse settings that name columns, where a file of arrays has none.

    Raises:
        DataError: there is such a setting.
    """
    roles = reading.roles
    if roles.target is not None:
        raise DataError(
            f"{path} has no columns, and so no column {roles.target}: leave `target` null; an npz "
            "holds its labels as y"
        )
    for name in () if roles.lenient else ("id", "keep", "columns", "ignore"):
        if given := getattr(roles, name):
            raise DataError(
                f"{path} holds arrays, which have no named columns: leave out `{name}`, got {given}"
            )


def _listed(names: str | int | Sequence[str | int]) -> tuple[str, ...]:
    """Names as a tuple, also where one stands alone."""
    given = [names] if isinstance(names, str | int) else names
    return tuple(str(name) for name in given)


def _name(given: str | int | None) -> str | None:
    """The name of a column, which may be a number on the command line."""
    return None if given is None else str(given)


def _rows(whole: Features, rows: NDArray[np.int64]) -> Features:
    y = None if whole.y is None else whole.y[rows]
    return Features(whole.x[rows], y, whole.names, whole.about.iloc[rows].reset_index(drop=True))


def _without_gaps(features: Features, path: Path, notes: list[str]) -> Features:
    """The samples without a missing value."""
    gaps = np.isnan(features.x.reshape(len(features.x), -1).astype(float)).any(1)
    if not gaps.any():
        return features
    note(notes, f"{path}: {int(gaps.sum())} rows with missing values are left out")
    return _rows(features, np.flatnonzero(~gaps))


def _has_splits(path: str | Path) -> bool:
    is_archive = Path(path).suffix.lower() in (".npz", ".pt") and Path(path).is_file()
    return is_archive and {"x_train", "x_test"} <= _read(Path(path)).keys()


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
        return _plain(content)
    if not isinstance(content, Mapping):
        raise DataError(f"{path} holds no tensor and no dict of tensors: save the features so")
    return {str(name): _plain(one) for name, one in content.items() if isinstance(one, Tensor)}


def _plain(tensor: Tensor) -> NDArray[Any]:
    tensor = tensor.detach().to_dense()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


READERS = {
    ".npz": _read_npz,
    ".npy": lambda path: np.load(path, allow_pickle=False),
    ".pt": _read_pt,
    ".pth": _read_pt,
}


def _from_arrays(
    content: Mapping[str, Any], split: str, path: Path, layout: Layout, notes: list[str]
) -> Features:
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
    x = channels_first(x, layout, path)
    y = _labels_beside(content, x, split, path, notes)
    if y is not None and len(y) != len(x):
        raise DataError(f"{path} has {len(x)} samples but {len(y)} labels: make them as many")
    labels = "no labels" if y is None else "with labels"
    span = f"from {x.min():g} to {x.max():g}" if x.size else "empty"
    log.info(
        "%s: %d samples of shape %s, %s, %s, %s", path, len(x), x.shape[1:], x.dtype, span, labels
    )
    # Bytes stay bytes, which are scaled to [0, 1] later.
    x = x if x.dtype == np.uint8 else x.astype(common_dtype([x.dtype]))
    return Features(np.ascontiguousarray(x), y, None, pd.DataFrame({"row": np.arange(len(x))}))


def _labels_beside(
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


def channels_first(x: NDArray[Any], layout: Layout, path: Path) -> NDArray[Any]:
    """Images (n, channels, height, width), of which those without a channel get one."""
    if layout not in ("auto", "channels_first", "channels_last"):
        raise DataError(
            f"`layout` must be auto, channels_first or channels_last, got {layout}: set one of them"
        )
    if x.ndim == 3:
        return x[:, None]
    if x.ndim == 2 or layout == "channels_first":
        return x
    last = x.shape[3] in CHANNELS and min(x.shape[1:3]) > max(CHANNELS)
    if layout == "auto" and last:
        log.info(
            "%s: images of %d channels, which come last; set `layout` if that is not so",
            path,
            x.shape[3],
        )
    return np.moveaxis(x, 3, 1) if last or layout == "channels_last" else x
