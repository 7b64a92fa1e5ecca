"""Which columns of parquet files are features, and how each becomes numbers."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dcsomrl.data.column_passes import Words
from dcsomrl.data.columns import as_numbers, refuse_many_values, tell_kind
from dcsomrl.data.constant import list_some
from dcsomrl.data.feature_columns import describe_words
from dcsomrl.data.labels import warn_of_labels
from dcsomrl.data.notes import note
from dcsomrl.data.odd_numbers import find_odd
from dcsomrl.data.parquet_schema import find_group, find_number
from dcsomrl.data.roles import Roles
from dcsomrl.data.variants import warn_of_variants
from dcsomrl.errors import DataError


class Column(NamedTuple):
    """A column that features are made of.

    Attributes:
        name: its own.
        features: the names of those that it becomes.
        dtype: of their numbers.
        values: of categories, one to a feature; None where it holds numbers.
        is_list: whether it holds lists.
    """

    name: str
    features: tuple[str, ...]
    dtype: np.dtype[Any]
    values: tuple[str, ...] | None = None
    is_list: bool = False


class Look(NamedTuple):
    """How columns are looked at before they are read.

    Attributes:
        find_type: gives the type of a column by its name.
        words: gives what a column of text holds.
        measure: gives how long the lists of a column are.
        first: gives the first rows of columns, as a data frame.
    """

    find_type: Callable[[str], Any]
    words: Callable[[str], Words]
    measure: Callable[[str], int]
    first: Callable[[Sequence[str]], pd.DataFrame]


def choose_columns(
    names: Sequence[str], roles: Roles, look: Look, path: Path, notes: list[str]
) -> list[Column]:
    """The features of a training.

    Args:
        names: of all columns.
        roles: of these.
        look: at their values.
        path: what messages call the table.
        notes: gets a sentence on everything that was guessed or left out.

    Raises:
        DataError: a column holds what is not a number, or there is none of features.
    """
    used = {roles.target, roles.id, *roles.keep, *roles.ignore}
    candidates = [name for name in roles.columns or names if name not in used]
    if roles.columns is None:
        warn_of_labels(candidates, path, notes, roles.target is None)
    found: list[Column] = []
    odd: list[str] = []
    dropped: list[str] = []
    for name in candidates:
        column = _take_numbers(name, look)
        words = column is None and find_group(look.find_type(name)) == "text"
        if words and roles.categories == "onehot":
            column = _take_categories(name, look.words(name), path, notes)
        if column is not None:
            found.append(column)
        elif roles.categories == "ignore":
            dropped.append(name)
        else:
            odd.append(name)
    if odd:
        first = look.first(odd)
        where = [f"row {i}" for i in range(len(first))]
        raise DataError(describe_words(first, path, where, roles))
    if dropped:
        note(notes, f"{path}: columns that are not numbers are left out: {list_some(dropped)}")
    if not found:
        raise DataError(f"{path} has no column of features: check `columns` and `ignore`")
    return found


def choose_learned(
    names: Sequence[str], learned: Sequence[str], look: Look, path: Path, notes: list[str]
) -> list[Column]:
    """The columns that features of a training are made of, in the order of the file.

    Raises:
        DataError: one is absent, or not of numbers.
    """
    lists = {name.rpartition(".")[0] for name in learned}
    values: dict[str, list[str]] = {}
    for name in learned:
        source, _, value = name.rpartition("=")
        if name not in names and source in names:
            values.setdefault(source, []).append(value)
    found = []
    for name in names:
        if name in values:
            own = tuple(values[name])
            features = tuple(f"{name}={value}" for value in own)
            found.append(Column(name, features, np.dtype(np.float32), own))
            known = look.words(name).values
            if new := sorted(set(known or ()) - set(own)):
                note(
                    notes,
                    f"{path}: column {name} has values that the training had not, which count as "
                    f"none: {list_some(new)}",
                )
        elif name in learned or name in lists:
            column = _take_numbers(name, look)
            if column is None:
                first = look.first([name])
                raise DataError(
                    describe_words(first, path, [f"row {i}" for i in range(len(first))])
                )
            found.append(column)
    there = {feature for column in found for feature in column.features}
    if absent := [name for name in learned if name not in there]:
        raise DataError(
            f"{path} lacks columns that the model was trained on: {list_some(absent)}; add them"
        )
    return found


def take_values(column: Column, part: Any) -> dict[str, NDArray[Any]]:
    """Features (n,) by name of a column of Arrow that holds no lists, NaN where one is missing."""
    if column.values is None:
        return {column.name: to_numbers(part)}
    if pa.types.is_dictionary(part.type):
        part = part.cast(part.type.value_type)
    text = part.cast(pa.large_string())
    return {
        name: to_numbers(pc.equal(text, value))
        for name, value in zip(column.features, column.values, strict=True)
    }


def to_numbers(column: Any) -> NDArray[Any]:
    """Numbers of a column of Arrow; floats with NaN where one is missing."""
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan, np.float32)
    if find_group(column.type) == "text":
        numbers = as_numbers(column.to_pandas())
        assert numbers is not None
        return numbers.to_numpy(float)
    if pa.types.is_decimal(column.type):
        column = column.cast(pa.float64())
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())
    if column.null_count and not pa.types.is_floating(column.type):
        column = column.cast(pa.float64(), safe=False)
    return np.asarray(column.to_numpy())


def _take_numbers(name: str, look: Look) -> Column | None:
    """A column that holds numbers, or texts that all are; None where it holds something else."""
    kind = look.find_type(name)
    group = find_group(kind)
    if group == "list":
        features = tuple(f"{name}.{i}" for i in range(look.measure(name)))
        dtype = find_number(kind.value_type)
        assert dtype is not None
        return Column(name, features, dtype, is_list=True)
    if group == "text":
        is_category = pa.types.is_dictionary(kind)  # which are words though they be digits
        if is_category or not look.words(name).are_numbers:
            return None
        return Column(name, (name,), np.dtype(np.float64))
    if group == "other":
        return None
    dtype = find_number(kind)
    return Column(name, (name,), np.dtype(np.float32) if dtype is None else dtype)


def _take_categories(name: str, words: Words, path: Path, notes: list[str]) -> Column | None:
    """A feature for each value of a column of text; None where it holds something else.

    Raises:
        DataError: there are too many values.
    """
    if words.values is not None:
        values = pd.Series(words.values, dtype=object)
        if tell_kind(values) != "text" or find_odd(values, ".") is not None:
            return None
        warn_of_variants(words.values, f"values of column {name}", path, notes)
    known = refuse_many_values(name, words.values, words.n, path)
    features = tuple(f"{name}={value}" for value in known)
    return Column(name, features, np.dtype(np.float32), tuple(known))
