"""How the map came to be: scores by step, and the life of the map."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from dcsomrl.analysis.steps import chance_scores, final_value, steps_to_share
from dcsomrl.figures.curves import life_curves, step_curves
from dcsomrl.figures.images import image_rows
from dcsomrl.inspection import Inspected
from dcsomrl.reporting.section import Section, shown

SHARES = (0.9, 0.99)
TITLES = {"purity": "Purity", "nmi": "NMI"}
# Epochs that the way of a sample shows.
COLUMNS = 12


def steps(run: Inspected) -> Section | None:
    """Fig. 7."""
    if run.steps is None or run.steps.empty or run.labels is None:
        return None
    at, chance = run.steps["step"].to_numpy(), by_chance(run, run.steps["nodes"])
    room = 1 - chance["purity"]
    lead = ((run.steps["purity"] - chance["purity"]) / room.where(room > 0)).to_numpy()
    reached = {share: steps_to_share(at, lead, share) for share in SHARES}
    plain = {
        score: {share: steps_to_share(at, run.steps[score].to_numpy(), share) for share in SHARES}
        for score in TITLES
    }
    ends = " ".join(
        f"{title} ends at {final_value(run.steps[score].to_numpy()):.3f}, by chance at "
        f"{final_value(chance[score].to_numpy()):.3f}; {_when(plain[score])}."
        for score, title in TITLES.items()
    )
    caption = (
        "Scores on a few test samples of every class after every step, and what dealing these to "
        f"as many nodes at random gives. {ends} Of purity's final lead over chance, as a share "
        f"of what chance leaves: {_when(reached)}."
    )
    measures: dict[str, float | int | None] = {"steps": int(at[-1])}
    measures |= {f"steps_to_{share:.0%}_purity": step for share, step in reached.items()}
    measures |= {
        f"steps_to_{share:.0%}_final_{score}": step
        for score, steps in plain.items()
        for share, step in steps.items()
    }
    marks = {share: step for share, step in reached.items() if step is not None}
    figure = step_curves(run.steps, marks, chance)
    return Section("steps", "Scores at every step (Fig. 7)", caption, figure, measures)


def _when(reached: Mapping[float, int | None]) -> str:
    """The steps that reach a share of what there is in the end, in words."""
    if None in reached.values():
        return "there is none to be reached"
    return " and ".join(f"{share:.0%} at step {step}" for share, step in reached.items())


def by_chance(run: Inspected, nodes: pd.Series) -> pd.DataFrame:
    """Scores at every step if its samples were dealt to its nodes at random."""
    assert run.labels is not None
    per_class = run.config["callbacks"]["step_scores"]["per_class"]
    # A class may have fewer samples than were asked for.
    sizes = np.bincount(run.labels, minlength=len(run.class_names or [])).clip(max=per_class)
    found = {n: chance_scores(max(n, 1), sizes) for n in nodes.unique()}
    return pd.DataFrame([found[n] for n in nodes], columns=list(TITLES), index=nodes.index)


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
