"""Columns of numbers some of whose fields are none: gaps in words, and numbers with marks."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from dcsomrl.data.columns import as_numbers, as_text
from dcsomrl.data.constant import list_some
from dcsomrl.data.large_integers import check_told_apart
from dcsomrl.data.notes import note
from dcsomrl.data.text_tables import choose_number_pattern

# Words, in small letters, that say among numbers that there is none. In a column of text they are
# values like others.
GAPS = frozenset(
    (
        *("-", "--", "---", "\u2013", "\u2014", "\u2212", ".", "..", "*", "na", "n.a", "n.a."),
        *("n/a", "n.s.", "nan", "-nan", "nat"),
        *("none", "nil", "null", "missing", "unknown", "empty", "#n/a", "#na", "#div/0!"),
        *("#value!", "#ref!", "#num!", "#null!", "#name?", "1.#ind", "-1.#ind", "1.#qnan"),
        *("-1.#qnan", "(null)", "[null]", "<null>", "\\n", "(blank)", "k.a.", "k. a.", "n.d."),
        *("#nv", "#n/d", "#wert!", "#bezug!", "#zahl!"),
    )
)
# Numbers as they are written for people: with a unit of money or per cent, with marks between
# thousands, a long minus, one behind or brackets in its place, or as Fortran writes powers of ten.
MARKED = re.compile(
    r"\(?[+\-\u2212]?\s*([$\u20ac\u00a3\u00a5]|[A-Z]{3}\s)?\s*"
    r"([0-9]+|[0-9]{1,3}([ ,.'\u2019\u00a0\u202f][0-9]{2,3})*[ ,.'\u2019\u00a0\u202f][0-9]{3})"
    r"([.,][0-9]+)?([dD][+-]?[0-9]+)?\s*([%$\u20ac\u00a3\u00a5]|\s[A-Z]{3})?[-)]?"
)


class Odd(NamedTuple):
    """Fields that are not a number in a column that is otherwise of numbers.

    Attributes:
        place: of the first one, from 0.
        text: what stands there.
        more: how many further ones there are.
    """

    place: int
    text: str
    more: int


def read_numbers(
    column: pd.Series, decimal: str, path: Path, where: Sequence[str], notes: list[str]
) -> pd.Series | None:
    """A column as numbers, NaN where one is missing; None where it holds something else.

    Args:
        column: (n,) of a table.
        decimal: the mark of decimals.
        path: what messages call the table.
        where: what they call each row.
        notes: gets a sentence on words that are taken as missing, see :data:`GAPS`.

    Raises:
        DataError: integers are so large that floats hardly tell them apart.
    """
    if column.dtype.kind in "iu":
        check_told_apart(column.dropna().to_numpy(f"{column.dtype.kind}8"), path)
    numbers = as_numbers(column, decimal)
    if numbers is not None or isinstance(column.dtype, pd.CategoricalDtype):
        return numbers
    words = as_text(column).map(lambda one: one.strip().lower(), na_action="ignore")
    gaps = words.isin(GAPS).to_numpy()
    if not gaps.any() or column[~gaps].isna().all():
        return None
    numbers = as_numbers(column.mask(gaps), decimal)
    if numbers is not None:
        found = list_some(sorted(set(as_text(column[gaps]))))
        note(
            notes,
            f"{path}: {int(gaps.sum())} values of column {column.name} are taken as missing "
            f"({found}, the first in {where[int(gaps.argmax())]})",
        )
    return numbers


def find_odd(column: pd.Series, decimal: str) -> Odd | None:
    """What is not a number in a column most of whose values are numbers, plain or with marks."""
    text = as_text(column)
    given = text.notna().to_numpy()
    words = [one.strip() if isinstance(one, str) else "" for one in text]
    number = choose_number_pattern(decimal)
    plain = np.array([bool(number.fullmatch(one)) for one in words])
    marked = np.array([bool(MARKED.fullmatch(one)) for one in words])
    odd = given & ~plain
    if not odd.any() or 2 * (plain | marked).sum() <= given.sum():
        return None
    place = int(odd.argmax())
    return Odd(place, str(text.iloc[place]), int(odd.sum()) - 1)
