"""Prototypes decoded with some of their dimensions moved."""

import numpy as np

from dcsomrl.analysis.disturbance import disturb
from dcsomrl.analysis.relevance import MATTERS
from dcsomrl.figures.images import draw_image_rows
from dcsomrl.reporting.context import Context
from dcsomrl.reporting.section import Part, Section, clip_images, find_most_used

# Rows of the figures that show some nodes.
ROWS = 8
# Thresholds below which, and then above which, the paper disturbs prototypes in Fig. 3.
BELOW = (0.3, 0.4, 0.5)


def draw_disturbed(context: Context) -> Section:
    """Prototypes of the most used nodes, with ever more of their less relevant dimensions moved.

    Source: Fig. 3 of "Shaping latent representations using Self-Organizing Maps with
    Relevance Learning", submitted to ICLR 2022.
    """
    run = context.run
    assert run.relevances is not None
    rng = np.random.default_rng(context.seed)
    size = 2 * run.spread
    columns = [run.decoded]
    for threshold in BELOW:
        mask = run.relevances < threshold
        columns.append(run.decode(disturb(run.centers, mask, size, rng, run.box)))
    mask = run.relevances > MATTERS
    columns.append(run.decode(disturb(run.centers, mask, size, rng, run.box)))
    nodes = find_most_used(run.wins, ROWS)
    figure = draw_image_rows(
        list(clip_images(np.stack(columns, 1)[nodes])),
        [f"node {run.slots[node]}" for node in nodes],
        ["prototype", *(f"< {threshold}" for threshold in BELOW), f"> {MATTERS}"],
    )
    caption = (
        "Prototypes of the most used nodes, decoded after all their dimensions of a relevance "
        f"below 0.3, 0.4 and 0.5, and above {MATTERS}, were moved by {size:.3f}, two standard "
        "deviations of the codes. The further right of the first four, the more dimensions move."
    )
    return Section(
        "disturbed", "Prototypes with some dimensions moved", caption, figure, source="Fig. 3"
    )


PART = Part(draw_disturbed, needs=("nodes", "relevances", "images"))
