"""Datasets of one's own larger than memory: a table of parquet or npy files."""

import logging
from pathlib import Path
from typing import Any

from dcsomrl.data.arrays import Arrays
from dcsomrl.data.block_files import find_files, open_files
from dcsomrl.data.blocks import Division
from dcsomrl.data.constant import list_some
from dcsomrl.data.image_folders import TRAIN_NAMES, find_split
from dcsomrl.data.notes import note
from dcsomrl.data.roles import (
    Categories,
    Missing,
    Name,
    Names,
    Roles,
    check_roles,
    make_roles,
)
from dcsomrl.data.stream_labels import read_stream_labels
from dcsomrl.data.streams import Stream
from dcsomrl.errors import DataError
from dcsomrl.hints import check_arguments
from dcsomrl.ranges import Count, ShareBetween

log = logging.getLogger(__name__)


@check_arguments
def stream(
    path: str,
    test_path: str | None = None,
    test_fraction: ShareBetween = 0.2,
    columns: Names | None = None,
    ignore: Names = (),
    window: Count = 2**28,
    feature_names: list[str] | None = None,
    target: Name | None = None,
    id: Name | None = None,  # a key of the configuration
    keep: Names = (),
    categories: Categories = "refuse",
    missing: Missing = "refuse",
) -> Arrays:
    """A table that need not fit into memory: a parquet or npy file, or a folder of such.

    Of parquet whole row groups are read, of npy a range of rows. A part of the rows, drawn from all
    parts of the table, is the test split, the same in every run.

    Args:
        path: the file or folder.
        test_path: that of the test split; None splits off a fixed part.
        test_fraction: share of the test split, in (0, 1), where it has no file.
        columns: features; None for all columns that have no other role.
        ignore: columns that are left out.
        window: bytes of the rows that are shuffled together, at least 1; about twice as many are
            held at once, and more where a row group is larger.
        feature_names: features that a training had, in this order; None for a training.
        target: column of the labels in parquet files.
        id: column that names the rows; None for one whose name says so, or none.
        keep: columns that stand beside the results, and are not features.
        categories: what becomes of columns of text: ``refuse``, ``ignore`` or ``onehot``.
        missing: what becomes of missing values: ``refuse``, ``drop`` or ``median``; see
            :class:`dcsomrl.data.roles.Roles`.

    Raises:
        DataError: a file is absent, damaged, differs from others or holds what is not a feature, or
            an argument is out of its range.
    """
    if path is None:
        raise DataError("`path` is `None`: give it the file or folder to read")
    notes: list[str] = []
    roles = make_roles(target, id, keep, columns, ignore, categories, missing)
    check_roles(roles)
    if test_path is None:
        _refuse_splits(find_files(path, []), path)
    train = _open(path, roles, window, notes, feature_names)
    if test_path is None:
        train = test = _split(train, test_fraction, path)
    else:
        test = _open(test_path, roles, window, notes, train.names)
    opened = [(train, path)] if test is train else [(train, path), (test, test_path)]
    for one, where in opened:
        log.info("%s: %s", where, one.describe())
        if max(one.sizes) > one.window:
            note(
                notes,
                f"{where}: row groups of up to {max(one.sizes):,} rows are read whole, which takes "
                f"more memory than `window={window}` says: write it with smaller row groups",
            )
    _warn_of_folders(train.files, path, notes)
    if train.names is not None:
        _say_columns(train, path)
    labels: tuple[Any, ...] = (None, None, None)
    if target is not None:
        labels = read_stream_labels(train, test, (path, test_path or path), notes)
    return Arrays(
        train,
        labels[0],
        test,
        labels[1],
        labels[2],
        train.names,
        notes=tuple(notes),
        may_lack=missing == "median",
    )


def _open(
    path: str, roles: Roles, window: int, notes: list[str], learned: list[str] | None
) -> Stream:
    """The rows at a path, those left out that lack a value and are not to be filled.

    Raises:
        DataError: there is none, or it holds what is not a feature.
    """
    files = open_files(path, roles, notes, learned)
    found = Stream(files, window, missing=roles.missing)
    if len(found) == 0:
        raise DataError(f"{path} has no row of samples: add some")
    if empty := [str(file) for file in files.list_empty()]:
        note(notes, f"{path}: files without a row are passed over: {list_some(empty)}")
    if roles.missing != "refuse" and files.dtype.kind == "f":
        found = found.settle_gaps(path, notes)
    if found.n_kept == 0:
        raise DataError(f"{path} has no row of samples without a missing value: add some")
    return found


def _split(whole: Stream, fraction: float, path: str) -> Stream:
    """The same rows with a test split, of one row at least.

    Raises:
        DataError: there are too few.
    """
    n = len(whole)
    if n < 2:
        raise DataError(f"two splits need two samples or more, and {path} has {n}: add some")
    found = whole.copy_with(Division(n, min(max(fraction, 1 / n), 1 - 1 / n)))
    if not len(found.rows("train")) or not len(found.rows("test")):
        raise DataError(
            f"a split of {path} has no row without a missing value: give more rows, or fill the "
            "values by `missing=median`"
        )
    return found


def _say_columns(found: Stream, path: str) -> None:
    """Log what the columns of a table are taken for."""
    roles, names = found.roles, found.names
    assert names is not None
    log.info(
        "%s: %d features (%s), %s%s%s",
        path,
        len(names),
        list_some(names),
        f"labels from {roles.target}" if roles.target else "no labels",
        f", rows named by {roles.id}" if roles.id else "",
        f"; left out: {list_some(list(roles.ignore))}" if roles.ignore else "",
    )


def _warn_of_folders(files: list[Path], path: str, notes: list[str]) -> None:
    """Note columns that stand in names of folders alone, as ``country=de``."""
    parts = [part for file in files for part in file.relative_to(path).parts[:-1]]
    if names := sorted({part.partition("=")[0] for part in parts if "=" in part}):
        note(
            notes,
            f"{path}: columns that only names of folders hold are left out: {list_some(names)}; "
            "write them into the files if they are features",
        )


def _refuse_splits(files: list[Path], path: str) -> None:
    """Refuse files of several splits, which would be mixed.

    Raises:
        DataError: one is called train, and another test, val or the like.
    """
    found: dict[bool, str] = {}
    for file in files:
        inside = file.relative_to(path) if file.is_relative_to(path) else file
        for split in map(find_split, (Path(part) for part in inside.parts)):
            if split is not None:
                found[split[0] in TRAIN_NAMES] = str(file)
    if len(found) == 2 and found[True] != found[False]:
        raise DataError(
            f"{path} holds files that are named like splits, as {found[True]} and {found[False]}: "
            "set `path` to the one and `test_path` to the other"
        )
