"""What is doubtful in a training part: copies, and codes in images and in rows of a stream."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dcsomrl.data.codes import warn_of_codes
from dcsomrl.data.notes import note
from dcsomrl.data.splits import Splits
from dcsomrl.data.streams import Stream
from dcsomrl.data.written_numbers import warn_of_dates
from dcsomrl.errors import DataError

# Rows of a stream, spaced, beside which the least and the greatest of all may lie far away.
LOOKED_AT = 4096
# Samples that are held against each other, at least and at most.
FEWEST, MOST = 10, 20_000


def warn_of_doubtful(splits: Splits, sample: Tensor, notes: list[str], origin: str) -> None:
    """Note samples that are mostly copies, and codes and dates where no table was read.

    Args:
        splits: the raw samples.
        sample: what :meth:`Splits.draw_training_sample` gives.
        notes: gets a sentence on each.
        origin: what messages call the samples.
    """
    x = splits.arrays.train_x
    if not isinstance(x, Stream):
        _warn_of_copies(sample, notes, origin)
    if not sample.is_floating_point():
        return
    if isinstance(x, Stream):
        _look_at_stream(splits, x, notes, origin)
    elif sample.ndim == 4:
        _look_at_images(splits, sample, notes, origin)


def _warn_of_copies(sample: Tensor, notes: list[str], origin: str) -> None:
    """Note samples (n, *shape) of which most are the same as others, as neighbours then are."""
    rows = np.ascontiguousarray(sample[:: -(-len(sample) // MOST)].numpy())
    different = len({blake2b(row, digest_size=8).digest() for row in rows})
    if len(rows) >= FEWEST and 1 < different < len(rows) / 2:
        note(
            notes,
            f"{origin}: {len(rows) - different:,} of {len(rows):,} training samples are the same "
            "as others: leave the copies out, unless each is to count",
        )


def _look_at_images(splits: Splits, sample: Tensor, notes: list[str], origin: str) -> None:
    """Note codes in a channel of images (n, channels, height, width)."""
    channels = sample.numpy().swapaxes(0, 1)

    def call_first(channel: int, code: float) -> str:
        place = next(i for i, image in enumerate(channels[channel]) if (image == code).any())
        row = splits.training_sample_rows[place]
        about = splits.arrays.train_about
        return _call_sample({} if about is None else about.iloc[int(row)], int(row))

    remedy = "save NaN in arrays, or give such pixels a value that lies among the others"
    names = [str(i) for i in range(len(channels))]
    warn_of_codes(channels, names, origin, call_first, notes, "channel", remedy)


def _look_at_stream(splits: Splits, x: Stream, notes: list[str], origin: str) -> None:
    """Note codes and dates in the columns of a stream, by some of its rows and its bounds."""
    assert splits.summary is not None
    some = x[splits.choose_spaced_rows("train", LOOKED_AT)]
    given = splits.arrays.feature_names
    names = [str(i) for i in range(some.shape[1])] if given is None else given
    warn_of_dates(some.double().numpy(), names, given is not None, origin, notes)

    def call_first(column: int, code: float) -> str:
        seen = 0
        for part in x.read_blocks("train"):
            hits = (part[:, column] == code).nonzero()
            if len(hits):
                row = seen + int(hits[0])
                about = splits.about("train", torch.tensor([row]))
                assert about is not None
                return _call_sample(about.iloc[0], row)
            seen += len(part)
        raise AssertionError  # the code is one of the bounds

    _refuse_large(splits.summary.bounds.double().numpy(), names, origin)
    values = torch.cat([splits.summary.bounds.to(some), some]).numpy()
    remedy = "leave such rows out of the files, or put a number in its place that lies among others"
    warn_of_codes(np.moveaxis(values, 1, 0), names, origin, call_first, notes, remedy=remedy)


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


def _call_sample(about: Any, row: int) -> str:
    """What messages call a sample, by what stands beside it."""
    known = [f"{name} {about[name]}" for name in ("file", "row") if name in about]
    return ", ".join(known) or f"row {row}"
