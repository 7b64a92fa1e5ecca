"""Relevances of all nodes, as histograms."""

from dcsomrl.analysis.relevance import find_learned, profile_relevances
from dcsomrl.figures.relevance import draw_relevance_histograms
from dcsomrl.reporting.context import Context
from dcsomrl.reporting.section import Part, Section


def draw_relevances(context: Context) -> Section | None:
    """How many relevances are near 0, moderate, near 1, and to how many nodes a dimension matters.

    Source: Fig. 2 of "Shaping latent representations using Self-Organizing Maps with
    Relevance Learning", submitted to ICLR 2022.
    """
    run = context.run
    assert run.relevances is not None
    if not (kept := find_learned(run.relevances)).any():
        return None
    profile = profile_relevances(run.relevances[kept])
    used = profile.nodes_per_dimension
    caption = (
        f"{profile.near_zero:.0%} of the relevances are near 0, {profile.moderate:.0%} moderate "
        f"and {profile.near_one:.0%} near 1; a dimension matters to {used.mean():.1f} of "
        f"{kept.sum()} nodes on average, from {used.min()} to {used.max()}."
    )
    if new := int((~kept).sum()):
        caption += (
            f" Left out: {new} of {len(kept)} nodes, which have not learned any relevance yet."
        )
    measures = {
        "relevance_near_zero": profile.near_zero,
        "relevance_moderate": profile.moderate,
        "relevance_near_one": profile.near_one,
        "relevance_entropy": float(profile.entropy.mean()),
    }
    figure = draw_relevance_histograms(run.relevances[kept])
    return Section(
        "relevances",
        "How much dimensions matter to nodes",
        caption,
        figure,
        measures,
        source="Fig. 2",
    )


PART = Part(draw_relevances, needs=("nodes", "relevances"))
