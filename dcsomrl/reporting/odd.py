"""Which samples are odd."""

import numpy as np
from numpy.typing import NDArray

from dcsomrl.reporting.explorer import to_pixels
from dcsomrl.reporting.html import Answer
from dcsomrl.reporting.run_data import RunData
from dcsomrl.training.assignments import list_apart

LISTED = 15
APART = "; distances from the node's prototype are in standard deviations of all samples"


def order_odd(run: RunData) -> NDArray[np.int64]:
    """Places of the test samples, the oddest first: outliers, then by the winner's activation."""
    usual = np.zeros(len(run.winner), dtype=bool) if run.outlier is None else ~run.outlier
    return np.lexsort((run.activation, usual))


def answer_odd(run: RunData) -> Answer | None:
    """How many outliers there are, and the oddest samples; None of a map without a node."""
    if len(run.slots) == 0 or len(run.winner) == 0:
        return None
    said = ""
    if run.outlier is not None:
        number, n = int(run.outlier.sum()), len(run.outlier)
        are = "is an outlier" if number == 1 else "are outliers"
        said = (
            f"{number:,} of {n:,} test samples {are}: further from their node than is normal for a "
            "training sample (beyond the outer fence of their distances). "
        )
    said += (
        "The oddest come first: outliers, then the samples that activate their node least"
        f"{APART if not run.image else ''}. "
        "assignments.csv, in the folder of the run, lists every sample of all splits, with the "
        "columns outlier and activation."
    )
    head = ["sample", "outlier"]
    head += [] if run.image else ["differs from its node in"]
    head += [] if run.cluster is None else ["cluster"]
    head += ["node", "activation"]
    listed = order_odd(run)[:LISTED]
    pictures = to_pixels(run.samples[listed]) if run.image else None
    return Answer(said, head, [_describe(run, place) for place in listed], pictures)


def _describe(run: RunData, place: int) -> list[str]:
    node = run.winner[place]
    outlier = run.outlier is not None and run.outlier[place]
    row = [run.call(place), "yes" if outlier else "no"]
    if not run.image:
        away = (run.samples[place] - run.decoded[node]).ravel()
        deviation = run.samples.reshape(len(run.samples), -1).std(0)
        row.append(list_apart(away, deviation, run.feature_names) if node >= 0 else "")
    if run.cluster is not None:
        row.append(str(run.cluster[node]) if node >= 0 else "none")
    row.append(str(run.slots[node]) if node >= 0 else "none")
    return [*row, f"{run.activation[place]:.4f}"]
