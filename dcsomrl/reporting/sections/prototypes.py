"""All prototypes."""

from dcsomrl.figures import draw_prototype_grid, draw_prototype_profiles
from dcsomrl.reporting.context import Context
from dcsomrl.reporting.section import Part, Section, clip_images


def draw_prototypes(context: Context) -> Section:
    """Every node, decoded."""
    run = context.run
    if run.image:
        figure = draw_prototype_grid(clip_images(run.decoded), run.wins)
    else:
        flat = run.decoded.reshape(len(run.decoded), -1)
        figure = draw_prototype_profiles(flat, run.wins, run.feature_names)
    caption = "Every node's prototype, the most used first, with the test samples that it won."
    return Section("prototypes", "What each node stands for", caption, figure)


PART = Part(draw_prototypes, needs=("nodes",))
