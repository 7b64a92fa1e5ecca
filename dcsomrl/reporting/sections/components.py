"""Component planes: every node by what it makes of a feature."""

import numpy as np

from dcsomrl.figures.planes import draw_planes
from dcsomrl.reporting.context import Context
from dcsomrl.reporting.section import Part, Section

# Planes that are drawn: those that tell the nodes apart most.
MOST = 12


def draw_components(context: Context) -> Section:
    """Of a table its columns, decoded; of images the dimensions of the codes."""
    run = context.run
    if run.decoded.ndim == 2:
        values, unit = run.decoded, run.samples.std(0)
        names = run.feature_names or [f"feature {i}" for i in range(values.shape[1])]
        what = "its decoded value in a column"
    else:
        values, unit = run.centers, run.latent.std(0)
        names = [f"dimension {i}" for i in range(values.shape[1])]
        what = "its prototype in a dimension of the codes"
    spread = np.divide(values.std(0), unit, out=np.zeros(len(unit)), where=unit > 0)
    chosen = np.argsort(-spread, kind="stable")[:MOST]
    places = context.places[1] if run.lattice is None else run.lattice
    titles = [names[i] for i in chosen]
    figure = draw_planes(values[:, chosen].T, titles, places, run.graph, run.topology)
    more = f" Shown are the {len(chosen)} of {len(names)} in which nodes differ most."
    more = more if len(names) > len(chosen) else ""
    caption = f"Component planes: every node by {what}.{more}"
    return Section("components", "Where nodes differ", caption, figure)


PART = Part(draw_components, needs=("nodes",))
