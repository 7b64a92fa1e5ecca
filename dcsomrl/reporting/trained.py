"""Whether the training was long enough."""

import pandas as pd

from dcsomrl.reporting.html import Answer
from dcsomrl.reporting.run_data import RunData

# The end of a training that is looked at, and the least epochs of which it can be a part.
END, FEWEST = 0.2, 5
# Changes over the end, as shares, up to which something is level.
LEVEL = {"loss": 0.02, "nodes": 0.05}


def answer_training(run: RunData) -> Answer | None:
    """Whether losses and nodes were level at the end; None where nothing was logged."""
    history = run.history
    if history.empty:
        return None
    epochs = int(history["epoch"].iloc[-1]) + 1
    if len(history) < FEWEST:
        return Answer(
            f"{epochs} epochs are too few to tell: train for at least {FEWEST}, with "
            "trainer.max_epochs."
        )
    rows, moving = [], []
    for title, before, after, change, level in _list_changes(history):
        said = "level" if level else f"still {'falling' if change < 0 else 'rising'}"
        rows.append([title, f"{before:.4g}", f"{after:.4g}", f"{change:+.1%}", said])
        moving += [] if level else [f"{title} {said}"]
    if not rows:
        return None
    verdict = (
        f"Perhaps not: at the end, {' and '.join(moving)}. Train again with more epochs, such as "
        f"trainer.max_epochs={2 * epochs}, and see whether the clusters change."
        if moving
        else "It seems so: these were level at the end."
    )
    if not moving and run.config["model"].get("schedule") == "cosine":
        verdict = (
            "There is no sign against it: these were level at the end. But the learning rate falls "
            "to 0 towards the end of any training, however short, which also levels them. Only a "
            f"longer one is conclusive, such as trainer.max_epochs={2 * epochs}: is the number of "
            "clusters the same, and do the same samples share a cluster?"
        )
    table = ["", f"{END:.0%} before the end", "at the end", "change", ""]
    return Answer(verdict, table, rows)


def _list_changes(history: pd.DataFrame) -> list[tuple[str, float, float, float, bool]]:
    """Title, value at the beginning and at the end of the last fifth, change and whether level.

    Losses are means of as many epochs as half of that fifth has: single ones jump.
    """
    end = max(2, round(END * len(history)))
    found = []
    for key, title in (("train/loss", "loss"), ("nodes", "nodes")):
        if key not in history or history[key].isna().any():
            continue
        width = max(1, end // 2) if title == "loss" else 1
        means = history[key].rolling(width).mean()
        before, after = float(means.iloc[-1 - end]), float(means.iloc[-1])
        change = (after - before) / abs(before) if before else 0.0
        found.append((title, before, after, change, abs(change) <= LEVEL[title]))
    return found
