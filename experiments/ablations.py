"""Ablations of the paper's open places, each way to fill them: ``python -m experiments.ablations``.

The text leaves open how nodes repel, where gamma stands, what the moving-average distances follow,
and whether the reconstruction's error is a mean or a sum over the pixels. Each variant is trained
with Table 2's settings and judged on the validation part of the training split: the test split
plays no part in the choice. Writes ``ablations.md``.

Numbered figures, tables, sections and equations are those of "Shaping latent representations using
Self-Organizing Maps with Relevance Learning", submitted to ICLR 2022.
"""

import platform
import shutil
from pathlib import Path

from dcsomrl.writing import tabulate
from experiments.runs import CITATION, read_last_epoch, run_all

SEED = 0
PRECISION = "bf16-mixed"
VARIANTS = [
    ("radial", "product", "drift", "mean"),
    ("radial", "product", "spread", "mean"),
    ("none", "product", "spread", "mean"),
    ("radial", "quotient", "spread", "mean"),
    ("radial", "product", "spread", "sum"),
]
# A sum over the pixels weighs the reconstruction so many times more: alpha as many times less.
PIXELS = 28 * 28
# Table 2's alpha.
ALPHA = {"mnist": 0.1145, "fashion": 0.024}
CHOICE = """
Only the quotient is clearly worse, on both datasets; between the other variants, one seed
decides little. The default is `radial`, `product`, `spread`. `spread` is the mean distance
that the sample-by-sample updates of LARFDSSOM estimate. Without repel, the codes contract
and the map with them: on MNIST it keeps fewer nodes than the published 60 to 80, with a
higher NMI and a lower purity. Summed over the pixels, the reconstruction dominates the
clustering: the codes spread twice as far, and the map fills its 200 slots on MNIST, too,
where the published map has 60 to 80 nodes. `signed` and `proportional` were not run. The
choice between the variants used labels of the validation part; the published settings are
the paper's own. On Fashion-MNIST, at a threshold of 0.99885, every variant fills all 200
slots; the published number of nodes was not reached.
"""


def main() -> None:
    """Run what is missing and write the table."""
    cells = [(dataset, *variant) for variant in VARIANTS for dataset in ALPHA]
    kept = Path(__file__).parent / "results" / "ablations"
    kept.mkdir(parents=True, exist_ok=True)
    tables = [kept / f"{'-'.join(cell)}.csv" for cell in cells]
    jobs = {
        f"ablations/{table.stem}": [
            f"experiment=paper_{cell[0]}",
            f"model.som.repel_mode={cell[1]}",
            f"model.som.neighborhood_form={cell[2]}",
            f"model.som.distance_mode={cell[3]}",
            f"model.alpha={ALPHA[cell[0]] / (PIXELS if cell[4] == 'sum' else 1)}",
            f"trainer.precision={PRECISION}",
            f"seed={SEED}",
            "num_threads=1",
        ]
        for cell, table in zip(cells, tables, strict=True)
        if not table.exists()
    }
    for folder in run_all(jobs).values():
        shutil.copy(folder / "metrics.csv", kept / f"{folder.name}.csv")
    rows = []
    for cell, table in zip(cells, tables, strict=True):
        last = read_last_epoch(table)
        scores = [f"{last[f'val/{name}']:.3f}" for name in ("purity", "nmi")]
        rows.append([*cell, *scores, f"{last['nodes']:.0f}", f"{last['train/latent_spread']:.3f}"])
    header = ["dataset", "repel", "neighbourhood", "distances", "reconstruction"]
    header += ["val purity", "val NMI", "nodes", "latent spread"]
    text = (
        "# Ablations: where the paper is ambiguous\n\n"
        "`python -m experiments.ablations`: Table 2's settings, 30 epochs, seed "
        f"{SEED}, {PRECISION}, {platform.machine()} CPU; scores on the validation part (a tenth "
        f"of the training split, which no training sees). One seed: differences below 0.02 are "
        f"not conclusive.\n\n{CITATION}\n\n" + tabulate(header, rows) + CHOICE
    )
    Path(__file__).with_suffix(".md").write_text(text)


if __name__ == "__main__":
    main()
