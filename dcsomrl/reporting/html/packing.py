"""Arrays as the script of a page reads them: names as lists, numbers and pictures as base64."""

import base64
import io
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dcsomrl.reporting.html.answers import Comparison
from dcsomrl.reporting.html.content import Explorer, Pixels


def write_data(packed: Mapping[str, Any]) -> str:
    """A script element that holds data."""
    # "<" and ">" only occur inside strings, where their escapes mean the same; so no name can end
    # the script element.
    data = json.dumps(packed, separators=(",", ":"), allow_nan=False)
    data = data.replace("<", "\\u003c").replace(">", "\\u003e")
    return f'<script type="application/json">{data}</script>'


def pack_comparison(comparison: Comparison) -> dict[str, Any]:
    """What the comparison of two clusters reads."""
    return {
        "names": comparison.names,
        "sizes": _pack_array(comparison.sizes, "i4"),
        "border_counts": _pack_array(comparison.border, "i4"),
        "pictures": _pack_sheet(comparison.pictures),
        "means": _pack_array(comparison.means, "f4"),
        "deviation": _pack_array(comparison.deviation, "f4"),
    }


def pack_explorer(explorer: Explorer) -> dict[str, Any]:
    """What the explorable map reads."""
    return {
        "class_names": explorer.class_names,
        "relevance_names": explorer.relevance_names,
        "feature_names": explorer.feature_names,
        "per_node": explorer.nearest_rows.shape[1],
        "node_xy": _pack_array(explorer.node_xy, "f4"),
        "edges": _pack_array(explorer.edges, "i4"),
        "strength": _pack_array(explorer.strength, "f4"),
        "slots": _pack_array(explorer.slots, "i4"),
        "wins": _pack_array(explorer.wins, "i4"),
        "activation": _pack_array(explorer.activation, "f4"),
        "node_class": _pack_array(explorer.node_class, "i4"),
        "purity": _pack_array(explorer.purity, "f4"),
        "point_xy": _pack_array(explorer.point_xy, "f4"),
        "point_node": _pack_array(explorer.point_node, "i4"),
        "point_activation": _pack_array(explorer.point_activation, "f4"),
        "point_class": _pack_array(explorer.point_class, "i4"),
        "relevances": _pack_array(explorer.relevances, "f4"),
        "profiles": _pack_array(explorer.profiles, "f4"),
        "levels": _pack_array(explorer.levels, "f4"),
        "nearest_rows": _pack_array(explorer.nearest_rows, "i4"),
        "nearest_distance": _pack_array(explorer.nearest_distance, "f4"),
        "tiles": _pack_sheet(explorer.tiles),
        "nearest": _pack_sheet(explorer.nearest),
        "disturbed": _pack_sheet(explorer.disturbed),
    }


def _pack_array(array: NDArray[np.generic] | None, kind: str) -> dict[str, str] | None:
    """Little-endian bytes in base64; whole numbers in two bytes where they fit."""
    if array is None:
        return None
    if kind == "i4" and (array.size == 0 or np.abs(array).max() < 2**15):
        kind = "i2"
    flat = np.ascontiguousarray(array, dtype=f"<{kind}")
    return {"type": kind, "data": base64.b64encode(flat.tobytes()).decode("ascii")}


def _pack_sheet(images: Pixels | None) -> dict[str, Any] | None:
    """All images, (..., h, w, c), row by row in one PNG."""
    if images is None or images.size == 0:
        return None
    height, width, channels = images.shape[-3:]
    count = math.prod(images.shape[:-3])
    columns = math.ceil(math.sqrt(count * height / width))
    rows = math.ceil(count / columns)
    cells = np.zeros((rows * columns, height, width, channels), dtype=np.uint8)
    cells[:count] = images.reshape(count, height, width, channels)
    grid = cells.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    pixels = grid.reshape(rows * height, columns * width, channels)
    file = io.BytesIO()
    Image.fromarray(pixels[..., 0] if channels == 1 else pixels).save(file, "PNG", optimize=True)
    return {
        "png": base64.b64encode(file.getvalue()).decode("ascii"),
        "width": width,
        "height": height,
        "columns": columns,
    }
