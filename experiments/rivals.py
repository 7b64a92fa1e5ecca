"""Every rival under its own published protocol: ``python -m experiments.rivals``.

Runs what is missing and writes ``rivals.md``: the published figure beside ours, and what is not
there yet.
"""

import shutil
from pathlib import Path

from experiments.runs import final_metrics, markdown_table, run_all

HERE = Path(__file__).parent
# Published purity and NMI, 64 nodes (Forest et al. 2021).
PUBLISHED = {"desom_mnist": (0.939, 0.657), "desom_fashion": (0.752, 0.538)}
# What has not been run, what its publication gives, and why it is missing.
MISSING = [
    ["somvae, MNIST", "purity 0.868, NMI 0.595", "convolutions of 256 channels wait for a GPU"],
    ["somvae, Fashion-MNIST", "purity 0.739, NMI 0.520", "the same"],
    ["dec, MNIST", "accuracy 0.84-0.91, NMI up to 0.87", "300 epochs of pretraining, not yet run"],
    ["idec, MNIST", "accuracy 0.88, NMI 0.87", "the same"],
    ["larfdssom", "clustering errors on subspace benchmarks", "their data is not at hand"],
]


def main() -> None:
    """Run what is missing and write the page."""
    precision, threads = "trainer.precision=32-true", "num_threads=1"
    jobs = {
        f"own/{name}/seed0": [f"experiment={name}", "seed=0", precision, threads]
        for name in PUBLISHED
    }
    kept = HERE / "results" / "rivals"
    kept.mkdir(parents=True, exist_ok=True)
    rows = []
    for (name, published), folder in zip(PUBLISHED.items(), run_all(jobs).values(), strict=True):
        run = final_metrics(folder)
        shutil.copy(folder / "metrics.json", kept / f"{name}-seed0.json")
        rows.append(
            [
                name,
                f"{run['purity']:.3f}",
                f"{published[0]:.3f}",
                f"{run['nmi']:.3f}",
                f"{published[1]:.3f}",
                str(run["nodes_used"]),
                f"{run['accuracy']:.3f}",
                f"{run['topographic_error']:.3f}",
                f"{run['seconds']:.0f}",
            ]
        )
    header = ["", "purity", "published", "NMI", "published", "nodes used", "accuracy"]
    header += ["topographic error", "seconds"]
    text = (
        "# The rivals under their own protocols\n\n"
        "`python -m experiments.rivals`: DESOM as published, 10,000 steps of 256 on all 70,000 "
        "images, 8x8 nodes, scored on the same images; seed 0, 32-true, CPU, 1 thread. This is "
        "a check of the rendering and no comparison: for that see the "
        "[benchmark](results/benchmark/table.md).\n\n"
        + markdown_table(header, rows)
        + "\nNot yet run:\n\n"
        + markdown_table(["", "published", "why"], MISSING)
    )
    (HERE / "rivals.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
