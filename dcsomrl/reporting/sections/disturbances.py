"""What moving the more or the less relevant dimensions of prototypes does."""

from dcsomrl.analysis.disturbance import KINDS, measure_disturbance
from dcsomrl.analysis.relevance import find_learned
from dcsomrl.figures.relevance import draw_disturbance_lines
from dcsomrl.reporting.context import Context
from dcsomrl.reporting.section import Part, Section


def draw_disturbances(context: Context) -> Section | None:
    """How often another node wins, and how far the decoded sample changes, by what is moved.

    Source: Fig. 3 of "Shaping latent representations using Self-Organizing Maps with
    Relevance Learning", submitted to ICLR 2022.
    """
    run = context.run
    assert run.relevances is not None
    if not (kept := find_learned(run.relevances)).any():
        return None
    classes = None if run.labels is None else run.node_class
    table = measure_disturbance(
        run.centers[kept], run.relevances[kept], 2 * run.spread,
        lambda z: run.decode(z) / run.unit, run.find, classes, run.box, seed=context.seed,
    )  # fmt: skip
    at = table[table["threshold"] == 0.5].set_index("kind")
    measures = {
        f"disturbance_{name}_{kind.replace(' ', '_')}": float(at[name][kind])
        for kind in KINDS
        for name in ("change", "winner_flips", "class_flips")
        if name in at
    }
    least, chance, most = (at.loc[kind] for kind in KINDS)
    measures["disturbance_dimensions"] = float(at["dimensions"][KINDS[0]])
    caption = (
        f"With the {least['dimensions']:.1f} dimensions of a relevance below 0.5 moved, another "
        f"node wins in {least['winner_flips']:.0%} of cases, against {chance['winner_flips']:.0%} "
        f"with as many random ones and {most['winner_flips']:.0%} with the most relevant; the "
        f"decoded sample changes by {least['change']:.3f}, {chance['change']:.3f} and "
        f"{most['change']:.3f}{'' if run.image else ' deviations of a column'}. Over {kept.sum()} "
        "nodes; bands: 95 %."
    )
    figure = draw_disturbance_lines(table)
    title = "Does relevance say what matters?"
    return Section("disturbances", title, caption, figure, measures, source="Fig. 3")


PART = Part(draw_disturbances, needs=("nodes", "relevances"))
