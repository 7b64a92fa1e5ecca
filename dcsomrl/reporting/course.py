"""How the map came to be: scores by step, and the life of the map."""

import numpy as np
import pandas as pd

from dcsomrl.analysis.steps import chance_scores, final_value, steps_to_share
from dcsomrl.figures.curves import life_curves, step_curves
from dcsomrl.figures.images import image_rows
from dcsomrl.inspection import Inspected
from dcsomrl.reporting.section import Measures, Section, shown

SHARES = (0.9, 0.99)
TITLES = {"purity": "Purity", "nmi": "NMI"}
# Epochs that the way of a sample shows.
COLUMNS = 12


def steps(run: Inspected) -> Section | None:
    """Fig. 7."""
    if run.steps is None or run.steps.empty or run.labels is None:
        return None
    chance = by_chance(run, run.steps["nodes"])
    lead = (run.steps["purity"] - chance["purity"]) / (1 - chance["purity"])
    reached = {
        share: steps_to_share(run.steps["step"].to_numpy(), lead.to_numpy(), share) or 0
        for share in SHARES
    }
    ends = " ".join(
        f"{title} ends at {final_value(run.steps[score].to_numpy()):.3f}, by chance at "
        f"{final_value(chance[score].to_numpy()):.3f}."
        for score, title in TITLES.items()
    )
    caption = (
        "Scores on a few test samples of every class after every step, and what dealing these to "
        f"as many nodes at random gives. {ends} Of purity's final lead over chance, as a share "
        f"of what chance leaves, 90 % are there at step {reached[0.9]} and 99 % at step "
        f"{reached[0.99]}; NMI falls as nodes are born and has no such step."
    )
    measures: Measures = {"steps": int(run.steps["step"].iloc[-1])} | {
        f"steps_to_{share:.0%}_purity": step for share, step in reached.items()
    }
    figure = step_curves(run.steps, reached, chance)
    return Section("steps", "Scores at every step (Fig. 7)", caption, figure, measures)


def by_chance(run: Inspected, nodes: pd.Series) -> pd.DataFrame:
    """Scores at every step if its samples were dealt to its nodes at random."""
    per_class = run.config["callbacks"]["step_scores"]["per_class"]
    found = {
        n: chance_scores(max(n, 1), per_class, len(run.class_names or [])) for n in nodes.unique()
    }
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
