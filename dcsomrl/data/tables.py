"""Tables of one's own: read from a file or given in memory, and taken apart by their roles."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from dcsomrl.data import text_tables
from dcsomrl.data.columns import spread_lists
from dcsomrl.data.constant import list_some
from dcsomrl.data.doubtful import warn_of_totals
from dcsomrl.data.feature_columns import take_features
from dcsomrl.data.foreign import describe_damage
from dcsomrl.data.labels import read_labels
from dcsomrl.data.large_integers import restore_integers
from dcsomrl.data.missing_values import find_whole_rows
from dcsomrl.data.notes import note
from dcsomrl.data.roles import Roles, check_exclusive, check_roles
from dcsomrl.data.row_checks import warn_of_rows
from dcsomrl.data.row_names import Values, find_ids, look_at_values, settle_index
from dcsomrl.data.text_tables import Writing, read_text_table
from dcsomrl.data.written_numbers import warn_of_named_codes
from dcsomrl.errors import DataError
from dcsomrl.extras import require

log = logging.getLogger(__name__)

SUFFIXES = (*text_tables.SUFFIXES, ".parquet")


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
    check_roles(roles)
    verbatim = [name for name in (roles.target, roles.id, *roles.keep) if name is not None]
    if path.suffix.lower() == ".parquet":
        table = _read_parquet(path)
    else:
        table = read_text_table(path, writing, notes, verbatim)
    lines, written = table.attrs.pop("lines", None), table.attrs.pop("written", {})
    if lines is None:
        where = [f"row {i}" for i in range(len(table))]
    else:
        where = [f"line {line}" for line in lines]
    return take_columns(table, roles, path, where, notes, learned, written)


def take_columns(
    table: pd.DataFrame,
    roles: Roles,
    path: Path,
    where: Sequence[str],
    notes: list[str],
    learned: list[str] | None = None,
    written: Mapping[str, Sequence[str]] | None = None,
) -> Table:
    """The columns of a table in memory by their roles; see :func:`read_table`.

    Args:
        table: with a name for every column.
        roles: what the columns are.
        path: what messages call the table.
        where: what they call each row.
        notes: gets a sentence on everything that was guessed or left out.
        learned: names of the features of a training, to be made here as well.
        written: values of columns that may name the rows, as they stand in a file of text.

    Raises:
        DataError: it lacks a column, holds what is not a number or missing, or has no features.
    """
    text_tables.check_names(table.columns.tolist(), path)
    say_lacking(roles, [*table.columns.tolist(), *table.attrs.get("spread", {})], path, notes)
    roles = roles.adapt_to(table)
    check_exclusive(roles)
    verbatim = [name for name in (roles.target, roles.id, *roles.keep) if name is not None]
    named = [*verbatim, *(roles.columns or ()), *roles.ignore]
    if absent := [name for name in named if name not in table]:
        raise DataError(
            f"{path} has no column {list_some(absent)}; it has "
            f"{list_some(table.columns.tolist())}: name one of these"
        )
    if len(table) == 0:
        raise DataError(f"{path} has names of columns and no row of samples: add some")

    def look(name: str) -> Values:
        return look_at_values(table[name], (written or {}).get(name))

    if roles.id is None:
        taken = {*named, *(learned or ()), *table.attrs.get("index", [])}
        ids = find_ids(table.columns.tolist(), taken, look, path, notes)
        name = ids[0] if ids else None
        roles = replace(roles, id=name, ignore=(*roles.ignore, *ids[1:]))
        if written and name is not None and name in written:
            table = table.assign(**{name: written[name]})
    used = {*named, *(learned or ()), roles.id}
    index = [one for one in table.attrs.get("index", []) if one not in used]
    roles = settle_index(index, roles, look, path, notes)
    features, left_out = take_features(table, roles, path, where, notes, learned)
    kept = find_whole_rows(features, roles, path, where, notes)
    features, table = features[kept], table[kept]
    where = [where[i] for i in np.flatnonzero(kept).tolist()]
    if len(features) == 0:
        raise DataError(f"{path} has no row of samples: add some")
    if learned is None:
        values = features.to_numpy(float, na_value=np.nan)
        names = features.columns.tolist()
        warn_of_rows(values, names, path, where.__getitem__, notes)
        warn_of_named_codes(values, names, features.attrs.get("padded", {}), path, notes)
        others = [name for name in table.columns.tolist() if name not in features]
        warn_of_totals(features, table[others], path, where, notes)
    labels = None if roles.target is None else read_labels(table[roles.target], path, where)
    beside = {"row": np.flatnonzero(kept)}
    beside |= {} if roles.id is None else {"id": table[roles.id].to_numpy()}
    about = pd.DataFrame({**beside, **{name: table[name].to_numpy() for name in roles.keep}})
    log.info(
        "%s: %d rows, %d features (%s), %s%s%s",
        path,
        len(features),
        features.shape[1],
        list_some([_describe_feature(features[name]) for name in features]),
        f"labels from {roles.target}" if roles.target else "no labels",
        f", rows named by {roles.id}" if roles.id else "",
        f"; left out: {list_some(left_out)}" if left_out else "",
    )
    return Table(features, labels, about)


def say_lacking(roles: Roles, columns: Collection[str], path: Path, notes: list[str]) -> None:
    """Note what stood beside the results of a training and is not among these columns."""
    if lacking := roles.list_lacking(columns):
        note(
            notes,
            f"{path} has no column {list_some(lacking)}, which stood beside the results of the "
            "training: the results lack it",
        )


def _describe_feature(column: pd.Series) -> str:
    """The name of a feature, what kind of numbers it holds and their range, in words."""
    values = column.dropna().to_numpy(float)
    if np.isin(values, (0, 1)).all():
        return f"{column.name}: 0 or 1"
    whole = "whole numbers" if (values % 1 == 0).all() else "numbers"
    return f"{column.name}: {whole} from {values.min():g} to {values.max():g}"


def _read_parquet(path: Path) -> pd.DataFrame:
    """A table with its named index as columns, and columns of lists as a column an element."""
    require("pyarrow")
    try:
        table = pd.read_parquet(path)
        table = restore_integers(
            table,
            lambda names: pd.read_parquet(
                path, columns=list(names), dtype_backend="numpy_nullable"
            ).set_axis(table.index),
        )
    except Exception as error:  # the reader raises kinds of its own for a damaged file
        raise DataError(describe_damage(path, error)) from error
    levels = 0
    if any(name is not None for name in table.index.names) or not isinstance(
        table.index, pd.RangeIndex
    ):
        held = [i for i, name in enumerate(table.index.names) if name in table.columns]
        levels = table.index.nlevels - len(held)
        # Behind the others, among which there may be names of the rows; a level that is a column
        # as well says nothing more.
        if not levels:
            table = table.reset_index(drop=True)
        else:
            table = (table.reset_index(level=held, drop=True) if held else table).reset_index()
            table = table[[*table.columns[levels:], *table.columns[:levels]]]
    if not table.shape[1]:
        raise DataError(f"{path} has no columns: save a table with features")
    names = [str(name) for name in table.columns]
    table.columns = pd.Index(text_tables.name_columns(names, table.shape[1], path))
    table.attrs["index"] = table.columns[table.shape[1] - levels :].tolist()
    return spread_lists(table, path)
