"""What became of the clusters of the training that a run began with."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

from dcsomrl.analysis.drift import number_clusters
from dcsomrl.figures.drift import draw_flow
from dcsomrl.reporting.context import Context
from dcsomrl.reporting.section import Part, Section


def draw_moved_clusters(context: Context) -> Section:
    """How the samples of every cluster before the training are distributed over those after it."""
    run = context.run
    assert run.former is not None
    assert run.cluster is not None
    before, there = run.former
    after = np.append(run.cluster, -1)[run.winner]  # the last: of no node
    won = after >= 0
    numbers = number_clusters(before[won], after[won], np.ones(int(won.sum())), there)
    here = len(numbers)
    go_on = int((numbers < there).sum())
    same = float(adjusted_rand_score(before, after))
    measures = {
        "clusters before": there,
        "clusters after": here,
        "clusters that go on": go_on,
        "adjusted Rand index of before and after": same,
    }
    caption = (
        f"Of the {there} clusters of init={run.config['init']}, {go_on} go on, and "
        f"{there - go_on} are gone; of the {here} clusters now, {here - go_on} are new. A cluster "
        "goes on as the one from which most of its test samples come, and is new where most were "
        f"outliers (none). The adjusted Rand index of before and after is {same:.3f}: 1 where all "
        "samples are grouped as before, 0 by chance."
    )
    return Section(
        "drift", "Clusters before and after", caption, _draw(_count_shared(before, after)), measures
    )


def _count_shared(before: NDArray[np.int64], after: NDArray[np.int64]) -> NDArray[np.int64]:
    """(clusters before + 1, clusters after + 1) samples that are in both; the last are of none."""
    shape = int(before.max(initial=-1)) + 2, int(after.max(initial=-1)) + 2
    table = np.zeros(shape, dtype=np.int64)
    np.add.at(table, (before, after), 1)
    return table


def _draw(table: NDArray[np.int64]) -> Figure:
    rows, columns = (np.flatnonzero(table.any(axis)) for axis in (1, 0))
    names = [
        ["none" if i == size - 1 else str(i) for i in kept]
        for kept, size in zip((rows, columns), table.shape, strict=True)
    ]
    return draw_flow(table[np.ix_(rows, columns)], *names)


PART = Part(draw_moved_clusters, needs=("clusters", "former"))
