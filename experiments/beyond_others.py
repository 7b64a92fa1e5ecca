"""What a user would take in place of the map: UMAP of the samples, or of an autoencoder's codes."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KNeighborsClassifier

from dcsomrl.loading import load
from experiments.beyond_scores import compute_codes, score_against
from experiments.runs import read_final_metrics

SEEDS = range(3)
# Of N2D, McConville et al. 2021: as many dimensions as clusters, 20 neighbours, no distance kept.
N2D = {"n_neighbors": 20, "min_dist": 0.0}
# Of umap-learn's page on clustering.
CLUSTERED = {"n_neighbors": 30, "min_dist": 0.0}
# The smallest group of HDBSCAN as a share of the samples.
SMALLEST = 0.005


def score_others(folders: list[Path]) -> dict[str, Any]:
    """Scores on the test split of UMAP and what clusters in it, all fitted to the training split.

    Args:
        folders: of one finished run of ``model=autoencoder``, whose seed UMAP, k-means and the
            mixture have as well.

    Returns:
        ``umap_kmeans_*``, ``umap_hdbscan_*`` on the samples; ``n2d_*``, a Gaussian mixture in the
        UMAP of the codes; and how many clusters HDBSCAN found.
    """
    trained = load(folders[0] / "checkpoints" / "last.ckpt")
    model, data = trained.model, trained.data
    seed = int(read_final_metrics(folders[0])["seed"])
    data.setup("test")
    k = data.num_classes
    train, _, train_z = compute_codes(model, data.split_dataloader("train"))
    test, labels, test_z = compute_codes(model, data.split_dataloader("test"))
    low, low_test = _embed(train, test, k, seed, CLUSTERED)
    dense = HDBSCAN(min_cluster_size=int(SMALLEST * len(low)), copy=True).fit_predict(low)
    nearest = KNeighborsClassifier(1).fit(low[dense >= 0], dense[dense >= 0])
    codes, codes_test = _embed(train_z, test_z, k, seed, N2D)
    mixture = GaussianMixture(k, random_state=seed).fit(codes)
    found = {
        "umap_kmeans": KMeans(k, n_init=10, random_state=seed).fit(low).predict(low_test),
        "umap_hdbscan": nearest.predict(low_test),
        "n2d": mixture.predict(codes_test),
    }
    return {
        "seed": seed,
        "umap_hdbscan_clusters": int(dense.max()) + 1,
        **{
            name: value
            for key, clusters in found.items()
            for name, value in score_against(key, clusters, labels, k).items()
        },
    }


def _embed(
    train: NDArray[np.floating],
    test: NDArray[np.floating],
    dimensions: int,
    seed: int,
    settings: dict[str, Any],
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Training and test samples (n, dimensions) in a UMAP of the training samples."""
    import umap

    mapped = umap.UMAP(n_components=dimensions, random_state=seed, n_jobs=1, **settings)
    return mapped.fit_transform(train), mapped.transform(test)
