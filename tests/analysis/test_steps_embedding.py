import sys

import numpy as np
import pytest
from sklearn.manifold import trustworthiness
from sklearn.metrics import normalized_mutual_info_score

from dcsomrl.analysis.embedding import embed
from dcsomrl.analysis.steps import find_step_of_share, score_by_chance
from dcsomrl.errors import ConfigError


def test_the_first_step_that_reaches_a_share_of_the_final_value():
    steps, values = np.arange(1, 101), np.minimum(np.arange(1, 101) / 50, 1.0)
    assert find_step_of_share(steps, values, 0.9) == 45
    assert find_step_of_share(steps, values, 1.0) == 50
    values[-1] = 3.0  # one outlier at the end is not the final value
    assert find_step_of_share(steps, values, 0.9) == 45
    assert find_step_of_share(np.array([7]), np.array([0.2]), 0.99) == 7
    assert find_step_of_share(np.array([]), np.array([]), 0.9) is None
    # What ends at nothing, below chance or undefined is never reached.
    for end in (0.0, -0.2, np.nan):
        assert find_step_of_share(np.array([1, 2]), np.array([0.5, end]), 0.9) is None


@pytest.mark.slow
@pytest.mark.parametrize(("n_nodes", "per_class", "n_classes"), [(1, 5, 4), (3, 2, 3), (60, 10, 5)])
def test_chance_is_the_mean_over_random_deals(n_nodes, per_class, n_classes):
    rng, labels = np.random.default_rng(1), np.repeat(np.arange(n_classes), per_class)
    purities, nmis = [], []
    for _ in range(300):
        node = rng.integers(n_nodes, size=len(labels))
        most = [np.bincount(labels[node == k]).max() for k in np.unique(node)]
        purities.append(sum(most) / len(labels))
        nmis.append(normalized_mutual_info_score(labels, node))
    purity, nmi = score_by_chance(n_nodes, np.full(n_classes, per_class), draws=300)
    assert purity == pytest.approx(np.mean(purities), abs=0.02)
    assert nmi == pytest.approx(np.mean(nmis), abs=0.02)


@pytest.mark.parametrize("method", ["tsne", "pca"])
def test_groups_stay_apart_on_the_plane(method):
    group = np.repeat(np.arange(4), 30)
    codes = np.random.default_rng(0).normal(size=(120, 5)) + 20 * np.eye(5)[group]
    places = embed(codes, method)
    assert places.shape == (120, 2)
    assert trustworthiness(codes, places, n_neighbors=20) > 0.9
    np.testing.assert_array_equal(embed(codes, method), places)


@pytest.mark.parametrize("method", ["tsne", "pca"])
@pytest.mark.parametrize("shape", [(1, 3), (2, 1), (5, 1), (3, 4)])
def test_a_few_codes_have_places_too(method, shape):
    places = embed(np.random.default_rng(0).random(shape), method)
    assert places.shape == (shape[0], 2)
    assert np.isfinite(places).all()


def test_chance_knows_classes_of_several_sizes():
    # Two nodes or one, the larger class is what a node has most of.
    assert score_by_chance(1, np.array([3, 9, 0]))[0] == pytest.approx(0.75)


def test_umap_has_places_where_it_is_installed():
    pytest.importorskip("umap", reason='umap-learn is not installed: pip install -e ".[umap]"')
    group = np.repeat(np.arange(4), 30)
    codes = np.random.default_rng(0).normal(size=(120, 5)) + 20 * np.eye(5)[group]
    places = embed(codes, "umap")
    assert trustworthiness(codes, places, n_neighbors=20) > 0.9


def test_what_cannot_be_drawn_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)  # as where it is not installed
    with pytest.raises(ConfigError, match=r"needs umap-learn: pip install"):
        embed(np.ones((9, 2)), "umap")
    with pytest.raises(ConfigError, match="must be tsne, umap or pca, got 'mds'"):
        embed(np.ones((9, 2)), "mds")
