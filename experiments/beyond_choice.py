"""Which settings two seeds agree on most: a choice without labels, on the training split alone."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import adjusted_mutual_info_score

from dcsomrl.loading import load
from dcsomrl.networks import evaluating

# Seeds that no table is made of.
SEEDS = (100, 101)
EPOCHS = 6
FLIP = "dataset.augmentation.flip=0.5"
# Strengths of the views, as shares of those of `augmentation=in_place`.
STRENGTHS: dict[str, list[str]] = {
    "still": ["shift=0", "rotate=0", "scale=[1,1]", "shear=0"],
    "third": ["shift=0.025", "rotate=3", "scale=[0.97,1.03]", "shear=0.03"],
    "whole": [],
    "light": ["brightness=0.3", "contrast=0.3"],
}
RADII = (0.5, 0.6, 0.7)
RADIUS = 0.6


def candidates(dataset: str) -> dict[str, list[str]]:
    """Overrides of the settings to choose from, by name: strengths at one radius, then radii."""
    flips = [FLIP] if dataset == "fashion" else []
    return {
        **{
            f"{name}-{RADIUS}": [
                *flips,
                *(f"dataset.augmentation.{change}" for change in changes),
            ]
            for name, changes in STRENGTHS.items()
        },
        **{
            f"whole-{radius}": [*flips, f"model.som.radius={radius}"]
            for radius in RADII
            if radius != RADIUS
        },
    }


def score_agreement(folders: list[Path]) -> dict[str, Any]:
    """How far two runs agree on the training split, and what came out.

    Args:
        folders: of two runs that differ by their seed.

    Returns:
        ``agreement_nodes`` and ``agreement_clusters``, the adjusted mutual information of the two
        runs' nodes and of their clusters, whose number each finds for itself; and the means of the
        runs' own ``metrics.json``, which take no part in a choice.
    """
    (nodes, clusters), (other_nodes, other_clusters) = (_assign(folder) for folder in folders)
    found: list[Mapping[str, Any]] = [
        json.loads((folder / "metrics.json").read_text()) for folder in folders
    ]
    shown = ("nodes", "clusters", "purity", "nmi", "cluster_accuracy", "cluster_nmi")
    return {
        "agreement_nodes": float(adjusted_mutual_info_score(nodes, other_nodes)),
        "agreement_clusters": float(adjusted_mutual_info_score(clusters, other_clusters)),
        **{name: [metrics[name] for metrics in found] for name in shown},
    }


@torch.no_grad()
def _assign(folder: Path) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Node and cluster (n,) of every sample of the training split, in its order."""
    trained = load(folder / "checkpoints" / "last.ckpt")
    trained.data.setup("test")
    with evaluating(trained.model):
        batches = trained.data.split_dataloader("train")
        nodes = torch.cat([trained.model.cluster(batch.x).winner for batch in batches])
    merged = trained.model.merged()
    return nodes.numpy(), merged[nodes].numpy()
