"""Datasets of one's own larger than memory: a table of parquet or npy files."""

import logging
from pathlib import Path

from dcsomrl.data.arrays import Arrays
from dcsomrl.data.block_files import open_files
from dcsomrl.data.blocks import Division
from dcsomrl.data.constant import list_some
from dcsomrl.data.image_folders import TRAIN_NAMES, find_split
from dcsomrl.data.labels import BESIDE, LABELS
from dcsomrl.data.notes import note
from dcsomrl.data.roles import Names, read_names
from dcsomrl.data.row_names import names_rows
from dcsomrl.data.streams import Stream
from dcsomrl.data.written_numbers import CODES
from dcsomrl.errors import DataError
from dcsomrl.hints import check_arguments
from dcsomrl.ranges import Count, ShareBetween

log = logging.getLogger(__name__)

INDEX = "__index_level_"  # how a nameless index of a data frame is called in parquet


@check_arguments
def stream(
    path: str,
    test_path: str | None = None,
    test_fraction: ShareBetween = 0.2,
    columns: Names | None = None,
    ignore: Names = (),
    window: Count = 2**28,
    feature_names: list[str] | None = None,
) -> Arrays:
    """A table that need not fit into memory: a parquet or npy file, or a folder of such.

    Of parquet whole row groups are read, of npy a range of rows. A part of the rows, drawn from all
    parts of the table, is the test split, the same in every run.

    Args:
        path: the file or folder.
        test_path: that of the test split; None splits off a fixed part.
        test_fraction: share of the test split, in (0, 1), where it has no file.
        columns: features of a parquet table; None for all columns that are not ignored.
        ignore: columns that are left out.
        window: bytes of the rows that are shuffled together, at least 1; about twice as many are
            held at once, and more where a row group is larger.
        feature_names: features that a training had, in this order; None for a training.

    Raises:
        DataError: a file is absent, damaged, differs from others or holds what is no feature, or an
            argument is out of its range.
    """
    if path is None:
        raise DataError("`path` is `None`: give it the file or folder to read")
    notes: list[str] = []
    chosen = None if columns is None else read_names(columns, "columns")
    left = read_names(ignore, "ignore")
    files = open_files(path, chosen, left, notes, feature_names)
    if chosen is None and feature_names is None and files.names is not None:
        _warn_of_names(files.names, path, notes)
    if test_path is None:
        _refuse_splits([Path(one) for one in files.files], path)
    train = Stream(files, window)
    _check_rows(train, path)
    if test_path is None:
        train = test = Stream(files, window, Division(len(train), test_fraction))
        if min(train.division.count()[0], train.division.count()[2]) < 1:
            raise DataError(f"two splits need more samples than the {len(train)} of {path}")
    else:
        test = Stream(open_files(test_path, chosen, left, notes, files.names), window)
        _check_rows(test, test_path)
    for one, where in {id(train): (train, path), id(test): (test, test_path or path)}.values():
        log.info("%s: %s", where, one.describe())
        if max(one.sizes) > one.window:
            note(
                notes,
                f"{where}: row groups of up to {max(one.sizes):,} rows are read whole, which takes "
                f"more memory than `window={window}` says: write it with smaller row groups",
            )
    _warn_of_folders([Path(one) for one in files.files], path, notes)
    if files.names is not None:
        log.info("features: %s", list_some(files.names))
    return Arrays(train, None, test, None, feature_names=files.names, notes=tuple(notes))


def _warn_of_names(names: list[str], path: str, notes: list[str]) -> None:
    """Note features that are called as labels are, as what names rows, or as codes."""
    for name in names:
        called = "codes are, as of places," if CODES.fullmatch(name) else ""
        called = "what names rows" if names_rows(name) or name.startswith(INDEX) else called
        called = "splits and results are" if BESIDE.fullmatch(name) else called
        called = "labels are" if LABELS.fullmatch(name) else called
        if called:
            note(
                notes,
                f"{path}: column {name} is called as {called} and is taken as a feature; if it is "
                f"none, set `ignore=[{name}]`",
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


def _check_rows(found: Stream, path: str) -> None:
    """Refuse a table without rows.

    Raises:
        DataError: it has none.
    """
    if len(found) == 0:
        raise DataError(f"{path} has no row of samples: add some")
