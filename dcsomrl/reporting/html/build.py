"""One HTML file from what runs have to show; nothing in it is loaded from elsewhere."""

import base64
import io
import json
import math
import re
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dcsomrl.reporting.html.content import Explorer, Picture, Pixels, RunPage, check_run
from dcsomrl.reporting.html.sheet import make_sheet

SCRIPTS = ("data.js", "explorer.js", "details.js", "page.js")
ABSENT = "\N{EN DASH}"
# Pictures of a larger ratio of width to height take both columns.
WIDE = 2.4


def build_page(runs: Sequence[RunPage], title: str) -> str:
    """A whole HTML document on one run, or on several side by side.

    Args:
        runs: one at least.
        title: the page's heading.

    Raises:
        ValueError: no run, or parts of a run that do not fit each other.
    """
    if not runs:
        raise ValueError("a page needs at least one run.")
    for run in runs:
        check_run(run)
    sections = [
        ("Clusters", make_sheet(runs)),
        ("Remarks", _make_notes(runs)),
        *_make_explorers(runs),
        ("Pictures", _make_pictures(runs)),
        ("Numbers", _make_summary(runs)),
    ]
    sections = [(heading, content) for heading, content in sections if content]
    anchors = [f"part-{number}" for number in range(len(sections))]
    links = [
        f'<a href="#{anchor}">{escape(heading)}</a>'
        for anchor, (heading, _) in zip(anchors, sections, strict=True)
    ]
    parts = [
        f'<section id="{anchor}"><h2>{escape(heading)}</h2>{content}</section>'
        for anchor, (heading, content) in zip(anchors, sections, strict=True)
    ]
    return Template(_read_asset("page.html")).substitute(
        title=escape(title),
        css=_read_asset("page.css"),
        links="\n".join(links),
        body="\n".join(parts),
        script="".join(_read_asset(name) for name in SCRIPTS),
    )


def _read_asset(name: str) -> str:
    return files("dcsomrl.reporting.html").joinpath(name).read_text(encoding="utf-8")


def _make_summary(runs: Sequence[RunPage]) -> str:
    """Measures as rows, one column per run, and what they say."""
    tables = [dict(run.summary) for run in runs]
    meanings = {name: text for run in runs for name, text in run.meanings.items()}
    measures = list(dict.fromkeys(measure for table in tables for measure in table))
    if not measures:
        return ""
    head = "".join(f'<th scope="col">{escape(run.title)}</th>' for run in runs)
    head += '<th scope="col">what it says</th>' if meanings else ""
    rows = [
        f'<tr><th scope="row">{escape(measure)}</th>'
        + "".join(f"<td>{escape(table.get(measure, ABSENT))}</td>" for table in tables)
        + (f'<td class="says">{escape(meanings.get(measure, ""))}</td>' if meanings else "")
        + "</tr>"
        for measure in measures
    ]
    return (
        '<div class="scroll" role="region" aria-label="Numbers" tabindex="0">'
        f'<table class="summary"><thead><tr><td></td>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _make_notes(runs: Sequence[RunPage]) -> str:
    """Sentences, each behind its run's name unless it is true of all, and then only once."""
    shared = [note for note in runs[0].notes if all(note in run.notes for run in runs)]
    lines = [
        f"<li><b>{escape(run.title)}:</b> {escape(note)}</li>"
        for run in runs
        for note in run.notes
        if note not in shared
    ]
    lines += [f"<li>{escape(note)}</li>" for note in shared]
    return f'<ul class="notes">{"".join(lines)}</ul>' if lines else ""


def _make_explorers(runs: Sequence[RunPage]) -> list[tuple[str, str]]:
    """Heading and content of each run's explorer; the script fills the content."""
    if all(run.explorer is None for run in runs):
        return []
    sections = []
    for run in runs:
        heading = "Map" if len(runs) == 1 else f"Map: {run.title}"
        content = '<p class="quiet">This run has no map to explore.</p>'
        if run.explorer is not None:
            # "<" and ">" only occur inside strings, where their escapes mean the same; so no
            # name can end the script element.
            data = json.dumps(pack(run.explorer), separators=(",", ":"), allow_nan=False)
            data = data.replace("<", "\\u003c").replace(">", "\\u003e")
            content = (
                f'<div class="explorer" role="group" aria-label="{escape(heading)}">'
                f'<script type="application/json">{data}</script></div>'
            )
        sections.append((heading, content))
    return sections


def pack(explorer: Explorer) -> dict[str, Any]:
    """What the page's script reads: names as lists, arrays as base64, pictures as sheets."""
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


def _make_pictures(runs: Sequence[RunPage]) -> str:
    """Figures; those of one name in one row where there are several runs."""
    names = list(dict.fromkeys(picture.name for run in runs for picture in run.pictures))
    blocks, links = [], []
    for name in names:
        figures, heading = [], ""
        for number, run in enumerate(runs):
            at = {picture.name: index for index, picture in enumerate(run.pictures)}
            if name in at:
                picture = run.pictures[at[name]]
                heading = heading or picture.title
                label = run.title if len(runs) > 1 else ""
                figures.append(_make_figure(picture, label, f"r{number}p{at[name]}-"))
            else:
                figures.append(f'<p class="quiet lacking">{escape(run.title)} has none.</p>')
        row = f'<div class="figures">{"".join(figures)}</div>'
        wide = len(runs) == 1 and _read_ratio(runs[0].pictures[at[name]]) > WIDE
        kind = ' class="wide"' if wide else ""
        blocks.append(f'<div{kind}><h3 id="picture-{name}">{escape(heading)}</h3>{row}</div>')
        links.append(f'<li><a href="#picture-{name}">{escape(heading)}</a></li>')
    if not blocks:
        return ""
    shown = f'<div class="{"pairs" if len(runs) > 1 else "pictures"}">{"".join(blocks)}</div>'
    return (f'<ul class="contents">{"".join(links)}</ul>' if len(links) > 2 else "") + shown


def _read_ratio(picture: Picture) -> float:
    """Width over height, 1 where the SVG does not say."""
    box = re.search(r'viewBox="[\d.-]+ [\d.-]+ ([\d.]+) ([\d.]+)"', picture.svg)
    return float(box[1]) / float(box[2]) if box else 1.0


def _make_figure(picture: Picture, label: str, prefix: str) -> str:
    caption = escape(picture.caption)
    if label:
        caption = f"<b>{escape(label)}.</b> {caption}"
    return (
        f'<figure><div class="sheet" id="{prefix}sheet">{inline_svg(picture, prefix)}</div>'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def inline_svg(picture: Picture, prefix: str) -> str:
    """The picture's SVG, fit to stand in an HTML document beside others.

    Args:
        picture: its text is an SVG file.
        prefix: is put before every id and every reference to one.

    Raises:
        ValueError: the text holds no SVG element.
    """
    found = re.search(r"<svg\b.*</svg>", picture.svg, re.DOTALL)
    if found is None:
        raise ValueError(f"the picture {picture.name!r} holds no <svg> element.")
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", found[0], flags=re.DOTALL)
    svg = re.sub(r'(\s(?:xml:)?id=")', rf"\g<1>{prefix}", svg)
    svg = re.sub(r'(\bhref="#|url\(#)', rf"\g<1>{prefix}", svg)
    # A style element inside an SVG holds for the whole HTML document.
    svg = re.sub(r"\*\s*\{", f"#{prefix}sheet svg *{{", svg)
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(picture.title)}"', 1)
