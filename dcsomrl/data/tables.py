"""Tables of one's own: which columns are features, labels, names of rows, and what is missing."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dcsomrl.data import text_tables
from dcsomrl.data.columns import (
    as_numbers,
    as_text,
    is_value,
    kind_of_column,
    one_hot,
    spread_lists,
)
from dcsomrl.data.constant import list_some
from dcsomrl.data.text_tables import COMMA, POINT, Writing, note, number_with, read_text_table
from dcsomrl.errors import DataError

log = logging.getLogger(__name__)

SUFFIXES = (*text_tables.SUFFIXES, ".parquet")
Categories = Literal["refuse", "ignore", "onehot"]
Missing = Literal["refuse", "drop", "median"]
# What a column without a name is called.
NAMELESS = re.compile(r"\s*|Unnamed: \d+")
# How names of columns end that number or name the rows.
NAMES_ROWS = re.compile(r"(.*[_ .-])?(id|idx|index|uuid|guid|rowid|rownames)", re.IGNORECASE)
# Columns that results have, beside which none of the same name can stand.
RESULTS = (
    *("index", "split", "row", "id", "file", "node", "cluster", "activation"),
    *("second", "distance", "outlier"),
)


@dataclass(frozen=True)
class Roles:
    """What the columns of a table are.

    Attributes:
        target: column of the labels; None for no labels.
        id: column that names the rows; None for one whose name says so, or none.
        keep: columns that stand beside the results, and are no features.
        columns: features, in this order; None for all columns that have no other role.
        ignore: columns that are left out.
        categories: what becomes of columns of text: ``refuse``, ``ignore`` (they are left out), or
            ``onehot`` (a column of 0 and 1 for each of their values).
        missing: what becomes of missing values: ``refuse``, ``drop`` (the row is left out), or
            ``median`` (of the column's values in the training part).
        lenient: whether `id` and `keep`, which are those of a training, may be absent.
    """

    target: str | None = None
    id: str | None = None
    keep: Sequence[str] = ()
    columns: Sequence[str] | None = None
    ignore: Sequence[str] = ()
    categories: Categories = "refuse"
    missing: Missing = "refuse"
    lenient: bool = False

    def of(self, table: pd.DataFrame) -> "Roles":
        """The same for a table, in which a column of lists has become several."""
        spread = table.attrs.get("spread", {})

        def named(names: Sequence[str]) -> tuple[str, ...]:
            return tuple(one for name in names for one in spread.get(name, [name]))

        columns = None if self.columns is None else named(self.columns)
        roles = replace(self, keep=named(self.keep), columns=columns, ignore=named(self.ignore))
        if not self.lenient:
            return roles
        keep = tuple(name for name in roles.keep if name in table)
        return replace(roles, id=self.id if self.id in table else None, keep=keep)


class Table(NamedTuple):
    """A table as it was read.

    Attributes:
        features: columns of numbers, a row a sample.
        labels: the labels' column, or None.
        about: what stands beside the results: ``row`` in the file from 0, ``id``, kept columns.
    """

    features: pd.DataFrame
    labels: pd.Series | None
    about: pd.DataFrame


def read_table(
    path: Path, roles: Roles, writing: Writing, notes: list[str], learned: list[str] | None = None
) -> Table:
    """The columns of a table of text or a parquet file by their roles; the log says what was taken.

    Args:
        path: the file.
        roles: what the columns are.
        writing: how a table of text is written.
        notes: gets a sentence on everything that was guessed or left out.
        learned: names of the features of a training, to be made here as well.

    Raises:
        DataError: the file is damaged, is not plainly a table, lacks a column, holds what is no
            number or missing, or has no features.
    """
    _check_roles(roles)
    verbatim = [name for name in (roles.target, roles.id, *roles.keep) if name is not None]
    if path.suffix.lower() == ".parquet":
        table = _read_parquet(path)
    else:
        table = read_text_table(path, writing, notes, verbatim)
    lines = table.attrs.pop("lines", None)
    where = [f"row {i}" for i in range(len(table))] if lines is None else _called(lines)
    return take_columns(table, roles, path, where, notes, learned)


def take_columns(
    table: pd.DataFrame,
    roles: Roles,
    path: Path,
    where: Sequence[str],
    notes: list[str],
    learned: list[str] | None = None,
) -> Table:
    """The columns of a table in memory by their roles; see :func:`read_table`.

    Args:
        table: with a name for every column.
        roles: what the columns are.
        path: what messages call the table.
        where: what they call each row.
        notes: gets a sentence on everything that was guessed or left out.
        learned: names of the features of a training, to be made here as well.

    Raises:
        DataError: it lacks a column, holds what is no number or missing, or has no features.
    """
    roles = roles.of(table)
    verbatim = [name for name in (roles.target, roles.id, *roles.keep) if name is not None]
    named = [*verbatim, *(roles.columns or ()), *roles.ignore]
    if absent := [name for name in named if name not in table]:
        raise DataError(
            f"{path} has no column {list_some(absent)}; it has "
            f"{list_some(table.columns.tolist())}: name one of these"
        )
    if len(table) == 0:
        raise DataError(f"{path} has names of columns and no row of samples: add some")
    if roles.id is None:
        roles = replace(roles, id=_find_id(table, roles, path, notes))
    features, left_out = _features(table, roles, path, where, notes, learned)
    kept = _whole_rows(features, roles, path, where, notes)
    features, table = features[kept], table[kept]
    if len(features) == 0:
        raise DataError(f"{path} has no row of samples: add some")
    labels = None if roles.target is None else _labels(table[roles.target], path)
    beside = {"row": np.flatnonzero(kept)}
    beside |= {} if roles.id is None else {"id": table[roles.id].to_numpy()}
    about = pd.DataFrame({**beside, **{name: table[name].to_numpy() for name in roles.keep}})
    log.info(
        "%s: %d rows, %d features (%s), %s%s%s",
        path,
        len(features),
        features.shape[1],
        list_some(features.columns.tolist()),
        f"labels from {roles.target}" if roles.target else "no labels",
        f", rows named by {roles.id}" if roles.id else "",
        f"; left out: {list_some(left_out)}" if left_out else "",
    )
    return Table(features, labels, about)


def _check_roles(roles: Roles) -> None:
    for name, known in (
        ("categories", ("refuse", "ignore", "onehot")),
        ("missing", ("refuse", "drop", "median")),
    ):
        if getattr(roles, name) not in known:
            raise DataError(
                f"`{name}` must be one of {', '.join(known)}, got {getattr(roles, name)}"
            )
    if taken := [name for name in roles.keep if name in RESULTS]:
        raise DataError(
            f"results have a column {taken[0]} of their own: give the column that `keep` names "
            "another name"
        )


def _called(lines: Sequence[int]) -> list[str]:
    return [f"line {line}" for line in lines]


def _read_parquet(path: Path) -> pd.DataFrame:
    """A table with its named index as columns, and columns of lists as a column an element."""
    try:
        table = pd.read_parquet(path)
    except Exception as error:  # the reader raises kinds of its own for a damaged file
        raise DataError(
            f"{path} cannot be read ({error}): it is damaged or not what its name says"
        ) from error
    if any(name is not None for name in table.index.names) or not isinstance(
        table.index, pd.RangeIndex
    ):
        table = table.reset_index()
    table.columns = pd.Index(
        text_tables.name_columns([str(name) for name in table.columns], table.shape[1], path)
    )
    return spread_lists(table, path)


def _find_id(table: pd.DataFrame, roles: Roles, path: Path, notes: list[str]) -> str | None:
    """A column whose name says that it names the rows, and whose values do."""
    taken = {roles.target, *roles.keep, *(roles.columns or ()), *roles.ignore}
    for name in table.columns.tolist():
        column = table[name]
        whole = column.dtype.kind in "iu" or isinstance(
            column.dtype, pd.StringDtype | np.dtypes.ObjectDType
        )
        # Whole numbers of which some are missing are floats.
        whole = whole or (column.dtype.kind == "f" and not (column.dropna() % 1).any())
        if name in taken or not NAMES_ROWS.fullmatch(name) or not whole:
            continue
        if column.notna().all() and column.is_unique:
            note(
                notes,
                f"{path}: column {name} names the rows and is no feature; set `columns` to have it "
                "as one",
            )
            return str(name)
        note(
            notes,
            f"{path}: column {name} is called as what names rows, but has "
            f"{'the same value twice' if column.notna().all() else 'missing values'}, and is taken "
            f"as a feature; if it names them, set `id={name}` or `ignore=[{name}]`",
        )
    return None


def _features(
    table: pd.DataFrame,
    roles: Roles,
    path: Path,
    where: Sequence[str],
    notes: list[str],
    learned: list[str] | None,
) -> tuple[pd.DataFrame, list[str]]:
    """Columns of numbers, and the names of those that have no role."""
    given = {roles.target, roles.id, *roles.keep}
    if learned is not None:
        features = _as_learned(table, learned, path, where, notes)
        sources = {name.rpartition("=")[0] or name for name in learned} | set(learned)
        return features, [one for one in table.columns.tolist() if one not in given | sources]
    if roles.columns is not None:
        candidates, nameless = list(roles.columns), []
    else:
        nameless = _nameless(table, [*given, *roles.ignore], path, notes)
        used = {*given, *roles.ignore, *nameless}
        candidates = [name for name in table.columns.tolist() if name not in used]
        _say_counting(table[candidates], path, notes)
    parts, words, dropped = [], [], []
    for name in candidates:
        column = as_numbers(table[name], table.attrs.get("decimal", "."))
        if column is not None:
            parts.append(column.to_frame())
        elif roles.categories == "ignore":
            dropped.append(name)
        elif roles.categories == "onehot" and kind_of_column(table[name]) == "text":
            parts.append(one_hot(table[name], path))
        else:
            words.append(name)
    if words:
        raise DataError(_not_numbers(table[words], path, where, roles))
    if dropped:
        note(notes, f"{path}: columns that are not numbers are left out: {list_some(dropped)}")
    if not parts:
        raise DataError(f"{path} has no column of features: check `target`")
    features = pd.concat(parts, axis=1)
    unused = [name for name in table.columns.tolist() if name not in {*given, *candidates}]
    return features, [*unused, *dropped]


def _as_learned(
    table: pd.DataFrame, learned: list[str], path: Path, where: Sequence[str], notes: list[str]
) -> pd.DataFrame:
    """The features of a training: columns of these names, and ``column=value`` for categories.

    Raises:
        DataError: a column is absent, or not of numbers.
    """
    parts: dict[str, Any] = {}
    absent: list[str] = []
    seen: dict[str, list[str]] = {}
    for name in learned:
        column, _, value = name.rpartition("=")
        if name in table:
            numbers = as_numbers(table[name], table.attrs.get("decimal", "."))
            if numbers is None:
                raise DataError(_not_numbers(table[[name]], path, where))
            parts[name] = numbers
        elif column in table:
            parts[name] = is_value(as_text(table[column]), value)
            seen.setdefault(column, []).append(value)
        else:
            absent.append(column or name)
    if absent:
        names = list_some(list(dict.fromkeys(absent)))
        raise DataError(f"{path} lacks columns that the model was trained on: {names}; add them")
    for column, values in seen.items():
        new = sorted(set(as_text(table[column]).dropna()) - set(values))
        if new:
            note(
                notes,
                f"{path}: column {column} has values that the training had not, which count as "
                f"none: {list_some(new)}",
            )
    return pd.DataFrame(parts, index=table.index)


def _not_numbers(
    columns: pd.DataFrame, path: Path, where: Sequence[str], roles: Roles | None = None
) -> str:
    """What to say of columns that are not numbers: the first value that is none, and remedies.

    Without roles the columns are those of a training.
    """
    said = []
    number = number_with(columns.attrs.get("decimal", "."))
    for name in columns.columns.tolist()[:8]:
        column = columns[name]
        no_number = [
            isinstance(text, str) and not number.fullmatch(text) for text in as_text(column)
        ]
        first = int(np.argmax(no_number))
        said.append(
            f"{name} ({kind_of_column(column)}, {str(column.iloc[first])[:40]!r} in {where[first]})"
        )
    more = columns.shape[1] - len(said)
    found = f"{path} has columns that are not numbers: {', '.join(said)}"
    found += f" and {more} more" if more else ""
    if number is COMMA and any("." in one for one in said):
        found += " (numbers here have decimal commas: save them without marks of thousands)"
    if roles is None:
        return f"{found}; make them numbers"
    remedies = ["make them numbers", "leave them out by `ignore`"]
    remedies += [] if roles.target else ["name the labels' column by `target`"]
    remedies += [] if roles.id else ["the one that names the rows by `id`"]
    texts = any(kind_of_column(columns[name]) == "text" for name in columns)
    remedies += ["or set `categories=onehot`"] if texts and roles.categories == "refuse" else []
    return f"{found}; {', '.join(remedies)}"


def _nameless(
    table: pd.DataFrame, known: Sequence[str | None], path: Path, notes: list[str]
) -> list[str]:
    """Columns without a name that are left out: an index in front, and empty ones.

    Raises:
        DataError: another column has no name.
    """
    left_out = []
    for place, name in enumerate(table.columns.tolist()):
        if name in known or not NAMELESS.fullmatch(name):
            continue
        column = table[name]
        is_index = place == 0 and column.is_unique and column.dtype.kind not in "fb"
        if not is_index and not column.isna().all():
            raise DataError(
                f"{path} has a column without a name, column {place + 1}: name or remove it"
            )
        left_out.append(name)
        what = "is empty" if column.isna().all() else "numbers the rows"
        note(notes, f"{path}: column {place + 1}, which has no name and {what}, is left out")
    return left_out


def _say_counting(table: pd.DataFrame, path: Path, notes: list[str]) -> None:
    """Warn of columns that count the rows, as an index does."""
    for name in table.columns.tolist():
        column = table[name]
        if len(column) > 10 and column.dtype.kind in "iu" and (column.diff().iloc[1:] == 1).all():
            note(
                notes,
                f"{path}: column {name} counts the rows and is taken as a feature; if it is an "
                f"index, set `id={name}` or `ignore=[{name}]`",
            )


def _whole_rows(
    features: pd.DataFrame, roles: Roles, path: Path, where: Sequence[str], notes: list[str]
) -> NDArray[np.bool_]:
    """(n,) which rows are kept.

    Raises:
        DataError: a value is infinite or missing, and missing values are refused; or a column has
            none at all.
    """
    values = features.to_numpy(float, na_value=np.nan)
    _refuse_first(np.isinf(values), features, path, where, "an infinite value", "mend it")
    missing = np.isnan(values)
    names = features.columns.tolist()
    if empty := [name for name, none in zip(names, missing.all(0), strict=True) if none]:
        raise DataError(
            f"{path} has columns without any value: {list_some(empty)}; leave them out by `ignore`"
        )
    gaps = missing.any(1)
    if not gaps.any():
        return ~gaps
    columns = [name for name, some in zip(names, missing.any(0), strict=True) if some]
    if roles.missing == "refuse":
        remedy = (
            f"{int(missing.sum())} are missing in {int(gaps.sum())} rows and columns "
            f"{list_some(columns)}: fill them, or set `missing=drop` to leave these rows out or "
            "`missing=median` to take the column's median"
        )
        _refuse_first(missing, features, path, where, "no value", remedy)
    some = list_some([where[i] for i in np.flatnonzero(gaps).tolist()])
    if roles.missing == "drop":
        note(notes, f"{path}: {int(gaps.sum())} rows with missing values are left out: {some}")
        return ~gaps
    note(
        notes,
        f"{path}: {int(missing.sum())} missing values in columns {list_some(columns)} are taken as "
        "the medians of the training part",
    )
    return np.ones(len(features), dtype=bool)


def _refuse_first(
    bad: NDArray[np.bool_],
    features: pd.DataFrame,
    path: Path,
    where: Sequence[str],
    what: str,
    remedy: str,
) -> None:
    """Refuse a table by the first cell that is bad, if any is."""
    if bad.any():
        row, column = (int(place[0]) for place in bad.nonzero())
        name = features.columns[column]
        raise DataError(f"{path} has {what} in {where[row]}, column {name}; {remedy}")


def _labels(column: pd.Series, path: Path) -> pd.Series:
    """Labels as numbers where all are, or as they stand.

    Raises:
        DataError: rows have none.
    """
    absent = column.isna() | (column.astype(str).str.strip() == "")
    if absent.any():
        raise DataError(
            f"{path} has {int(absent.sum())} rows without a label in {column.name}: fill or remove "
            "them"
        )
    if column.dtype.kind in "fiub" or not all(isinstance(one, str) for one in column):
        return column
    text = column.str.strip()
    if text.map(lambda one: one.isdigit() and str(int(one)) == one).all():
        return text.astype(np.int64)
    numbers = text.map(lambda one: bool(POINT.fullmatch(one))).all()
    if numbers and not text.map(str.isdigit).all():
        return text.astype(float)
    return text
