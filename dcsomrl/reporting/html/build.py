"""One HTML file from what runs have to show; nothing in it is loaded from elsewhere."""

from collections.abc import Sequence
from html import escape
from importlib.resources import files
from string import Template

from dcsomrl.reporting.html.answers import QUESTIONS, make_answer
from dcsomrl.reporting.html.content import RunPage, check_run
from dcsomrl.reporting.html.packing import pack_comparison, pack_explorer, write_data
from dcsomrl.reporting.html.pictures import make_pictures
from dcsomrl.reporting.html.sheet import make_sheet

SCRIPTS = ("data.js", "explorer.js", "details.js", "comparison.js", "page.js")
UP = '<a class="up" href="#top">Top</a>'
ABSENT = "\N{EN DASH}"


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
        *((key, question, _make_answers(runs, key)) for key, question in QUESTIONS.items()),
        *_make_explorers(runs),
        ("pictures", "More pictures", make_pictures(runs)),
        ("remarks", "Remarks", _make_notes(runs)),
        ("numbers", "Numbers", _make_summary(runs)),
    ]
    sections = [one for one in sections if one[2]]
    links = [f'<a href="#{anchor}">{escape(heading)}</a>' for anchor, heading, _ in sections]
    parts = [
        f'<section id="{anchor}"><h2>{escape(heading)}</h2>{UP}{content}</section>'
        for anchor, heading, content in sections
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


def _make_answers(runs: Sequence[RunPage], key: str) -> str:
    """What answers a question: words and tables of each run, then pictures."""
    if key == "clusters":
        return make_sheet(runs) + make_pictures(runs, key)
    parts = []
    for number, run in enumerate(runs):
        heading = f"<h3>{escape(run.title)}</h3>" if len(runs) > 1 else ""
        if key == "apart" and run.comparison is not None:
            label = f"Two clusters of {run.title}"
            parts.append(
                f'{heading}<div class="comparison" data-run="{number}" role="group" '
                f'aria-label="{escape(label)}">'
                f"{write_data(pack_comparison(run.comparison))}</div>"
            )
        elif key in run.answers:
            label = f"{QUESTIONS[key]} {run.title}"
            parts.append(heading + make_answer(run.answers[key], label))
    return "".join(parts) + make_pictures(runs, key)


def _make_explorers(runs: Sequence[RunPage]) -> list[tuple[str, str, str]]:
    """Anchor, heading and content of each run's explorer; the script fills the content."""
    if all(run.explorer is None for run in runs):
        return []
    sections = []
    for number, run in enumerate(runs):
        heading = "Map" if len(runs) == 1 else f"Map: {run.title}"
        content = '<p class="quiet">This run has no map to explore.</p>'
        if run.explorer is not None:
            content = (
                f'<div class="explorer" role="group" aria-label="{escape(heading)}">'
                f"{write_data(pack_explorer(run.explorer))}</div>"
            )
        sections.append((f"map-{number}", heading, content))
    return sections
