"""Datasets of one's own: a file of features, as a table or as arrays."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch import Tensor

from dcsomrl.data.array_files import READERS, call_part, drop_gaps, has_splits, read_arrays
from dcsomrl.data.arrays import Arrays, divide
from dcsomrl.data.columns import choose_dtype
from dcsomrl.data.features import Features, join_splits
from dcsomrl.data.foreign import refuse_foreign
from dcsomrl.data.layout import Layout
from dcsomrl.data.roles import Categories, Missing, Name, Names, Roles, make_roles, refuse_roles
from dcsomrl.data.separators import Separator
from dcsomrl.data.tables import SUFFIXES, read_table, say_lacking
from dcsomrl.data.text_tables import Decimal, Writing, name_kind
from dcsomrl.errors import DataError
from dcsomrl.hints import check_arguments
from dcsomrl.ranges import Natural, ShareBetween


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


@check_arguments
def arrays(
    path: str,
    target: Name | None = None,
    test_path: str | None = None,
    test_fraction: ShareBetween = 0.2,
    feature_names: list[str] | None = None,
    id: Name | None = None,  # a key of the configuration
    keep: Names = (),
    columns: Names | None = None,
    ignore: Names = (),
    categories: Categories = "refuse",
    missing: Missing = "refuse",
    separator: Separator = "auto",
    decimal: Decimal = "auto",
    encoding: str | None = None,
    header: bool | None = None,
    skip_lines: Natural = 0,
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
        keep: columns that stand beside the results, and are not features.
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
        DataError: a file is absent, damaged, or holds what is not a feature.
    """
    if path is None:
        raise DataError("`path` is `None`: give it the file to read")
    reading = Reading(
        make_roles(target, id, keep, columns, ignore, categories, missing),
        Writing(separator, decimal, encoding, header, skip_lines),
        layout,
    )
    notes: list[str] = []
    if test_path is not None:
        train = read_features(path, reading, notes, learned=feature_names)
        test = read_features(test_path, reading, notes, learned=train.names)
    elif has_splits(Path(path)):
        train, test = (read_features(path, reading, notes, split) for split in ("_train", "_test"))
    else:
        whole = read_features(path, reading, notes, learned=feature_names)
        train, test = (
            whole.take(rows)
            for rows in map(Tensor.numpy, divide(len(whole.x), test_fraction, path))
        )
    return join_splits(train, test, notes, missing == "median", path)


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
        DataError: the file is absent, damaged, or holds what is not a feature.
    """
    path, notes = Path(path), [] if notes is None else notes
    if not path.is_file():
        is_folder = path.is_dir()
        raise DataError(
            f"{path} is a folder, and a file is needed here: folders of images are read by "
            "`dcsomrl.data.images.images`, those of parquet or npy files by "
            "`dcsomrl.data.stream_files.stream`"
            if is_folder
            else f"there is no file {path}: check the path"
        )
    if name_kind(path) in SUFFIXES:
        features, labels, about = read_table(path, reading.roles, reading.writing, notes, learned)
        x = np.array(features.to_numpy(choose_dtype(features.dtypes), na_value=np.nan))
        y = None if labels is None else labels.to_numpy()
        return Features(x, y, features.columns.tolist(), about)
    if path.suffix.lower() not in READERS:
        refuse_foreign(path, text=True)
        raise DataError(
            f"{path} is not a table ({', '.join(SUFFIXES)}, the former packed by gzip or not) "
            f"and not an array ({', '.join(READERS)}) by its suffix: rename or convert it"
        )
    refuse_roles(reading.roles, path)
    say_lacking(reading.roles, (), path, notes)
    found = read_arrays(path, reading.layout, notes, split)
    if reading.roles.missing != "drop":
        return found
    return drop_gaps(found, call_part(path, split), notes)
