"""Where images in arrays have their channels."""

import logging
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dcsomrl.data.notes import note
from dcsomrl.errors import DataError

log = logging.getLogger(__name__)

Layout = Literal["auto", "channels_first", "channels_last"]
# Channels by whose number images are told whose channels come last.
CHANNELS = (1, 3, 4)


def put_channels_first(
    x: NDArray[Any], layout: Layout, path: Path, notes: list[str]
) -> NDArray[Any]:
    """Images (n, channels, height, width), of which those without a channel get one.

    Args:
        x: (n, features), which stay as they are, or (n, height, width), or images with channels.
        layout: where they have their channels, told from the shape by ``auto``.
        path: what messages call them.
        notes: gets a sentence on axes that may be others than they are taken for.

    Raises:
        DataError: there is no such layout.
    """
    if layout not in ("auto", "channels_first", "channels_last"):
        raise DataError(
            f"`layout` must be auto, channels_first or channels_last, got {layout}: set one of them"
        )
    if x.ndim == 3:
        is_bytes = x.dtype == np.uint8
        if is_bytes and x.shape[2] in CHANNELS[1:] and min(x.shape[:2]) > 2 * max(CHANNELS):
            note(
                notes,
                f"{path}: {x.shape[0]} images of {x.shape[1]} x {x.shape[2]} are read; if it is "
                f"one picture of {x.shape[2]} colours, give several, as np.stack makes of them",
            )
        return x[:, None]
    if x.ndim == 2 or layout == "channels_first":
        return x
    last = x.shape[3] in CHANNELS and min(x.shape[1:3]) > max(CHANNELS)
    if layout == "auto" and last:
        log.info(
            "%s: images of %d channels, which come last; set `layout` if that is not so",
            path,
            x.shape[3],
        )
    if layout == "auto" and not last and x.shape[1] > max(CHANNELS) and x.shape[3] < x.shape[1]:
        channels, height, width = x.shape[1:]
        note(
            notes,
            f"{path}: images of shape {x.shape[1:]} are read as {channels} channels of {height} x "
            f"{width}; set `layout` if the channels come last",
        )
    elif layout == "auto" and not last and _may_come_last(x):
        note(
            notes,
            f"{path}: {len(x)} images of shape {x.shape[1:]} are read; if samples come last, as "
            "MATLAB writes them, save np.moveaxis(x, 3, 0)",
        )
    return np.moveaxis(x, 3, 1) if last or layout == "channels_last" else x


def _may_come_last(x: NDArray[Any]) -> bool:
    """Whether images are as wide as others have channels, so that samples may be the last axis."""
    return x.shape[2] in CHANNELS and min(x.shape[0], x.shape[1], x.shape[3]) > max(CHANNELS)
