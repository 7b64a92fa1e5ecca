"""A walk from one prototype to another, straight and along the map."""

import numpy as np

from dcsomrl.analysis.topology import (
    find_shortest_path,
    measure_paths,
)
from dcsomrl.analysis.walks import walk_along
from dcsomrl.figures.images import draw_image_rows
from dcsomrl.reporting.context import Context
from dcsomrl.reporting.section import Part, Section, clip_images

STEPS = 11


def draw_walks(context: Context) -> Section:
    """The two prototypes farthest apart on the map, and what lies between them, decoded.

    Source: Fig. 4 of "Shaping latent representations using Self-Organizing Maps with
    Relevance Learning", submitted to ICLR 2022.
    """
    run = context.run
    edges = run.graph
    lengths = np.linalg.norm(run.centers[edges[:, 0]] - run.centers[edges[:, 1]], axis=1)
    hops = measure_paths(edges, len(run.slots))
    hops[np.isinf(hops)] = -1
    start, end = map(int, np.unravel_index(hops.argmax(), hops.shape))
    path = find_shortest_path(edges, len(run.slots), lengths, start, end)
    rows = [
        clip_images(run.decode(walk_along(run.centers[[start, end]], STEPS))),
        clip_images(run.decode(walk_along(run.centers[path], STEPS))),
        clip_images(run.decoded[path]),
    ]
    labels = ["straight", "along the map", f"its {len(path)} nodes"]
    caption = (
        f"From node {run.slots[start]} to node {run.slots[end]}, which lie farthest apart on the "
        "map: straight through the codes, and along the shortest path of connected nodes."
    )
    return Section(
        "walks",
        "What lies between two prototypes",
        caption,
        draw_image_rows(rows, labels),
        source="Fig. 4",
    )


PART = Part(draw_walks, needs=("nodes", "images", "edges"))
