"""Scores at every step."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from dcsomrl.analysis.steps import find_end, find_step_of_share, score_by_chance
from dcsomrl.figures.curves import draw_step_curves
from dcsomrl.metrics import BY_KEY
from dcsomrl.reporting.context import Context
from dcsomrl.reporting.run_data import RunData
from dcsomrl.reporting.section import Part, Section

SHARES = (0.9, 0.99)
SCORES = ("purity", "nmi")


def draw_steps(context: Context) -> Section:
    """Purity and NMI after every step beside those by chance, and when their final lead is reached.

    Source: Fig. 7 of "Shaping latent representations using Self-Organizing Maps with
    Relevance Learning", submitted to ICLR 2022.
    """
    run = context.run
    assert run.steps is not None
    at, chance = run.steps["step"].to_numpy(), score_steps_by_chance(run, run.steps["nodes"])
    room = 1 - chance["purity"]
    lead = ((run.steps["purity"] - chance["purity"]) / room.where(room > 0)).to_numpy()
    reached = {share: find_step_of_share(at, lead, share) for share in SHARES}
    plain = {
        score: {
            share: find_step_of_share(at, run.steps[score].to_numpy(), share) for share in SHARES
        }
        for score in SCORES
    }
    ends = " ".join(
        f"{_capitalize(score)} ends at {find_end(run.steps[score].to_numpy()):.3f}, by chance at "
        f"{find_end(chance[score].to_numpy()):.3f}; {_describe_steps(plain[score])}."
        for score in SCORES
    )
    caption = (
        "Scores on a few test samples of every class after every step, and what dealing these to "
        f"as many nodes at random gives. {ends} Of purity's final lead over chance, as a share "
        f"of what chance leaves: {_describe_steps(reached)}."
    )
    measures: dict[str, float | int | None] = {"steps": int(at[-1])}
    measures |= {f"steps_to_{share:.0%}_purity": step for share, step in reached.items()}
    measures |= {
        f"steps_to_{share:.0%}_final_{score}": step
        for score, steps in plain.items()
        for share, step in steps.items()
    }
    marks = {share: step for share, step in reached.items() if step is not None}
    figure = draw_step_curves(run.steps, marks, chance)
    return Section(
        "steps",
        "Scores at every step",
        caption,
        figure,
        measures,
        source="Fig. 7",
        question="trained",
    )


def _capitalize(score: str) -> str:
    """The title of a score where a sentence begins."""
    title = BY_KEY[score].title
    return title[0].upper() + title[1:]


def _describe_steps(reached: Mapping[float, int | None]) -> str:
    """The steps that reach a share of what there is in the end, in words."""
    if None in reached.values():
        return "there is none to be reached"
    return " and ".join(f"{share:.0%} at step {step}" for share, step in reached.items())


def score_steps_by_chance(run: RunData, nodes: pd.Series) -> pd.DataFrame:
    """Scores at every step if its samples were dealt to its nodes at random."""
    assert run.labels is not None
    per_class = run.config["callbacks"]["step_scores"]["per_class"]
    # A class may have fewer samples than were asked for.
    sizes = np.bincount(run.labels, minlength=len(run.class_names or [])).clip(max=per_class)
    found = {n: score_by_chance(max(n, 1), sizes) for n in nodes.unique()}
    return pd.DataFrame([found[n] for n in nodes], columns=list(SCORES), index=nodes.index)


PART = Part(draw_steps, needs=("nodes", "labels", "steps"))
