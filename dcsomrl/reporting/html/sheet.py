"""The sheet of clusters as HTML."""

from collections.abc import Sequence
from html import escape

from dcsomrl.reporting.html.content import Cluster, RunPage
from dcsomrl.reporting.html.strips import draw_strip

MEANING = (
    "Each row is a cluster, with its samples of the test split, ordered by the number of training "
    "samples. Clear samples are at least twice as close to a node of their cluster as to any node "
    "of another: the fewer there are, the less certain the border of the cluster."
)
APART = (
    " A feature sets a cluster apart by how far its mean lies from the mean of all other samples, "
    "in standard deviations."
)


def make_sheet(runs: Sequence[RunPage]) -> str:
    """A table of the clusters of each run; empty where no run has any."""
    tables = []
    for number, run in enumerate(runs):
        if not run.clusters:
            continue
        heading = f"<h3>{escape(run.title)}</h3>" if len(runs) > 1 else ""
        tables.append(heading + _make_table(run.clusters, f"Clusters of {run.title}", number))
    shown = {name for run in runs for cluster in run.clusters for name in cluster.facts}
    meaning = MEANING + (APART if "set apart by" in shown else "")
    return f'<p class="quiet about">{meaning}</p>{"".join(tables)}' if tables else ""


def _make_table(clusters: Sequence[Cluster], label: str, run: int) -> str:
    names = list(clusters[0].facts)
    pictured = any(cluster.pictures is not None for cluster in clusters)
    # Pictures stand where a narrow screen has them, too.
    headings = ["cluster", *names[:1], *(["typical samples"] if pictured else []), *names[1:]]
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in headings)
    rows = []
    for cluster in clusters:
        parts = [f"<td>{escape(cluster.facts[name])}</td>" for name in names]
        if pictured:
            parts.insert(1, f"<td>{_draw(cluster)}</td>")
        cells = "".join(parts)
        rows.append(
            f'<tr data-cluster="{cluster.number}"><th scope="row">{cluster.number}</th>{cells}</tr>'
        )
    return (
        f'<div class="scroll" role="region" aria-label="{escape(label)}" tabindex="0">'
        f'<table class="clusters" data-run="{run}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _draw(cluster: Cluster) -> str:
    """The typical samples in one image."""
    if cluster.pictures is None or len(cluster.pictures) == 0:
        return ""
    label = f"{len(cluster.pictures)} typical samples of cluster {cluster.number}"
    return draw_strip(cluster.pictures, label)
