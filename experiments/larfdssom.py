"""Settings of LARFDSSOM on images: ``python -m experiments.larfdssom``.

The same 16 points of a Latin hypercube on MNIST and on Fashion-MNIST, judged on the validation
part. The one of the best mean rank over purity and NMI of both is what ``model=larfdssom`` has by
default, and with it the benchmark. Writes ``larfdssom.md``; it may be stopped and started again.
"""

from pathlib import Path

import pandas as pd

from dcsomrl.metrics import BY_KEY
from dcsomrl.search.outcome import PARAMETER, read
from dcsomrl.writing import tabulate
from experiments.searches import DATASETS, RESULTS, search

POINTS = 16
SCORES = ("val/purity", "val/nmi")


def main() -> None:
    """Run what is missing, write the page."""
    found = {}
    for dataset in DATASETS:
        name = f"{dataset}-larfdssom"
        search(name, POINTS, "search=larfdssom", f"dataset={dataset}")
        found[dataset] = read(RESULTS / name).points.set_index("point").sort_index()
    scores = pd.concat({name: points[[*SCORES]] for name, points in found.items()}, axis=1)
    order = scores.rank(ascending=False).mean(axis=1).sort_values(kind="stable").index
    one = found[DATASETS[0]]
    names = [str(column) for column in one if str(column).startswith(PARAMETER)]
    varied = [name for name in names if one[name].nunique() > 1]
    titles = [BY_KEY[key.removeprefix("val/")].title for key in (*SCORES, "val/nodes")]
    header = ["point", *(name.rpartition(".")[2] for name in varied)]
    header += [f"{dataset} {text}" for dataset in DATASETS for text in titles]
    rows = []
    for point in order:
        row = [str(point), *(f"{one[name][point]:.4g}" for name in varied)]
        for points in found.values():
            row += [f"{points[score][point]:.3f}" for score in SCORES]
            row.append(f"{points['val/nodes'][point]:.0f}")
        rows.append(row)
    text = (
        "# Settings of LARFDSSOM\n\n"
        f"`python -m experiments.larfdssom`: {POINTS} points of a Latin hypercube "
        "(`search=larfdssom`, seed 0), the same on both datasets; 2 epochs, at most 64 nodes, "
        "32-true on a CPU; validation part, a tenth of the training split. The best mean rank over "
        "both datasets and scores comes first: the default of `model=larfdssom`.\n\n"
    )
    Path(__file__).with_suffix(".md").write_text(text + tabulate(header, rows))


if __name__ == "__main__":
    main()
