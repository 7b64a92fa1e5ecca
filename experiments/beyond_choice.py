"""Which settings two seeds agree on most: a choice without labels, on the training split alone."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_mutual_info_score

from dcsomrl.analysis.clusters import join
from dcsomrl.analysis.merging import merge
from dcsomrl.loading import load
from dcsomrl.models import ClusteringModule
from dcsomrl.networks import evaluating
from dcsomrl.scoring import score
from dcsomrl.search.stability import measure_stability
from experiments import beyond_views

# Seeds that no table is made of.
SEEDS = (100, 101)
EPOCHS = 6
FLIP = "flip=0.5"
# Strengths of the views.
STRENGTHS: dict[str, list[str]] = {
    "still": ["shift=0", "rotate=0", "scale=[1,1]", "shear=0"],
    **{
        name: [f"{key}={value}".replace(" ", "") for key, value in strength.items()]
        for name, strength in beyond_views.STRENGTHS.items()
    },
}
STRENGTHS["light"] = [*STRENGTHS["whole"], "brightness=0.3", "contrast=0.3"]
# All strengths are tried at one radius, and other radii with one strength. On MNIST the
# radius is the default, on Fashion-MNIST the largest of these at which the map fills its 64 slots.
RADIUS, RADII = {"mnist": 0.6, "fashion": 0.5}, (0.4, 0.5, 0.6, 0.7)
STRENGTH = {"mnist": "half", "fashion": "third"}


def list_candidates(dataset: str) -> dict[str, list[str]]:
    """Overrides of the settings to choose from, by strength of the views and radius."""
    radius = RADIUS[dataset]
    others = [(STRENGTH[dataset], one) for one in RADII if one != radius]
    tried = [(name, radius) for name in STRENGTHS] + others
    flips = [FLIP] if dataset == "fashion" else []
    return {
        f"{name}-{radius}": [
            f"model.som.radius={radius}",
            *(f"dataset.augmentation.{change}" for change in (*flips, *STRENGTHS[name])),
        ]
        for name, radius in tried
    }


def score_agreement(folders: list[Path]) -> dict[str, Any]:
    """How far two runs agree on the training split, and what came out.

    Args:
        folders: of two runs that differ by their seed.

    Returns:
        ``agreement_nodes`` and ``agreement_clusters``, the adjusted mutual information of the two
        runs' nodes and of their clusters, whose number each finds for itself; ``told_*`` the same
        of as many clusters as there are classes, by the ways to merge nodes; and both runs' scores
        on the test split, which take no part in a choice.
    """
    one, other = (_Run(folder) for folder in folders)
    shown = ("nodes", "purity", "nmi", "cluster_accuracy", "cluster_nmi")
    return {
        "agreement_nodes": measure_stability(folders),
        "agreement_clusters": float(adjusted_mutual_info_score(one.clusters, other.clusters)),
        **{name: [run.scores[name] for run in (one, other)] for name in shown},
        "clusters": [int(run.clusters.max()) + 1 for run in (one, other)],
        **{
            f"told_{way}": float(adjusted_mutual_info_score(told, other.told[way]))
            for way, told in one.told.items()
        },
    }


class _Run:
    """What a run makes of both splits.

    Attributes:
        nodes: (n,) node of every sample of the training split, in its order.
        clusters: (n,) its cluster, of as many as are found.
        told: (n,) its cluster, of as many as there are classes, by the way to merge nodes.
        scores: on the test split.
    """

    @torch.no_grad()
    def __init__(self, folder: Path) -> None:
        trained = load(folder / "checkpoints" / "last.ckpt")
        model, data = trained.model, trained.data
        data.setup("test")
        model.count_connectivity(data)
        merged = model.merged()
        with evaluating(model):
            batches = data.split_dataloader("train")
            nodes = torch.cat([model.cluster(batch.x).winner for batch in batches])
        self.nodes: NDArray[np.int64] = nodes.numpy()
        self.clusters: NDArray[np.int64] = merged[nodes].numpy()
        self.told = {
            way: slot[self.nodes] for way, slot in _merge_nodes(model, data.num_classes).items()
        }
        self.scores, _ = score(model, data.split_dataloader("test"), data.num_classes, merged)


def _merge_nodes(model: ClusteringModule, k: int) -> dict[str, NDArray[np.int64]]:
    """Cluster of every slot (K,), of k, by the ways to merge nodes."""
    assert model.connectivity is not None
    used, wins = model.connectivity.used, model.connectivity.wins
    between = model.connectivity.between[np.ix_(used, used)]
    shared = between - np.diag(np.diag(between))
    centers = model.codebook.centers.numpy()[used]
    joined = join(centers, wins[used].astype(float), k)
    divided = KMeans(k, n_init=50, random_state=0).fit(centers, sample_weight=wins[used]).labels_
    found = {"join": joined, "kmeans": divided, "spectral": merge(shared, k)}
    return {way: _spread(used, group) for way, group in found.items()}


def _spread(used: NDArray[np.bool_], group: NDArray[np.int64]) -> NDArray[np.int64]:
    """Groups of the slots in use as one of every slot (K,), 0 for the others."""
    slots = np.zeros(len(used), dtype=np.int64)
    slots[used] = group
    return slots
