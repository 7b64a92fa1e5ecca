"""The roles of a table's columns: features, labels, names of rows, kept or left out."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from numbers import Real
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from dcsomrl.errors import DataError

Categories = Literal["refuse", "ignore", "onehot"]
Missing = Literal["refuse", "drop", "median"]
# Columns as they are named: on the command line a name may look like a number, and one stand alone.
Name = str | int | float
Names = Name | Sequence[Name]
# Columns that results have, of a training and of predict, beside which none of the same name can
# stand.
RESULTS = re.compile(
    "index|split|row|id|file|sample|node|cluster|activation|second|distance|outlier"
    r"|(latent|membership)_\d+"
)


@dataclass(frozen=True)
class Roles:
    """What the columns of a table are.

    Attributes:
        target: column of the labels; None for no labels.
        id: column that names the rows; None for one whose name says so, or none.
        keep: columns that stand beside the results, and are not features.
        columns: features, in this order; None for all columns that have no other role.
        ignore: columns that are left out.
        categories: what becomes of columns of text: ``refuse``, ``ignore`` (they are left out), or
            ``onehot`` (a column of 0 and 1 for each of their values).
        missing: what becomes of missing values: ``refuse``, ``drop`` (the row is left out), or
            ``median`` (of the column's values in the training part).
        lenient: whether `id` and `keep`, which are those of a training, may be absent.

    Raises:
        DataError: a role is given by what names no column.
    """

    target: str | None = None
    id: str | None = None
    keep: Sequence[str] = ()
    columns: Sequence[str] | None = None
    ignore: Sequence[str] = ()
    categories: Categories = "refuse"
    missing: Missing = "refuse"
    lenient: bool = False

    def __post_init__(self) -> None:
        for key in ("target", "id"):
            given = getattr(self, key)
            name = None if given is None else read_name(given, key)
            object.__setattr__(self, key, name)
        for key in ("keep", "columns", "ignore"):
            given = getattr(self, key)
            if given is not None or key != "columns":
                object.__setattr__(self, key, read_names(given, key))

    def adapt_to(self, table: pd.DataFrame) -> "Roles":
        """The same for a table, in which a column of lists has become several.

        What a training kept and the table lacks has no role; see :meth:`list_lacking`.
        """
        spread = table.attrs.get("spread", {})

        def named(names: Sequence[str]) -> tuple[str, ...]:
            return tuple(one for name in names for one in spread.get(name, [name]))

        columns = None if self.columns is None else named(self.columns)
        roles = replace(self, keep=named(self.keep), columns=columns, ignore=named(self.ignore))
        if not self.lenient:
            return roles
        keep = tuple(name for name in roles.keep if name in table)
        return replace(roles, id=self.id if self.id in table else None, keep=keep)

    def list_beside(self) -> list[str]:
        """The columns of labels and names of rows, and those that are kept."""
        given = [name for name in (self.target, self.id, *self.keep) if name is not None]
        return list(dict.fromkeys(given))

    def list_lacking(self, columns: Collection[str]) -> list[str]:
        """What a training kept beside its results and is not among these columns."""
        kept = [name for name in (self.id, *self.keep) if name is not None]
        return [name for name in kept if name not in columns] if self.lenient else []


def make_roles(
    target: Name | None,
    id: Name | None,
    keep: Names,
    columns: Names | None,
    ignore: Names,
    categories: Categories,
    missing: Missing,
) -> Roles:
    """The roles that settings give; see :class:`Roles`.

    Raises:
        DataError: one is given by what names no column.
    """
    return Roles(
        None if target is None else read_name(target, "target"),
        None if id is None else read_name(id, "id"),
        read_names(keep, "keep"),
        None if columns is None else read_names(columns, "columns"),
        read_names(ignore, "ignore"),
        categories,
        missing,
    )


def refuse_roles(roles: Roles, path: Path) -> None:
    """Refuse settings that name columns, where a file of arrays has none.

    Raises:
        DataError: there is such a setting.
    """
    if roles.target is not None:
        raise DataError(
            f"{path} has no columns, and so no column {roles.target}: set `target=None`; an npz "
            "holds its labels as y"
        )
    for name in () if roles.lenient else ("id", "keep", "columns", "ignore"):
        if given := getattr(roles, name):
            raise DataError(
                f"{path} holds arrays, which have no named columns: leave out `{name}`, got {given}"
            )


def check_roles(roles: Roles) -> None:
    """Refuse settings that no table can be read by.

    Raises:
        DataError: `categories` or `missing` is unknown, a kept column is called as one of the
            results, or a column has roles that exclude each other.
    """
    for name, known in (
        ("categories", ("refuse", "ignore", "onehot")),
        ("missing", ("refuse", "drop", "median")),
    ):
        if getattr(roles, name) not in known:
            raise DataError(
                f"`{name}` must be one of {', '.join(known)}, got {getattr(roles, name)}"
            )
    if taken := [name for name in roles.keep if RESULTS.fullmatch(name)]:
        raise DataError(
            f"results have a column {taken[0]} of their own: give the column that `keep` names "
            "another name, or leave it out of `keep`"
        )
    check_exclusive(roles)


def check_exclusive(roles: Roles) -> None:
    """Refuse roles of one column that exclude each other, and a feature that is named twice.

    Raises:
        DataError: there is such a column.
    """
    features = list(roles.columns or ())
    if twice := sorted({name for name in features if features.count(name) > 1}):
        raise DataError(f"`columns` names {twice[0]} more than once: name every feature once")
    given = {"target": [roles.target], "id": [roles.id], "keep": roles.keep, "columns": features}
    for key, names in given.items():
        if both := [name for name in names if name is not None and name in roles.ignore]:
            raise DataError(
                f"`{key}` and `ignore` both name {both[0]}, which is either used or left out: take "
                "it out of one of them"
            )
    if roles.target in features:
        raise DataError(
            f"`columns` names {roles.target}, the `target`, and labels are never trained on: take "
            "it out of one of them"
        )


def join_levels(name: Any) -> str:
    """The name of a column as text, the levels of one with several joined by points.

    Empty where there is none.
    """
    levels = name if isinstance(name, tuple) else (name,)
    given = [str(one) for one in levels if not (one is None or one is pd.NA or one != one)]
    return ".".join(one for one in given if one)


def read_name(given: Any, key: str) -> str:
    """The name of one column as text.

    Args:
        given: a text, a number, or a tuple of the levels of a name.
        key: the role, which messages call it by.

    Raises:
        DataError: it is not a name.
    """
    is_number = isinstance(given, Real) and not isinstance(given, bool) and given == given
    if not isinstance(given, str | tuple) and not is_number:
        raise DataError(f"`{key}` must be the name of one column, got {given!r}: give its name")
    return join_levels(given)


def read_names(given: Any, key: str) -> tuple[str, ...]:
    """Names of columns, or one that stands alone, as text.

    Raises:
        DataError: they are none.
    """
    if isinstance(given, str | Real):
        return (read_name(given, key),)
    if not isinstance(given, Iterable) or isinstance(given, Set | Mapping | bytes):
        raise DataError(
            f"`{key}` must be a list of names of columns, got {given!r}: give their names"
        )
    return tuple(read_name(name, key) for name in given)
