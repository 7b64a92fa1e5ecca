"""Scores of a run at every level, and of what others make of the same codes."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.mixture import GaussianMixture

from dcsomrl.data import Batch
from dcsomrl.loading import load
from dcsomrl.metrics import LABEL_SCORES, count_contingency
from dcsomrl.models import ClusteringModule
from dcsomrl.networks import evaluating
from dcsomrl.reporting.context import Context
from dcsomrl.reporting.run_data import read_run
from dcsomrl.reporting.sections import disturbances, relevances
from dcsomrl.scoring import score
from dcsomrl.training.results import find_origin

SCORES = ("accuracy", "nmi", "ari", "purity")
# Samples that HDBSCAN divides: its time grows with their square.
DIVIDED = 10_000


def score_run(folder: Path, with_others: bool) -> dict[str, Any]:
    """Scores on the test split of a run that has finished.

    Args:
        folder: of the run.
        with_others: whether k-means, a Gaussian mixture and HDBSCAN divide its codes, too, and its
            relevances are measured.

    Returns:
        What stands in its ``metrics.json``; ``scored_at``, the commit of this; ``ten_*``, with the
        nodes merged into as many clusters as there are classes; and ``<other>_*``,
        ``relevance_*`` and ``disturbance_*``.
    """
    metrics = json.loads((folder / "metrics.json").read_text())
    trained = load(folder / "checkpoints" / "last.ckpt")
    model, data = trained.model, trained.data
    data.setup("test")
    k = data.num_classes
    scores, _ = score(model, data.split_dataloader("test"), k, model.merged(k))
    metrics["scored_at"] = find_origin(torch.device("cpu"))["git_commit"]
    metrics |= {f"ten_{name}": scores[f"cluster_{name}"] for name in SCORES}
    if not with_others:
        return metrics
    _, _, train = compute_codes(model, data.split_dataloader("train"))
    _, labels, test = compute_codes(model, data.split_dataloader("test"))
    nodes = KMeans(metrics["nodes"], n_init=1, random_state=0).fit(train)
    ten = KMeans(k, n_init=10, random_state=0).fit(train)
    mixture = GaussianMixture(k, random_state=0, means_init=ten.cluster_centers_).fit(train)
    dense = HDBSCAN(min_cluster_size=50, copy=True).fit_predict(test[:DIVIDED])
    found = {
        "kmeans_nodes": nodes.predict(test),
        "kmeans_ten": ten.predict(test),
        "mixture_ten": mixture.predict(test),
        "hdbscan": np.where(dense < 0, dense.max() + 1, dense),  # noise is a cluster of its own
    }
    for name, clusters in found.items():
        metrics |= score_against(name, clusters, labels[: len(clusters)], k)
    metrics["hdbscan_clusters"] = int(dense.max()) + 1
    metrics["hdbscan_noise"] = float((dense < 0).mean())
    return metrics | _measure_relevances(folder)


def _measure_relevances(folder: Path) -> dict[str, Any]:
    """What the report of a run measures of its relevances."""
    context = Context(read_run(folder))
    found = (part.draw(context) for part in (relevances.PART, disturbances.PART))
    return {name: value for part in found if part for name, value in part.measures.items()}


@torch.no_grad()
def compute_codes(model: ClusteringModule, batches: Iterable[Batch]) -> tuple[NDArray[Any], ...]:
    """Samples (n, features) of a split, their classes (n,) and their codes (n, m)."""
    samples, labels, codes = [], [], []
    with evaluating(model):
        for batch in batches:
            samples.append(batch.x.flatten(1))
            labels.append(torch.as_tensor(batch.y))
            codes.append(model.encode(batch.x))
    return tuple(torch.cat(parts).numpy() for parts in (samples, labels, codes))


def score_against(
    name: str, clusters: NDArray[Any], labels: NDArray[Any], classes: int
) -> dict[str, float]:
    """Scores ``<name>_<score>`` of clusters (n,), numbered from 0, against classes (n,)."""
    pair = torch.as_tensor(clusters).long(), torch.as_tensor(labels)
    matrix = count_contingency(*pair, int(clusters.max()) + 1, classes)
    return {f"{name}_{score}": float(LABEL_SCORES[score](matrix)) for score in SCORES}
