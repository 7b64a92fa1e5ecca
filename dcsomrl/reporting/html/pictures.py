"""The figures of a page, as SVG within it."""

import re
from collections.abc import Sequence
from html import escape

from dcsomrl.reporting.html.content import Picture, RunPage

# Pictures of a larger ratio of width to height take both columns.
WIDE = 2.4
PAPER = (
    "Shaping latent representations using Self-Organizing Maps with Relevance Learning, submitted "
    "to ICLR 2022"
)


def make_pictures(runs: Sequence[RunPage], question: str = "") -> str:
    """Figures of a question; those of one name in one row where there are several runs.

    Args:
        runs: of the page.
        question: a key of :data:`~dcsomrl.reporting.html.answers.QUESTIONS`, or empty for the
            figures of none, which have a list of contents.
    """
    names = list(
        dict.fromkeys(
            picture.name for run in runs for picture in run.pictures if picture.question == question
        )
    )
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
    if not question and any(picture.source for run in runs for picture in run.pictures):
        shown += f'<p class="quiet cited">The paper: {PAPER}.</p>'
    listed = len(links) > 2 and not question
    return (f'<ul class="contents">{"".join(links)}</ul>' if listed else "") + shown


def _read_ratio(picture: Picture) -> float:
    """Width over height, 1 where the SVG does not say."""
    box = re.search(r'viewBox="[\d.-]+ [\d.-]+ ([\d.]+) ([\d.]+)"', picture.svg)
    return float(box[1]) / float(box[2]) if box else 1.0


def _make_figure(picture: Picture, label: str, prefix: str) -> str:
    caption = escape(picture.caption)
    if picture.source:
        caption += f" <small>After {escape(picture.source)} of the paper.</small>"
    if label:
        caption = f"<b>{escape(label)}.</b> {caption}"
    return (
        f'<figure><div class="sheet" id="{prefix}sheet" role="region" tabindex="0" '
        f'aria-label="{escape(picture.title)}">{inline_svg(picture, prefix)}</div>'
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
