"""The sections of a report, one in each file.

A section is a function of a :class:`~dcsomrl.reporting.context.Context` that returns a
:class:`~dcsomrl.reporting.section.Section`, or None where there is nothing to show after all. A new
one gets a line in :data:`PARTS`, with what a run must have for it.
"""

from dcsomrl.reporting.section import Part
from dcsomrl.reporting.sections.disturbances import draw_disturbances
from dcsomrl.reporting.sections.disturbed import draw_disturbed
from dcsomrl.reporting.sections.life import draw_life
from dcsomrl.reporting.sections.merging import draw_merging
from dcsomrl.reporting.sections.neighbors import draw_neighbors
from dcsomrl.reporting.sections.outliers import draw_outliers
from dcsomrl.reporting.sections.pairs import draw_pairs
from dcsomrl.reporting.sections.paths import draw_paths
from dcsomrl.reporting.sections.plane import draw_plane
from dcsomrl.reporting.sections.prototypes import draw_prototypes
from dcsomrl.reporting.sections.quality import draw_quality
from dcsomrl.reporting.sections.relevances import draw_relevances
from dcsomrl.reporting.sections.shared import draw_shared
from dcsomrl.reporting.sections.steps import draw_steps
from dcsomrl.reporting.sections.topology import draw_topology
from dcsomrl.reporting.sections.traversals import draw_traversals
from dcsomrl.reporting.sections.walks import draw_walks

# In the order of the page.
PARTS: tuple[Part, ...] = (
    Part(draw_prototypes, needs=("nodes",)),
    Part(draw_plane, needs=("nodes",)),
    Part(
        draw_relevances,
        needs=(
            "nodes",
            "relevances",
        ),
    ),
    Part(
        draw_disturbed,
        needs=(
            "nodes",
            "relevances",
            "images",
        ),
    ),
    Part(
        draw_disturbances,
        needs=(
            "nodes",
            "relevances",
        ),
    ),
    Part(
        draw_traversals,
        needs=(
            "nodes",
            "images",
        ),
    ),
    Part(
        draw_walks,
        needs=(
            "nodes",
            "images",
            "edges",
        ),
    ),
    Part(
        draw_pairs,
        needs=(
            "nodes",
            "edges",
        ),
    ),
    Part(
        draw_topology,
        needs=(
            "nodes",
            "map",
        ),
    ),
    Part(
        draw_quality,
        needs=(
            "nodes",
            "map",
        ),
    ),
    Part(
        draw_shared,
        needs=(
            "nodes",
            "images",
            "labels",
            "edges",
        ),
    ),
    Part(
        draw_neighbors,
        needs=(
            "nodes",
            "images",
        ),
    ),
    Part(draw_outliers, needs=("nodes",)),
    Part(
        draw_merging,
        needs=(
            "nodes",
            "labels",
        ),
    ),
    Part(
        draw_steps,
        needs=(
            "nodes",
            "labels",
            "steps",
        ),
    ),
    Part(
        draw_paths,
        needs=(
            "nodes",
            "images",
            "paths",
        ),
    ),
    Part(draw_life, needs=("history",)),
)
