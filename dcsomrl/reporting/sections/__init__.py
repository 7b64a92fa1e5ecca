"""The sections of a report, one in each file.

A file has a function that draws the section, of a :class:`~dcsomrl.reporting.context.Context`, and
``PART``, which says what a run must have for it. A new file gets a line in :data:`NAMES`.
"""

from importlib import import_module

from dcsomrl.reporting.section import Part

# The files, in the order of the page.
NAMES = (
    "clusters",
    "prototypes",
    "plane",
    "relevances",
    "disturbed",
    "disturbances",
    "traversals",
    "walks",
    "pairs",
    "topology",
    "isolation",
    "components",
    "quality",
    "shared",
    "neighbors",
    "outliers",
    "merging",
    "drift",
    "steps",
    "paths",
    "life",
)
PARTS: tuple[Part, ...] = tuple(import_module(f"{__name__}.{name}").PART for name in NAMES)
