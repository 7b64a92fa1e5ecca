"""Measures of a map that are usual in the field."""

import numpy as np

from dcsomrl.analysis.quality import judge_map
from dcsomrl.analysis.topology import (
    measure_paths,
)
from dcsomrl.reporting.context import Context
from dcsomrl.reporting.section import Part, Section

# Samples on which the map's quality is judged; the cost grows with their square.
QUALITY_SAMPLES = 1500


def draw_quality(context: Context) -> Section | None:
    """Trustworthiness, neighbourhood preservation and distortion."""
    run = context.run
    if len(run.latent) < 20:
        return None
    assert run.edges is not None
    won = np.flatnonzero(run.winner >= 0)
    some = np.random.default_rng(context.seed).permutation(won)[:QUALITY_SAMPLES]
    paths = measure_paths(run.edges, len(run.slots))
    found = judge_map(run.latent[some], run.winner[some], run.centers, paths)
    caption = (
        f"Trustworthiness {found.trustworthiness:.3f}, neighbourhood preservation "
        f"{found.preservation:.3f} (10 neighbours), distortion {found.distortion:.4f}, on "
        f"{len(some)} test samples with steps along edges as the map's distance; no path joins the "
        f"nodes of {found.unreachable:.0%} of the pairs of samples."
    )
    return Section("quality", "Quality of the map", caption, None, found._asdict())


PART = Part(draw_quality, needs=("nodes", "map"))
