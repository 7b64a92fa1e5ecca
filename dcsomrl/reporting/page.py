"""A finished run as a page: all sections that apply to it, their figures and numbers."""

import io
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

from dcsomrl.analysis.embedding import Method
from dcsomrl.metrics import BY_KEY, CATALOGUE, REPORTED
from dcsomrl.reporting.cluster_sheet import make_clusters
from dcsomrl.reporting.comparison import compare_clusters
from dcsomrl.reporting.context import Context
from dcsomrl.reporting.explorer import make_explorer
from dcsomrl.reporting.html import Explorer, Picture, RunPage
from dcsomrl.reporting.notes import list_notes
from dcsomrl.reporting.number import answer_number
from dcsomrl.reporting.odd import answer_odd
from dcsomrl.reporting.run_data import RunData
from dcsomrl.reporting.section import Section
from dcsomrl.reporting.sections import PARTS
from dcsomrl.reporting.trained import answer_training
from dcsomrl.writing import save_figure, write_json, write_text

# What the summary shows of the measures, and of what a run was made of, with its title.
MEASURES = (
    *("purity", "nmi", "ari", "ami", "accuracy", "nodes", "nodes_used", "quantization_error"),
    *("topographic_error", "epochs"),
)
SUMMARY = {
    **{key: BY_KEY[key].title for key in MEASURES},
    "precision": "precision",
    "seconds": "seconds of training",
    "device": "device",
    "dcsomrl": "dcsomrl",
    "torch": "torch",
    "git_commit": "commit",
}


# By the question of the page.
ANSWERS = {"odd": answer_odd, "trained": answer_training, "number": answer_number}


def draw_report(run: RunData, method: Method, seed: int) -> tuple[list[Section], RunPage]:
    """Every section that applies to a run, and its page.

    Args:
        run: what was trained.
        method: of the plane.
        seed: of all that is drawn.
    """
    context = Context(run, method, seed)
    drawn = (part.draw(context) for part in PARTS if part.applies(run))
    found = [section for section in drawn if section is not None]
    page = make_page(run, found, make_explorer(context))
    answers = {key: said for key, answer in ANSWERS.items() if (said := answer(run)) is not None}
    return found, replace(
        page, clusters=make_clusters(run), answers=answers, comparison=compare_clusters(run)
    )


def make_page(run: RunData, found: Iterable[Section], arrays: Explorer | None) -> RunPage:
    """What the page says of a run."""
    parts = list(found)
    measures = {name: value for part in parts for name, value in part.measures.items()}
    rows = [
        (title, format_value(run.metrics.get(key)))
        for key, title in SUMMARY.items()
        if key in run.metrics
    ]
    rows += [
        (one.title, format_value(measures[one.key])) for one in REPORTED if one.key in measures
    ]
    remarks = list_notes(run) + [part.caption for part in parts if part.figure is None]
    pictures = [
        Picture(
            part.name,
            part.title,
            part.caption,
            render_svg(part.figure),
            part.source,
            part.question,
        )
        for part in parts
        if part.figure is not None
    ]
    return RunPage(run.name, rows, remarks, pictures, arrays, meanings=explain_measures(rows))


def explain_measures(rows: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Range, which is better, and what it is, of the measures of a summary, by their titles."""
    known = {measure.title: measure for measure in CATALOGUE}
    return {
        title: f"{known[title].range}"
        + ("" if known[title].better == "neither" else f", {known[title].better} is better")
        + f": {known[title].about}"
        for title, _ in rows
        if title in known
    }


def format_value(value: object) -> str:
    """A measure as a person reads it."""
    if value is None or value != value:
        return "n/a"
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def render_svg(figure: Figure) -> str:
    """The figure as the text of an SVG file; its layout stays as it is from then on.

    The same figure gives the same text: there is no date in it, and names within are not random.
    """
    buffer = io.StringIO()
    with rc_context({"svg.hashsalt": "dcsomrl"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    figure.set_layout_engine("none")
    return buffer.getvalue()


def write_figures(found: Iterable[Section], page: RunPage, folder: Path) -> None:
    """Every figure as PNG and SVG, and all measures in ``measures.json``, into a folder.

    Args:
        found: the sections of a run.
        page: the run's, with their figures as text.
        folder: made where it is absent.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for picture in page.pictures:
        write_text(folder / f"{picture.name}.svg", picture.svg)
    measures: dict[str, float | int | None] = {}
    for part in found:
        measures |= dict(part.measures)
        if part.figure is not None:
            save_figure(part.figure, folder / f"{part.name}.png", dpi=130)
    write_json(folder / "measures.json", measures)
