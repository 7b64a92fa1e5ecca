"""Every rival under its own published protocol: ``python -m experiments.rivals``.

Runs what is missing and writes ``rivals.md``: the published figure beside ours, and what is not
there yet.
"""

import shutil
from pathlib import Path

from experiments.runs import final_metrics, markdown_table, run_all

HERE = Path(__file__).parent
# Published purity and NMI, 64 nodes (Forest et al. 2021); accuracy and NMI, 10 clusters (Xie et al.
# 2016 and its repetitions, Guo et al. 2017).
PUBLISHED = {
    "desom_mnist": "purity 0.939, NMI 0.657",
    "desom_fashion": "purity 0.752, NMI 0.538",
    "dec_mnist": "accuracy 0.84-0.91, NMI up to 0.87",
    "idec_mnist": "accuracy 0.88, NMI 0.87",
}
# What dec and idec begin with.
START = "autoencoder_mnist"
# What has not been run, what its publication gives, and why it is missing.
MISSING = [
    ["somvae, MNIST", "purity 0.868, NMI 0.595", "convolutions of 256 channels wait for a GPU"],
    ["somvae, Fashion-MNIST", "purity 0.739, NMI 0.520", "the same"],
    ["larfdssom", "clustering errors on subspace benchmarks", "their data is not at hand"],
]
MEASURES = ("purity", "nmi", "accuracy", "ari", "topographic_error")


def main() -> None:
    """Run what is missing and write the page."""
    folders = run_all({own(START): overrides(START)})
    start = folders[own(START)] / "checkpoints" / "last.ckpt"
    jobs = {own(name): overrides(name) for name in PUBLISHED}
    for name in ("dec_mnist", "idec_mnist"):
        jobs[own(name)].append(f"model.pretrained={start}")
    kept = HERE / "results" / "rivals"
    kept.mkdir(parents=True, exist_ok=True)
    rows = []
    for (name, published), folder in zip(PUBLISHED.items(), run_all(jobs).values(), strict=True):
        run = final_metrics(folder)
        shutil.copy(folder / "metrics.json", kept / f"{name}-seed0.json")
        scores = ["n/a" if run[key] is None else f"{run[key]:.3f}" for key in MEASURES]
        used = [str(run["nodes_used"]), str(run["epochs"]), f"{run['seconds']:.0f}"]
        rows.append([name, published, *scores, *used])
    header = ["", "published", "purity", "NMI", "accuracy", "ARI", "topographic error"]
    header += ["clusters used", "epochs", "seconds"]
    text = (
        "# The rivals under their own protocols\n\n"
        "`python -m experiments.rivals`, on all 70,000 images, scored on the same; seed 0, "
        "32-true, CPU, 1 thread. DESOM: 10,000 steps of 256, 8x8 nodes. DEC and IDEC: 10 "
        "clusters, from an autoencoder trained for 300 epochs, until fewer than 0.1 % of the "
        "assignments change. This is a check of the rendering and no comparison: for that see the "
        "[benchmark](results/benchmark/table.md).\n\n"
        + markdown_table(header, rows)
        + "\nNot yet run:\n\n"
        + markdown_table(["", "published", "why"], MISSING)
    )
    (HERE / "rivals.md").write_text(text)
    print(text)


def own(name: str) -> str:
    """Folder of a run, below that of all runs."""
    return f"own/{name}/seed0"


def overrides(name: str) -> list[str]:
    """Of a run of an experiment."""
    return [f"experiment={name}", "seed=0", "trainer.precision=32-true", "num_threads=1"]


if __name__ == "__main__":
    main()
