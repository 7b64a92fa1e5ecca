"""Data frames from Python, of pandas and of what converts to it, with names that are text."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from dcsomrl.data.columns import spread_lists
from dcsomrl.data.objects import refuse_masked, to_array
from dcsomrl.data.roles import join_levels
from dcsomrl.data.text_tables import check_names
from dcsomrl.errors import DataError, shorten

# What messages call them.
FRAME = Path("the data")


def to_frame(given: Any, what: str) -> pd.DataFrame | None:
    """A data frame of pandas with the same columns; None of what has no columns with names.

    Args:
        given: a data frame of pandas, Polars or another library that converts to pandas, a table
            of Arrow, or a structured array.
        what: what messages call it, in the plural.

    Raises:
        DataError: it cannot be converted.
    """
    if isinstance(given, pd.DataFrame):
        frame = given.copy(deep=False)
        frame.attrs = {}  # the reader of files leaves notes of its own there
        return frame
    if isinstance(given, np.ndarray) and given.dtype.names is not None:
        refuse_masked(given, what)
        if given.ndim != 1:
            raise DataError(
                f"{what} are a structured array of shape {given.shape}: give one of shape (n,)"
            )
        fields = {name: np.asarray(given[name]) for name in given.dtype.names}
        return pd.DataFrame(
            {name: one if one.ndim == 1 else list(one) for name, one in fields.items()}
        )
    if isinstance(given, type) or not (hasattr(given, "to_pandas") and hasattr(given, "columns")):
        return None
    try:
        frame = given.to_pandas()
    except Exception as error:  # each library raises kinds of its own
        raise DataError(
            f"{what} are a {type(given).__name__} that does not convert to pandas "
            f"({shorten(error)}): give a data frame of pandas"
        ) from error
    return frame if isinstance(frame, pd.DataFrame) else None


def tidy_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """The same with names that are text, and a column for each element of lists in cells.

    Names of several levels are joined by points.

    Raises:
        DataError: two columns have one name, or lists of a column differ in length.
    """
    names = [join_levels(name) for name in frame.columns]
    check_names(names, FRAME)
    frame = frame.set_axis(pd.Index(names, dtype=object), axis=1)
    changed = {name: _open_cells(frame[name]) for name in names if frame[name].dtype == object}
    try:
        return spread_lists(frame.assign(**changed), FRAME)
    except DataError:
        raise
    except (ValueError, TypeError) as error:
        raise DataError(
            f"{FRAME} has a column of lists that cannot be spread ({shorten(error)}): give every "
            "row a list of as many numbers, or leave the column out by `ignore`"
        ) from error


def holds_array(cell: Any) -> bool:
    """Whether a cell holds numbers in something else than a list: a tensor, a column, a scalar."""
    return isinstance(cell, Tensor | pd.Series) or (isinstance(cell, np.ndarray) and cell.ndim == 0)


def _open_cells(column: pd.Series) -> pd.Series:
    """A column of objects with arrays in the place of tensors and of columns in its cells."""
    first = column.dropna().head(1)
    if not len(first) or not holds_array(first.iloc[0]):
        return column

    def open_one(one: Any) -> Any:
        if not holds_array(one):
            return one
        found = to_array(one, f"cells of column {column.name}")
        return found if found.ndim else found.item()

    return pd.Series([open_one(one) for one in column], column.index, object, column.name)
