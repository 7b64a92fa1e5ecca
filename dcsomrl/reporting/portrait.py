"""A finished run as a page: all sections that apply to it, their figures and numbers."""

import io
import json
from collections.abc import Iterable
from pathlib import Path

from matplotlib.figure import Figure

from dcsomrl.analysis.embedding import Method
from dcsomrl.figures import prototype_grid, prototype_profiles
from dcsomrl.inspection import Inspected
from dcsomrl.pages import Picture, RunPage
from dcsomrl.reporting import course, meaning, structure
from dcsomrl.reporting.explorer import explorer
from dcsomrl.reporting.notes import notes
from dcsomrl.reporting.section import Section, shown

SUMMARY = (
    ("purity", "purity"), ("NMI", "nmi"), ("ARI", "ari"), ("AMI", "ami"), ("accuracy", "accuracy"),
    ("nodes", "nodes"), ("nodes used", "nodes_used"), ("quantization error", "quantization_error"),
    ("topographic error", "topographic_error"), ("epochs", "epochs"), ("precision", "precision"),
    ("seconds of training", "seconds"), ("device", "device"), ("dcsomrl", "dcsomrl"),
    ("torch", "torch"), ("commit", "git_commit"),
)  # fmt: skip
MEASURED = (
    ("edges of the graph", "edges"), ("parts of the graph", "components"),
    ("class agreement across edges", "edge_agreement"), ("by chance", "edge_agreement_chance"),
    ("trustworthiness", "trustworthiness"), ("neighbourhood preservation", "preservation"),
    ("distortion", "distortion"),
)  # fmt: skip


def sections(run: Inspected, method: Method, seed: int) -> tuple[list[Section], RunPage]:
    """Every section that applies to a run, and its page.

    Args:
        run: what was trained.
        method: of the plane.
        seed: of all that is drawn.
    """
    if len(run.slots) == 0:
        found: list[Section] = [part for part in (course.life(run),) if part is not None]
        return found, page(run, found, None)
    points, nodes = structure.places(run, method, seed)
    candidates = [
        prototypes(run),
        structure.plane(run, points, nodes, method),
        meaning.relevances(run),
        meaning.disturbed_prototypes(run, seed),
        meaning.disturbances(run, seed),
        meaning.traversals(run),
        structure.walks(run),
        structure.pairs(run, seed),
        structure.topology(run, seed),
        structure.quality(run, seed),
        meaning.shared(run, seed),
        meaning.neighbors(run),
        meaning.outliers(run),
        structure.merging(run, seed),
        course.steps(run),
        course.paths(run),
        course.life(run),
    ]
    found = [section for section in candidates if section is not None]
    return found, page(run, found, explorer(run, points, nodes, seed))


def prototypes(run: Inspected) -> Section:
    """All nodes, decoded."""
    if run.image:
        figure = prototype_grid(shown(run.decoded), run.wins)
    else:
        flat = run.decoded.reshape(len(run.decoded), -1)
        figure = prototype_profiles(flat, run.wins, run.feature_names)
    caption = "Every node's prototype, the most used first, with the test samples that it won."
    return Section("prototypes", "Prototypes", caption, figure)


def page(run: Inspected, found: Iterable[Section], explorer_arrays: object) -> RunPage:
    """What the page says of a run."""
    parts = list(found)
    measures = {name: value for part in parts for name, value in part.measures.items()}
    rows = [(title, text(run.metrics.get(key))) for title, key in SUMMARY if key in run.metrics]
    rows += [(title, text(measures[key])) for title, key in MEASURED if key in measures]
    remarks = notes(run) + [part.caption for part in parts if part.figure is None]
    pictures = [
        Picture(part.name, part.title, part.caption, svg(part.figure))
        for part in parts
        if part.figure is not None
    ]
    return RunPage(run.name, rows, remarks, pictures, explorer_arrays)  # type: ignore[arg-type]


def text(value: object) -> str:
    """A measure as a person reads it."""
    if value is None or value != value:
        return "n/a"
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def svg(figure: Figure) -> str:
    """The figure as the text of an SVG file."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg")
    return buffer.getvalue()


def write_figures(found: Iterable[Section], folder: Path) -> None:
    """Every figure as PNG and SVG, and all measures in ``measures.json``, into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    measures: dict[str, float | int | None] = {}
    for part in found:
        measures |= dict(part.measures)
        if part.figure is not None:
            part.figure.savefig(folder / f"{part.name}.png", dpi=130)
            part.figure.savefig(folder / f"{part.name}.svg")
    valid = {name: None if value != value else value for name, value in measures.items()}
    (folder / "measures.json").write_text(json.dumps(valid, indent=2, allow_nan=False) + "\n")
