"""Pictures beside each other as one image of a page."""

import base64
import io
from html import escape

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# Height of a picture on the page, in its pixels.
SHOWN = 44


def draw_strip(pictures: NDArray[np.uint8], label: str) -> str:
    """Pictures (r, h, w, 1 or 3), r above 0, as an image element that says what it shows."""
    sheet = _join(pictures)
    image = Image.fromarray(sheet[..., 0] if sheet.shape[2] == 1 else sheet)
    width = round(image.width * SHOWN / image.height)
    kind = ' class="picture"' if image.height < SHOWN else ""
    if image.height > 2 * SHOWN:  # sharp on a fine screen, and no more to carry
        image = image.resize((2 * width, 2 * SHOWN))
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    text = base64.b64encode(file.getvalue()).decode("ascii")
    return (
        f'<img{kind} src="data:image/png;base64,{text}" width="{width}" height="{SHOWN}" '
        f'alt="{escape(label)}">'
    )


def _join(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(h, w, c) of all pictures beside each other, with a white gap between them."""
    gap = np.full((pictures.shape[1], max(1, pictures.shape[2] // 16), pictures.shape[3]), 255)
    parts = [part for picture in pictures for part in (picture, gap)]
    return np.concatenate(parts[:-1], axis=1).astype(np.uint8)
