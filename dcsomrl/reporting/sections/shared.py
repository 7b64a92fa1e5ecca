"""What the prototypes of one class share, pixel by pixel."""

import numpy as np

from dcsomrl.analysis.neighbors import intersect_images, measure_shared_light
from dcsomrl.analysis.topology import find_components
from dcsomrl.figures.images import draw_image_rows
from dcsomrl.reporting.context import Context
from dcsomrl.reporting.section import Part, Section, clip_images

# Prototypes of a class that are compared.
SHARING = 5
# Draws of as many prototypes from the whole map, for each such group.
CHANCE = 50


def draw_shared(context: Context) -> Section | None:
    """The connected prototypes of one class, their pixelwise minimum, and what each has beyond it.

    Source: Figs. 8 and 9 of "Shaping latent representations using Self-Organizing Maps with
    Relevance Learning", submitted to ICLR 2022.
    """
    run = context.run
    assert run.edges is not None
    first, second = run.node_class[run.edges].T
    same = run.edges[(first == second) & (first >= 0)]
    part = find_components(same, len(run.slots))
    if len(same) == 0:
        return None
    names, images = run.class_names or [], clip_images(run.decoded)
    rows, labels, groups = [], [], []
    for number in range(3):
        nodes = np.flatnonzero(part == number)
        if len(nodes) < 2:
            break
        nodes = nodes[np.argsort(-run.wins[nodes], kind="stable")][:SHARING]
        groups.append(nodes)
        common, beyond = intersect_images(images[nodes])
        name = names[run.node_class[nodes[0]]]
        rows += [np.concatenate([common[None], images[nodes]])]
        rows += [np.concatenate([np.zeros_like(common[None]), beyond])]
        labels += [f"{name}: prototypes", "beyond what they share"]
    rng, won = np.random.default_rng(context.seed), np.flatnonzero(run.wins > 0)
    within = float(np.mean([measure_shared_light(images[nodes]) for nodes in groups]))
    others = [rng.permutation(won)[: len(nodes)] for nodes in groups for _ in range(CHANCE)]
    chance = float(np.mean([measure_shared_light(images[nodes]) for nodes in others]))
    caption = (
        f"The {SHARING} most used nodes of the largest parts of the graph that have one class. "
        "First what their prototypes share, the pixelwise minimum, then the prototypes, and below "
        f"what each has beyond it. They share {within:.0%} of their light, as many nodes drawn "
        f"from all of the map {chance:.0%}."
    )
    measures = {"shared_light": within, "shared_light_chance": chance}
    figure, title = draw_image_rows(rows, labels, ["shared"]), "What prototypes of a class share"
    return Section("shared", title, caption, figure, measures, source="Figs. 8 and 9")


PART = Part(draw_shared, needs=("nodes", "images", "labels", "edges"))
