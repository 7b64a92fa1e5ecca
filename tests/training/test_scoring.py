"""The silhouette of a run against scikit-learn's."""

import pytest
import torch
from sklearn.metrics import silhouette_score

from dcsomrl.loading import load
from dcsomrl.scoring import silhouette


def test_the_silhouette_is_scikit_learns_and_nothing_for_a_single_cluster(run_small, tmp_path):
    returned = run_small(small=("model=kmeans", "model.n_clusters=12", "trainer=cpu"))
    trained = load(tmp_path / "run" / "checkpoints" / "last.ckpt")
    trained.data.setup("fit")
    batches = list(trained.data.split_dataloader("val"))
    x = torch.cat([batch.x for batch in batches])
    cluster = trained.model.cluster(x).winner.numpy()
    expected = silhouette_score(x.flatten(1).numpy(), cluster)
    assert silhouette(trained.model, [x]) == pytest.approx(expected, rel=1e-5)
    assert returned["val/silhouette"] == pytest.approx(expected, rel=1e-5)
    with torch.no_grad():
        trained.model.centers[1:] += 1000
    assert silhouette(trained.model, [x]) == 0
