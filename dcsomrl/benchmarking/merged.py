"""Scores of a map whose nodes are merged into as many clusters as there are classes."""

import numpy as np
import torch

from dcsomrl.analysis import count_winners, merge
from dcsomrl.data import ClusterData
from dcsomrl.metrics import CLUSTER_SCORES, LABEL_SCORES, count_contingency
from dcsomrl.models import ClusteringModule
from dcsomrl.scoring import count_classes

# Scores of a merged map bear their usual names behind this.
MERGED = "merged_"


@torch.no_grad()
def score_merged(
    model: ClusteringModule, data: ClusterData, n_clusters: int, seed: int
) -> dict[str, float]:
    """Scores on the test split with the nodes merged by their winners on the training split.

    None without labels.
    """
    data.setup("test")
    if not count_classes(data, "test"):
        return {}
    first, second = [], []
    for batch in data.split_dataloader("train"):
        found = model.cluster(batch.x)
        first.append(found.winner.numpy())
        second.append(found.second.numpy())
    counts = count_winners(np.concatenate(first), np.concatenate(second), model.n_clusters)
    group = torch.from_numpy(merge(counts, n_clusters, seed))
    matrix = torch.zeros(n_clusters, data.num_classes, dtype=torch.int64)
    for batch in data.split_dataloader("test"):
        assert batch.y is not None
        node = model.cluster(batch.x).winner
        clusters = torch.where(node >= 0, group[node], -1)
        matrix += count_contingency(clusters, batch.y, n_clusters, data.num_classes)
    return {f"{MERGED}{name}": float(LABEL_SCORES[name](matrix)) for name in CLUSTER_SCORES}
