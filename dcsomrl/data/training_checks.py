"""What is doubtful in a training part in memory: copies, and codes in images."""

from hashlib import blake2b
from typing import Any

import numpy as np
from torch import Tensor

from dcsomrl.data.codes import warn_of_codes
from dcsomrl.data.notes import note
from dcsomrl.data.splits import Splits

# Samples that are held against each other, at least and at most.
FEWEST, MOST = 10, 20_000


def warn_of_doubtful(splits: Splits, sample: Tensor, notes: list[str], origin: str) -> None:
    """Note samples that are mostly copies, and codes in images.

    Those of a stream are looked at by :func:`dcsomrl.data.stream_checks.look_at_stream`.

    Args:
        splits: the raw samples.
        sample: what :meth:`Splits.draw_training_sample` gives.
        notes: gets a sentence on each.
        origin: what messages call the samples.
    """
    warn_of_copies(sample, notes, origin)
    if sample.is_floating_point() and sample.ndim == 4:
        _look_at_images(splits, sample, notes, origin)


def warn_of_copies(sample: Tensor, notes: list[str], origin: str) -> None:
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
        return call_sample({} if about is None else about.iloc[int(row)], int(row))

    remedy = "save NaN in arrays, or give such pixels a value that lies among the others"
    names = [str(i) for i in range(len(channels))]
    warn_of_codes(channels, names, origin, call_first, notes, "channel", remedy)


def call_sample(about: Any, row: int) -> str:
    """What messages call a sample, by what stands beside it."""
    known = [f"{name} {about[name]}" for name in ("file", "row") if name in about]
    return ", ".join(known) or f"row {row}"
