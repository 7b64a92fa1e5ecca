"""The sheet of clusters as HTML."""

import base64
import io
from collections.abc import Sequence
from html import escape

import numpy as np
from PIL import Image

from dcsomrl.reporting.html.content import Cluster, Pixels, RunPage

# Sides of a picture on the page, in its pixels.
SHOWN = 44
MEANING = (
    "A row is a cluster, with its samples of the test split; that of the most training samples "
    "comes first. Clear are samples that are at least twice as near to a node of their cluster as "
    "to any of another: the fewer, the less sure is where it ends."
)
APART = (
    " A feature sets a cluster apart by how far its mean lies from that of all other samples, in "
    "deviations."
)


def make_sheet(runs: Sequence[RunPage]) -> str:
    """A table of the clusters of each run; empty where no run has any."""
    tables = []
    for run in runs:
        if not run.clusters:
            continue
        heading = f"<h3>{escape(run.title)}</h3>" if len(runs) > 1 else ""
        tables.append(heading + _make_table(run.clusters, f"Clusters of {run.title}"))
    shown = {name for run in runs for cluster in run.clusters for name in cluster.facts}
    meaning = MEANING + (APART if "set apart by" in shown else "")
    return f'<p class="quiet about">{meaning}</p>{"".join(tables)}' if tables else ""


def _make_table(clusters: Sequence[Cluster], label: str) -> str:
    names = list(clusters[0].facts)
    pictured = any(cluster.pictures is not None for cluster in clusters)
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in ("cluster", *names))
    head += '<th scope="col">typical samples</th>' if pictured else ""
    rows = []
    for cluster in clusters:
        cells = "".join(f"<td>{escape(cluster.facts[name])}</td>" for name in names)
        if pictured:
            cells += f"<td>{_draw(cluster)}</td>"
        rows.append(f'<tr><th scope="row">{cluster.number}</th>{cells}</tr>')
    return (
        f'<div class="scroll" role="region" aria-label="{escape(label)}" tabindex="0">'
        f'<table class="clusters"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _draw(cluster: Cluster) -> str:
    """The typical samples in one image, beside each other."""
    if cluster.pictures is None or len(cluster.pictures) == 0:
        return ""
    sheet = _join(cluster.pictures)
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
        f'alt="{len(cluster.pictures)} typical samples of cluster {cluster.number}">'
    )


def _join(pictures: Pixels) -> Pixels:
    """(h, w, c) of all pictures beside each other, with a white gap between them."""
    gap = np.full((pictures.shape[1], max(1, pictures.shape[2] // 16), pictures.shape[3]), 255)
    parts = [part for picture in pictures for part in (picture, gap)]
    return np.concatenate(parts[:-1], axis=1).astype(np.uint8)
