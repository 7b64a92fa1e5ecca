"""Which reading of the source's open places serves best: ``python -m experiments.readings``.

The text leaves open how nodes repel, where gamma stands, and what the moving-average distances
follow. Each reading is trained with Table 2's settings and judged on the validation part of the
training split: the test split plays no part in the choice. Writes ``readings.md``.
"""

import platform
from pathlib import Path

from experiments.runs import last_epoch, markdown_table, run_all

SEED = 0
PRECISION = "bf16-mixed"
READINGS = [
    ("radial", "product", "drift"),
    ("radial", "product", "spread"),
    ("none", "product", "spread"),
    ("radial", "quotient", "spread"),
]
DATASETS = ("mnist", "fashion")


def main() -> None:
    """Run what is missing and write the table."""
    cells = [(dataset, *reading) for reading in READINGS for dataset in DATASETS]
    jobs = {
        "readings/" + "-".join(cell): [
            f"experiment=paper_{cell[0]}",
            f"model.som.repel_mode={cell[1]}",
            f"model.som.neighborhood_form={cell[2]}",
            f"model.som.distance_mode={cell[3]}",
            f"trainer.precision={PRECISION}",
            f"seed={SEED}",
            "num_threads=1",
        ]
        for cell in cells
    }
    rows = []
    for cell, folder in zip(cells, run_all(jobs).values(), strict=True):
        last = last_epoch(folder)
        scores = [f"{last[f'val/{name}']:.3f}" for name in ("purity", "nmi")]
        rows.append([*cell, *scores, f"{last['nodes']:.0f}", f"{last['train/latent_spread']:.3f}"])
    header = ["dataset", "repel", "neighbourhood", "distances"]
    header += ["val purity", "val NMI", "nodes", "latent spread"]
    text = (
        "# Readings of the source's open places\n\n"
        "`python -m experiments.readings`: Table 2's settings, 30 epochs, seed "
        f"{SEED}, {PRECISION}, {platform.machine()} CPU; scores on the validation part (a tenth of "
        "the training split, seen by no training).\n\n" + markdown_table(header, rows)
    )
    Path(__file__).with_suffix(".md").write_text(text)


if __name__ == "__main__":
    main()
