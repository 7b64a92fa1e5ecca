"""The life of the map, epoch by epoch."""

from dcsomrl.figures.curves import draw_life_curves
from dcsomrl.reporting.context import Context
from dcsomrl.reporting.section import Part, Section


def draw_life(context: Context) -> Section:
    """Every number that was logged once an epoch."""
    run = context.run
    caption = "Every epoch of the training."
    if {"births", "deaths"} <= {*run.history}:
        last = run.history.iloc[-1]
        caption = (
            f"Every epoch of the training: {last['births']:,.0f} nodes were born, "
            f"{last['deaths']:,.0f} died, {last['nodes']:.0f} live."
        )
    return Section(
        "life", "Epoch by epoch", caption, draw_life_curves(run.history), question="trained"
    )


PART = Part(draw_life, needs=("history",))
