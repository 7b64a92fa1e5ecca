"""What is doubtful in the rows of a stream, of which some are looked at."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from dcsomrl.data.codes import warn_of_codes
from dcsomrl.data.row_checks import FEWEST, warn_of_equal_columns
from dcsomrl.data.row_names import say_counting
from dcsomrl.data.splits import Splits
from dcsomrl.data.streams import Stream
from dcsomrl.data.training_checks import call_sample, warn_of_copies
from dcsomrl.data.written_numbers import find_dates, warn_of_dates, warn_of_named_codes
from dcsomrl.errors import DataError

# Rows of a stream, spaced, beside which the least and the greatest of all may lie far away.
LOOKED_AT = 4096
# Rows, at most, of which it is by chance that a column rises.
MOST_SHORT = 10


def look_at_stream(splits: Splits, sample: Tensor, notes: list[str], origin: str) -> None:
    """Note what is doubtful in the columns of a stream, by some of its rows and its bounds.

    Args:
        splits: the raw samples.
        sample: (2, features) the least and the greatest of each.
        notes: gets a sentence on each.
        origin: what messages call the samples.

    Raises:
        DataError: integers are so large that floats hardly tell them apart.
    """
    x = splits.arrays.train_x
    assert isinstance(x, Stream)
    rows = splits.choose_spaced_rows("train", LOOKED_AT)
    some = x[rows]
    warn_of_copies(some, notes, origin)
    if not some.is_floating_point():
        return
    given = splits.arrays.feature_names
    names = [str(i) for i in range(some.shape[1])] if given is None else given
    numbers = some.double().numpy()
    warn_of_dates(numbers, names, given is not None, origin, notes)
    if len(numbers) >= FEWEST:
        warn_of_equal_columns(numbers, names, origin, notes)
    if given is not None:
        _warn_of_counting(numbers, x.locate(rows), names, origin, notes)
        warn_of_named_codes(numbers, names, {}, origin, notes)

    def call_first(column: int, code: float) -> str:
        seen = 0
        for part in x.read_blocks("train"):
            hits = (part[:, column] == code).nonzero()
            if len(hits):
                row = seen + int(hits[0])
                about = splits.about("train", torch.tensor([row]))
                assert about is not None
                return call_sample(about.iloc[0], row)
            seen += len(part)
        raise AssertionError  # the code is one of the bounds

    _refuse_large(sample.double().numpy(), names, origin)
    values = torch.cat([sample.to(some), some]).numpy()
    warn_of_codes(np.moveaxis(values, 1, 0), names, origin, call_first, notes)


def _warn_of_counting(
    x: NDArray[np.float64], where: pd.DataFrame, names: Sequence[str], origin: str, notes: list[str]
) -> None:
    """Note columns (n, features) that count the rows, or rise from each to the next.

    Args:
        x: some rows, in order.
        where: what :meth:`Stream.locate` says of them.
        names: of the columns.
        origin: what messages call the stream.
        notes: gets a sentence on each.
    """
    file = where["file"].to_numpy() if "file" in where else np.zeros(len(x), np.int64)
    within = file[1:] == file[:-1]
    if within.sum() < MOST_SHORT:
        return
    steps = np.diff(where["row"].to_numpy())[within]
    for name, column in zip(names, x.T, strict=True):
        rises = np.diff(column)[within]
        whole = (column % 1 == 0).all() and (rises > 0).all()
        if whole and find_dates(column) is None:
            say_counting(name, bool((rises == steps).all()), origin, notes)


def _refuse_large(bounds: NDArray[np.float64], names: Sequence[str], origin: str) -> None:
    """Refuse columns of such large numbers that floats of 64 bits hardly tell them apart.

    Args:
        bounds: (2, features) least and greatest of every column.
        names: of the columns.
        origin: what messages call the stream.

    Raises:
        DataError: there is such a column.
    """
    low, high = bounds
    grain = np.spacing(np.abs(bounds).max(0))
    for i in np.flatnonzero((grain > 1) & (high > low) & (high - low < 100 * grain)).tolist():
        raise DataError(
            f"{origin} holds numbers from {low[i]:.0f} to {high[i]:.0f} in column {names[i]}, "
            f"which floats of 64 bits round to multiples of {grain[i]:.0f}: subtract their least "
            "value first"
        )
