"""The columns of a table that are features: chosen by their roles, or as a training had them."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dcsomrl.data.columns import as_text, encode_one_hot, mark_value, tell_kind
from dcsomrl.data.constant import list_some
from dcsomrl.data.labels import warn_of_labels
from dcsomrl.data.notes import note
from dcsomrl.data.odd_numbers import find_odd, read_numbers
from dcsomrl.data.padded import find_padded
from dcsomrl.data.roles import Roles
from dcsomrl.data.row_names import find_nameless, warn_of_counting
from dcsomrl.data.separators import COMMA
from dcsomrl.data.text_tables import choose_number_pattern
from dcsomrl.data.variants import warn_of_variants
from dcsomrl.errors import DataError

# A point among digits, where decimals have a comma.
POINTED = re.compile(r"[0-9]\.[0-9]")


def take_features(
    table: pd.DataFrame,
    roles: Roles,
    path: Path,
    where: Sequence[str],
    notes: list[str],
    learned: list[str] | None,
) -> tuple[pd.DataFrame, list[str]]:
    """Columns of numbers, and the names of those that have no role.

    Args:
        table: with a name for every column.
        roles: of the columns, that of the rows' names included.
        path: what messages call the table.
        where: what they call each row.
        notes: gets a sentence on everything that was guessed or left out.
        learned: names of the features of a training, to be made here as well; None for a training.

    Raises:
        DataError: a column holds what is not a number, or there is none of features.
    """
    given = {roles.target, roles.id, *roles.keep}
    if learned is not None:
        features = _take_learned(table, learned, path, where, notes)
        sources = {name.rpartition("=")[0] or name for name in learned} | set(learned)
        return features, [one for one in table.columns.tolist() if one not in given | sources]
    if roles.columns is not None:
        candidates = list(roles.columns)
    else:
        nameless = find_nameless(table, [*given, *roles.ignore], path, notes)
        used = {*given, *roles.ignore, *nameless}
        candidates = [name for name in table.columns.tolist() if name not in used]
        warn_of_counting(table[candidates], path, notes)
        warn_of_labels(candidates, path, notes, roles.target is None)
    parts, words, dropped = [], [], []
    padded = dict(table.attrs.get("padded", {}))
    decimal = table.attrs.get("decimal", ".")
    for name in candidates:
        column = read_numbers(table[name], decimal, path, where, notes)
        if column is not None:
            parts.append(column.to_frame())
            texts = table[name].tolist() if table[name].dtype.kind not in "fiub" else []
            if (place := find_padded(texts)) is not None:
                padded[name] = f"{texts[place].strip()!r} in {where[place]}"
        elif roles.categories == "ignore":
            dropped.append(name)
        elif roles.categories == "onehot" and _is_category(table[name], decimal):
            encoded = encode_one_hot(table[name], path)
            values = [str(one).removeprefix(f"{name}=") for one in encoded]
            warn_of_variants(values, f"values of column {name}", path, notes)
            parts.append(encoded)
        else:
            words.append(name)
    if words:
        raise DataError(describe_words(table[words], path, where, roles))
    if dropped:
        note(notes, f"{path}: columns that are not numbers are left out: {list_some(dropped)}")
    if not parts:
        raise DataError(f"{path} has no column of features: check `target`")
    features = pd.concat(parts, axis=1)
    features.attrs["padded"] = padded
    names = features.columns.tolist()
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(
            f"{path} has a column {twice[0]}, as the values of a column of categories are called: "
            "rename it, or leave one of them out by `ignore`"
        )
    unused = [name for name in table.columns.tolist() if name not in {*given, *candidates}]
    return features, [*unused, *dropped]


def _take_learned(
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
            decimal = table.attrs.get("decimal", ".")
            numbers = read_numbers(table[name], decimal, path, where, notes)
            if numbers is None:
                raise DataError(describe_words(table[[name]], path, where))
            parts[name] = numbers
        elif column in table:
            parts[name] = mark_value(as_text(table[column]), value)
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


def describe_words(
    columns: pd.DataFrame, path: Path, where: Sequence[str], roles: Roles | None = None
) -> str:
    """What to say of columns that are not numbers: the first value that is none, and remedies.

    Without roles the columns are those of a training.
    """
    decimal = columns.attrs.get("decimal", ".")
    said = [
        _describe_column(columns[name], decimal, where) for name in columns.columns.tolist()[:8]
    ]
    number = choose_number_pattern(decimal)
    more = columns.shape[1] - len(said)
    found = f"{path} has columns that are not numbers: {', '.join(said)}"
    found += f" and {more} more" if more else ""
    odd = [one for name in columns if (one := find_odd(columns[name], decimal)) is not None]
    if number is COMMA and any(POINTED.search(one.text) for one in odd):
        found += " (numbers here have decimal commas: save them without marks of thousands)"
    elif number is not COMMA and any(COMMA.fullmatch(one.text) for one in odd):
        found += " (set `decimal=comma` if the comma marks decimals)"
    if roles is None:
        return f"{found}; make them numbers"
    remedies = ["make them numbers"]
    if odd and {(one.place, one.more) for one in odd} == {(odd[0].place, 0)}:
        remedies += [f"remove {where[odd[0].place]} if it is not a sample, as units or totals are"]
    remedies += ["leave them out by `ignore`"]
    remedies += [] if roles.target else ["name the labels' column by `target`"]
    remedies += [] if roles.id else ["the one that names the rows by `id`"]
    texts = any(_is_category(columns[name], decimal) for name in columns)
    remedies += ["set `categories=onehot`"] if texts and roles.categories == "refuse" else []
    return f"{found}; {', '.join(remedies[:-1])}, or {remedies[-1]}"


def _is_category(column: pd.Series, decimal: str) -> bool:
    """Whether a column is of texts, and not of numbers some of which cannot be read."""
    return tell_kind(column) == "text" and find_odd(column, decimal) is None


def _describe_column(column: pd.Series, decimal: str, where: Sequence[str]) -> str:
    """The name of a column that is not of numbers, and what stands first in it that is none."""
    odd = find_odd(column, decimal)
    if odd is not None:
        more = f" and {odd.more} more" if odd.more else ""
        return f"{column.name} (numbers but for {odd.text[:40]!r} in {where[odd.place]}{more})"
    number = choose_number_pattern(decimal)
    words = [isinstance(text, str) and not number.fullmatch(text) for text in as_text(column)]
    first = int(np.argmax(words))
    return (
        f"{column.name} ({tell_kind(column)}, {str(column.iloc[first])[:40]!r} in {where[first]})"
    )
