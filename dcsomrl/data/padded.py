"""Whole numbers that are written with zeros in front, as codes are and no amounts."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from dcsomrl.data.text_files import Text

PADDED = re.compile(r"\s*0[0-9]+\s*")
# Fields that are held as text at once.
CELLS = 1_000_000


def find_padded(texts: Iterable[Any]) -> int | None:
    """The place of the first text that is a whole number with zeros in front; None for none."""
    return next(
        (i for i, one in enumerate(texts) if isinstance(one, str) and PADDED.fullmatch(one)), None
    )


def find_padded_fields(
    text: Text, form: Mapping[str, Any], table: pd.DataFrame, verbatim: Sequence[str]
) -> dict[str, tuple[int, str]]:
    """The first number with zeros in front, and its row, of every column of whole numbers.

    The file is read again, a part at a time, only where there can be some.

    Args:
        text: the file.
        form: how pandas reads it.
        table: as it was read.
        verbatim: columns that stay as they stand.
    """
    names = [str(name) for name in table if name not in verbatim and _is_whole(table[name])]
    before = r"(?<![0-9.,])" if form["decimal"] == "," else r"(?<![0-9.])"
    begun = re.compile(before + "0[0-9]")
    with text.open() as file:
        parts = iter(lambda: file.read(1 << 20), "")
        if not names or not any(begun.search(part) for part in parts):
            return {}
    found: dict[str, tuple[int, str]] = {}
    rows = max(1000, CELLS // len(names))
    with text.open() as file:
        for part in pd.read_csv(file, dtype=str, usecols=names, chunksize=rows, **form):
            for name in [name for name in names if name not in found]:
                padded = part[name].str.fullmatch(PADDED.pattern).to_numpy(bool, na_value=False)
                if padded.any():
                    place = int(padded.argmax())
                    found[name] = int(part.index[place]), part[name].iloc[place]
    return found


def _is_whole(column: pd.Series) -> bool:
    """Whether all numbers of a column that are there are whole."""
    values = column.dropna() if column.dtype.kind == "f" else column
    return values.dtype.kind in "iu" or (values.dtype.kind == "f" and bool((values % 1 == 0).all()))
