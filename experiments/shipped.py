"""The trained models that come with the package: ``python -m experiments.shipped [name ...]``.

Each is trained where its run is not there yet, stripped to what using it needs, its network
rounded to half precision, and scored on the test split before and after. The scores are kept in
``results/shipped``. Training sees the training split without labels.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import torch

from dcsomrl.checkpoints import read_checkpoint
from dcsomrl.inputs import LAST
from dcsomrl.loading import load, load_data
from dcsomrl.migrations import RECORD
from dcsomrl.scoring import score
from dcsomrl.shipped import SHIPPED
from dcsomrl.writing import write_json
from experiments.runs import train_job

KEPT = Path(__file__).parent / "results" / "shipped"
CONVOLUTION = ["autoencoder=conv", "trainer=cpu", "num_threads=1", "seed=0"]
BF16 = "trainer.precision=bf16-mixed"
# Folder below ``runs`` and overrides of each: those of a seed of ``experiments.beyond``.
JOBS: dict[str, tuple[str, list[str]]] = {
    "mnist": ("beyond/convolution-mnist-seed0", ["experiment=beyond_mnist", BF16]),
    "fashion": ("beyond/convolution-fashion-seed0", ["experiment=beyond_fashion", BF16]),
    "usps": (
        "shipped/usps",
        ["model=neighbor_somrl", "dataset=usps", "dataset.val_fraction=0", BF16],
    ),
}
# What using a model needs; the states of optimizer, schedule and loops go.
NEEDED = (
    *("state_dict", "connectivity", "read", "epoch", "global_step", "pytorch-lightning_version"),
    *("ClusterData", RECORD),
)
SCORES = ("purity", "nmi", "nodes_used", "clusters", "cluster_accuracy", "cluster_nmi")


def main(names: list[str]) -> None:
    """Write the models and their scores."""
    SHIPPED.mkdir(exist_ok=True)
    KEPT.mkdir(parents=True, exist_ok=True)
    for name in names or JOBS:
        folder, overrides = JOBS[name]
        run = train_job(folder, [*overrides, *CONVOLUTION])
        trained = json.loads((run / "metrics.json").read_text())
        file = SHIPPED / f"{name}.ckpt"
        torch.save(strip(read_checkpoint(run / LAST)), file)
        kept = {
            **{key: trained[key] for key in ("seed", "epochs", "precision", "device", "torch")},
            **{key: trained[key] for key in ("git_commit", "seconds")},
            "bytes": file.stat().st_size,
            "before": score_checkpoint(run / LAST),
            "after": score_checkpoint(file),
        }
        write_json(KEPT / f"{name}.json", kept)
        print(name, json.dumps(kept, indent=2))


def strip(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """A checkpoint without what only resuming needs, its network in half precision."""
    kept = {key: checkpoint[key] for key in NEEDED}
    kept["state_dict"] = {
        name: value.half() if name.startswith("autoencoder.") else value.clone()
        for name, value in checkpoint["state_dict"].items()
    }
    progress = checkpoint["loops"]["fit_loop"]["epoch_progress"]
    kept["loops"] = {"fit_loop": {"epoch_progress": progress}}
    config = kept[RECORD]["config"]
    places = {config["data_dir"]: "data", config["trainer"]["default_root_dir"]: "run"}
    kept[RECORD] = {**kept[RECORD], "config": move(config, places)}
    return kept


def move(node: Any, places: dict[str, str]) -> Any:
    """Nested settings with paths as they are wherever the package is installed.

    Raises:
        SystemExit: a path remains that this machine alone has.
    """
    if isinstance(node, dict):
        return {key: move(value, places) for key, value in node.items()}
    if isinstance(node, list):
        return [move(value, places) for value in node]
    if not isinstance(node, str):
        return node
    for old, new in places.items():
        node = node.replace(old, new)
    if node.startswith("/"):
        raise SystemExit(f"error: the settings name a path of this machine, {node}")
    return node


def score_checkpoint(path: Path) -> dict[str, float]:
    """Scores on the test split."""
    trained = load(path, data_dir=os.environ.get("DCSOMRL_DATA", "data"))
    load_data(trained)
    model, data = trained.model, trained.data
    k = data.num_classes
    scores, _ = score(model, data.split_dataloader("test"), k, model.merged(None))
    told, _ = score(model, data.split_dataloader("test"), k, model.merged(k))
    kept = {name: scores[name] for name in SCORES}
    return kept | {"ten_accuracy": told["cluster_accuracy"], "ten_nmi": told["cluster_nmi"]}


if __name__ == "__main__":
    main(sys.argv[1:])
