"""Labels: a column of a table as it was meant, and classes numbered from 0."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from dcsomrl.data.constant import list_some
from dcsomrl.data.notes import note
from dcsomrl.data.separators import POINT
from dcsomrl.data.variants import warn_of_variants
from dcsomrl.errors import DataError

# What columns of labels are called; y is none of these, which is a coordinate as well.
LABELS = re.compile(
    r"(.*[_ .-])?(labels?|targets?|class(es)?)([_ .-]?(id|no|idx|name|label))?|ground[_ .-]?truth",
    re.IGNORECASE,
)


# What columns are called that stand beside samples: what divides them, and results.
BESIDE = re.compile(
    r"split|subset|partition|((k|cv)[_ .-]?)?fold([_ .-]?(id|no))?|is[_ .-]?(train|test|val\w*)"
    r"|sample[_ .-]?weights?|(.*[_ .-])?clusters?([_ .-]?(id|no|label))?|y[_ .-]?(pred|true|hat)"
    r"|pred|predict(ed|ions?)([_ .-].*)?",
    re.IGNORECASE,
)


def warn_of_labels(features: Sequence[str], path: Path, notes: list[str], unlabelled: bool) -> None:
    """Note features that are called as labels, splits or results are, and would be trained on.

    Args:
        features: their names.
        path: what messages call the table.
        notes: gets a sentence on each.
        unlabelled: whether no column is known to be that of the labels.
    """
    for name in features:
        if BESIDE.fullmatch(name):
            note(
                notes,
                f"{path}: column {name} is called as what stands beside samples, a split or a "
                f"result, and is taken as a feature; if it is none, set `ignore=[{name}]`",
            )
        if unlabelled and LABELS.fullmatch(name):
            note(
                notes,
                f"{path}: column {name} is called as labels are and is taken as a feature; if it "
                f"holds them, set `target={name}`",
            )


def read_labels(column: pd.Series, path: Path, where: Sequence[str]) -> pd.Series:
    """Labels of a table as numbers where all are, or as they stand.

    Args:
        column: of the labels, (n,).
        path: what messages call the table.
        where: what they call each row.

    Raises:
        DataError: rows have none.
    """
    absent = column.isna() | (column.astype(str).str.strip() == "")
    if absent.any():
        some = list_some([where[i] for i in np.flatnonzero(absent).tolist()])
        raise DataError(
            f"{path} has {int(absent.sum())} rows without a label in column {column.name}, {some}: "
            "fill or remove them (`missing` is about features alone)"
        )
    if column.dtype.kind in "fiub" or not all(isinstance(one, str) for one in column):
        return column
    text = column.str.strip()
    if text.map(lambda one: one.isdecimal() and str(int(one)) == one and len(one) < 19).all():
        return text.astype(np.int64)
    numbers = text.map(lambda one: bool(POINT.fullmatch(one))).all()
    if numbers and not text.map(str.isdigit).all():
        return text.astype(float)
    return text


def number_labels(
    train: NDArray[Any] | None, test: NDArray[Any] | None, origin: str
) -> tuple[Tensor | None, Tensor | None, list[str] | None]:
    """Labels of any kind as classes from 0, and what they were called.

    Args:
        train: (n,) labels of the training split, or None.
        test: likewise of the test split.
        origin: what messages call the data.

    Returns:
        Classes of the training split and of the test split, numbered over both, and the label of
        every class; None for what there is not.

    Raises:
        DataError: labels are fractions, or missing.
    """
    labels = [part for part in (train, test) if part is not None]
    if not labels:
        return None, None, None
    apart = {id(part): part for part in labels}.values()  # one may be both splits
    lacking = sum(int(pd.isna(part).sum()) for part in apart)
    if lacking:
        raise DataError(
            f"{origin} has {lacking} labels that are missing: give every sample one, or leave all "
            "labels out"
        )
    whole = np.concatenate(_make_comparable([_settle(part, origin) for part in labels]))
    values, numbers = np.unique(whole, return_inverse=True)
    parts = iter(torch.from_numpy(numbers).split([len(part) for part in labels]))
    train_y, test_y = (None if part is None else next(parts) for part in (train, test))
    return train_y, test_y, [str(value) for value in values]


def warn_of_classes(
    names: Sequence[str], train: set[int], test: set[int], n: int, origin: str, notes: list[str]
) -> None:
    """Note labels that may be none, and splits that have no class in common.

    Args:
        names: what the labels were called, by class.
        train: classes of the training split; empty where it has none.
        test: classes of the test split.
        n: samples of both.
        origin: what messages call the data.
        notes: gets a sentence on each.
    """
    if len(names) == n > 2:
        note(
            notes, f"{origin}: every row has a label of its own: check that `target` names classes"
        )
    warn_of_variants(names, "labels", origin, notes)
    if train and test and train.isdisjoint(test):
        note(notes, f"{origin}: the test split has none of the classes of the training split")


def _settle(labels: NDArray[Any], origin: str) -> NDArray[Any]:
    """Labels of one split, (n,): floats, which are whole, as integers, and objects as texts.

    Raises:
        DataError: they are fractions, or too large.
    """
    if labels.dtype.kind == "S":
        return np.char.decode(labels, "utf-8", "replace")
    if labels.dtype.kind in "OT":
        return labels.astype(str)
    if labels.dtype.kind != "f":
        return labels
    wide = labels.astype(np.float64)
    if not (np.abs(wide) < 2**63).all():
        raise DataError(f"{origin} has labels that are infinite or beyond 64 bits: renumber them")
    if not (wide == np.round(wide)).all():
        odd = wide[wide != np.round(wide)][0]
        raise DataError(
            f"{origin} has labels that are fractions, as {odd}: name a column of classes, or none"
        )
    return wide.astype(np.int64)


def _make_comparable(parts: list[NDArray[Any]]) -> list[NDArray[Any]]:
    """The labels of both splits, (n,) each, as one kind.

    Where one is of texts and the other of numbers, texts that all are numbers count as such.
    """
    kinds = {part.dtype.kind for part in parts}
    if kinds <= set("iub"):
        mixed = len({part.dtype for part in parts}) > 1
        wide = mixed and np.result_type(*parts).kind == "f"  # no integers of 64 bits hold both
        return [part.astype(object) for part in parts] if wide else parts
    if len(kinds) == 1:
        return parts
    return [_name_values(part) for part in parts]


def _name_values(labels: NDArray[Any]) -> NDArray[Any]:
    """Labels (n,) as texts, numbers that are whole without a point."""
    text = labels.astype(str)
    if labels.dtype.kind != "U" or not all(POINT.fullmatch(one) for one in text):
        return text
    numbers = text.astype(np.float64)
    whole = (np.abs(numbers) < 2**53).all() and (numbers == np.round(numbers)).all()
    return numbers.astype(np.int64).astype(str) if whole else text


def explain_shape(found: NDArray[Any], n: int, what: str) -> str:
    """What is wrong with labels that are not one to each sample, in words."""
    if found.ndim == 2 and len(found) == n and found.dtype.kind in "fiub":
        if ((found == 0) | (found == 1)).all() and (found.sum(1) == 1).all():
            return (
                f"{what} of shape {found.shape} have a 1 in the column of their class: give its "
                "number, as by y.argmax(1)"
            )
        return f"{what} of shape {found.shape} are several to a sample: give one to each"
    if found.ndim == 2 and found.size == n:
        return f"{what} of shape {found.shape} are one row: give a flat array, as by y.ravel()"
    many = f"{len(found)} {what}" if found.ndim == 1 else f"{what} of shape {found.shape}"
    return f"there are {n} samples but {many}: give one to each"
