"""How the map came to be: scores by step, and the life of the map."""

import numpy as np

from dcsomrl.analysis.steps import steps_to_share
from dcsomrl.figures.curves import life_curves, step_curves
from dcsomrl.figures.images import image_rows
from dcsomrl.inspection import Inspected
from dcsomrl.reporting.section import Measures, Section, shown

SHARES = (0.9, 0.99)
# Epochs that the way of a sample shows.
COLUMNS = 12


def steps(run: Inspected) -> Section | None:
    """Fig. 7."""
    if run.steps is None or run.steps.empty:
        return None
    marks = {
        score: {
            share: steps_to_share(run.steps["step"].to_numpy(), run.steps[score].to_numpy(), share)
            or 0
            for share in SHARES
        }
        for score in ("purity", "nmi")
    }
    caption = "Scores on a few test samples of every class after every step. " + " ".join(
        f"{title} has 90 % of its final value at step {marks[score][0.9]} and 99 % at step "
        f"{marks[score][0.99]}."
        for score, title in (("purity", "Purity"), ("nmi", "NMI"))
    )
    measures: Measures = {"steps": int(run.steps["step"].iloc[-1])} | {
        f"steps_to_{share:.0%}_{score}": step
        for score, by_share in marks.items()
        for share, step in by_share.items()
    }
    figure = step_curves(run.steps, marks)
    return Section("steps", "Scores at every step (Fig. 7)", caption, figure, measures)


def paths(run: Inspected) -> Section | None:
    """The way of some samples through the map."""
    if run.paths is None or not run.image or len(run.paths["slot"]) == 0:
        return None
    slot, decoded = run.paths["slot"], run.paths["decoded"]
    last = len(slot) - 1
    epochs = np.unique(np.linspace(0, last, min(COLUMNS, last + 1)).round().astype(int))
    rows = [
        shown(np.concatenate([sample[None], decoded[epochs, i]]))
        for i, sample in enumerate(run.paths["sample"])
    ]
    changes = (np.diff(slot, axis=0) != 0).mean(1) if last else np.zeros(1)
    half = changes[len(changes) // 2 :].mean()
    caption = (
        "Some test samples, and the decoded prototype of the node that won each after an epoch. "
        f"{half:.0%} of them went to another slot from one epoch to the next in the second half of "
        f"the training, {changes[: max(1, len(changes) // 2)].mean():.0%} in the first."
    )
    columns = ["sample", *(f"epoch {epoch + 1}" for epoch in epochs)]
    figure = image_rows(rows, [""] * len(rows), columns)
    return Section("paths", "The way of samples through the map", caption, figure)


def life(run: Inspected) -> Section | None:
    """The life of the map."""
    if run.history.empty:
        return None
    caption = "Every epoch of the training."
    if {"births", "deaths"} <= {*run.history}:
        last = run.history.iloc[-1]
        caption = (
            f"Every epoch of the training: {last['births']:,.0f} nodes were born, "
            f"{last['deaths']:,.0f} died, {last['nodes']:.0f} live."
        )
    return Section("life", "The life of the map", caption, life_curves(run.history))
