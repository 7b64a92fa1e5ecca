"""The estimator: scikit-learn's own checks, and what its users rely on beyond them."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from hydra.utils import instantiate
from scipy import sparse
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from dcsomrl import DeepSOM, GrowingSOM
from dcsomrl.configuration import compose_config
from dcsomrl.errors import ConfigError
from dcsomrl.models.neighbor_somrl import neighbor_somrl

SMALL: dict = {"hidden_dims": (32,), "latent_dim": 4, "device": "cpu", "random_state": 0}

ENOUGH = {**SMALL, "batch_size": 64, "max_epochs": 40}


CHECKED = [
    DeepSOM(**{**SMALL, "random_state": None}, max_epochs=5),
    GrowingSOM(device="cpu", max_epochs=5),
]


@pytest.mark.slow
@parametrize_with_checks(CHECKED)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def blobs():
    return make_blobs(500, centers=4, n_features=6, cluster_std=0.8, random_state=1)


@pytest.fixture(scope="module")
def fitted(blobs):
    return DeepSOM(**ENOUGH).fit(blobs[0])


@pytest.mark.slow
@pytest.mark.parametrize("rows", [1, 7, 20, 64, 81])
def test_what_a_sample_is_given_does_not_depend_on_its_place(blobs, fitted, rows):
    x = blobs[0][:rows]
    order = np.random.default_rng(0).permutation(rows)
    for given in (fitted.transform, fitted.predict_memberships, fitted.predict_nodes):
        np.testing.assert_array_equal(given(x)[order], given(x[order]))
        np.testing.assert_array_equal(given(x)[:1], given(x[:1]))


@pytest.mark.slow
def test_soft_memberships_agree_with_the_clusters(blobs, fitted):
    share = fitted.predict_memberships(blobs[0])
    assert share.shape == (len(blobs[0]), fitted.n_clusters_)
    np.testing.assert_allclose(share.sum(1), 1, rtol=1e-5)
    assert (share >= 0).all()
    assert (share.argmax(1) == fitted.labels_).mean() > 0.95
    # By hand, in NumPy, for the first sample.
    model = fitted.model_
    with torch.no_grad():
        z = torch.from_numpy(fitted.transform(blobs[0][:1])).numpy()[0]
    som = model.som
    live = som.live.numpy()
    gaps = (som.relevances.numpy() * (som.centers.numpy() - z) ** 2).sum(1)[live]
    numbers = range(fitted.n_clusters_)
    inverse = np.array([1 / gaps[fitted.node_clusters_ == one].min() for one in numbers])
    np.testing.assert_allclose(share[0], inverse / inverse.sum(), rtol=1e-3)


@pytest.mark.parametrize("n_clusters", [None, 1])
@pytest.mark.parametrize("spread", [0, 1])
def test_a_map_of_one_node_is_said_where_samples_differ(spread, n_clusters):
    x = np.random.default_rng(0).random((30, 4)) * spread
    som = GrowingSOM(n_clusters, max_epochs=1, radius=9, random_state=0, device="cpu")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        som.fit(x)
    assert len(som.prototypes_) == 1
    told = [one for one in said if "the map has one node" in str(one.message)]
    assert len(told) == (1 if spread and n_clusters is None else 0)


def test_a_cluster_of_many_nodes_takes_no_samples_of_a_small_one():
    x = load_digits().data
    som = GrowingSOM(max_epochs=3, random_state=0, device="cpu").fit(x)
    assert np.ptp(np.bincount(som.node_clusters_)) > 3
    share = som.predict_memberships(x)
    np.testing.assert_allclose(share.sum(1), 1, rtol=1e-5)
    assert (share.argmax(1) == som.labels_).mean() > 0.99


@pytest.mark.slow
def test_the_map_alone_finds_clusters_and_what_matters_to_each(blobs):
    x, y = blobs
    noise = np.random.default_rng(0).uniform(x.min(), x.max(), (len(x), 2))
    wide = np.hstack([x, noise])
    found = GrowingSOM(random_state=0, batch_size=64, device="cpu").fit(wide)
    assert adjusted_rand_score(y, found.labels_) > 0.9
    assert found.transform(wide).shape == wide.shape
    assert found.prototypes_.shape == (len(found.node_clusters_), 8)
    assert found.relevances_[:, :6].mean() > found.relevances_[:, 6:].mean() + 0.2
    told = GrowingSOM(4, random_state=0, batch_size=64, device="cpu").fit(x)
    assert told.n_clusters_ == 4
    assert adjusted_rand_score(y, told.labels_) > 0.95
    stream = GrowingSOM(4, random_state=0, device="cpu")
    for part in np.array_split(x, 20):
        stream.partial_fit(part)
    assert adjusted_rand_score(y, stream.predict(x)) > 0.9
    again = pickle.loads(pickle.dumps(told))
    np.testing.assert_array_equal(again.predict(x), told.labels_)


def test_clusters_and_their_number_are_found(blobs, fitted):
    x, y = blobs
    assert fitted.n_clusters_ == 4
    assert adjusted_rand_score(y, fitted.labels_) > 0.95
    sizes = np.bincount(fitted.labels_)
    assert (np.diff(sizes) <= 0).all()
    for cluster, center in enumerate(fitted.cluster_centers_):
        np.testing.assert_allclose(center, x[fitted.labels_ == cluster].mean(0), rtol=1e-4)
    np.testing.assert_array_equal(fitted.node_clusters_[fitted.node_labels_], fitted.labels_)
    assert fitted.prototypes_.shape == (len(fitted.node_clusters_), 6)
    assert fitted.relevances_.shape == (len(fitted.node_clusters_), 4)
    with torch.no_grad():
        som = fitted.model_.som
        decoded = fitted.model_.decode(som.centers[som.live]).numpy()
    expected = x.min(0) + decoded * np.ptp(x, axis=0)
    np.testing.assert_allclose(fitted.prototypes_, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_a_number_that_is_given_is_kept_to(blobs):
    found = DeepSOM(2, **ENOUGH).fit(blobs[0])
    assert found.n_clusters_ == 2
    assert set(found.labels_) == {0, 1}


@pytest.mark.slow
def test_the_same_seed_gives_the_same_and_leaves_the_callers_random_numbers(blobs, fitted):
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    again = clone(fitted).fit(blobs[0])
    assert torch.equal(torch.rand(1), expected)
    np.testing.assert_array_equal(again.labels_, fitted.labels_)
    np.testing.assert_array_equal(again.transform(blobs[0]), fitted.transform(blobs[0]))


def test_a_pickle_holds_the_model_and_not_the_samples(blobs, fitted):
    kept = pickle.dumps(fitted)
    np.testing.assert_array_equal(pickle.loads(kept).predict(blobs[0]), fitted.labels_)
    more = np.concatenate([blobs[0]] * 20)
    assert len(pickle.dumps(DeepSOM(**SMALL, max_epochs=1).fit(more))) < more.nbytes


def test_frames_have_names_and_sparse_matrices_are_the_same(blobs):
    few = {**SMALL, "max_epochs": 2}
    frame = pd.DataFrame(blobs[0], columns=list("abcdef"))
    named = DeepSOM(**few).fit(frame)
    assert list(named.feature_names_in_) == list("abcdef")
    with pytest.raises(ValueError, match="feature names"):
        named.predict(frame.rename(columns={"a": "z"}))
    dense = np.where(blobs[0] > 0, blobs[0], 0)
    thin = DeepSOM(**few).fit(sparse.csr_matrix(dense))
    np.testing.assert_array_equal(thin.labels_, DeepSOM(**few).fit(dense).labels_)


def test_it_stands_in_a_pipeline_and_a_search(blobs):
    x, y = blobs
    few = {**SMALL, "max_epochs": 3}
    pipeline = make_pipeline(StandardScaler(), DeepSOM(**few))
    assert pipeline.fit_predict(x).shape == (500,)
    assert pipeline.transform(x).shape == (500, 4)

    def purity(estimator, x, y):
        return adjusted_rand_score(y, estimator.predict(x))

    search = GridSearchCV(
        DeepSOM(**few), {"radius": [0.4, 0.8]}, scoring=purity, cv=2, error_score="raise"
    )
    search.fit(x, y)
    again = DeepSOM(**few, **search.best_params_).fit(x)
    np.testing.assert_array_equal(search.best_estimator_.labels_, again.labels_)


@pytest.mark.slow
def test_a_stream_is_learned_part_by_part():
    x, y = make_blobs(4500, centers=4, n_features=6, cluster_std=0.8, random_state=1)
    stream = DeepSOM(**SMALL, batch_size=50)
    for part in np.split(x, 15):
        stream.partial_fit(part)
    assert stream.labels_.shape == (300,)
    assert stream.n_clusters_ == 4
    assert adjusted_rand_score(y, stream.predict(x)) > 0.95
    again = pickle.loads(pickle.dumps(stream)).partial_fit(x[:300])
    np.testing.assert_array_equal(again.labels_, stream.partial_fit(x[:300]).labels_)


def test_going_on_after_a_fit_is_at_the_full_learning_rate(blobs):
    found = DeepSOM(**SMALL, max_epochs=2, learning_rate=0.01).fit(blobs[0])
    found.partial_fit(blobs[0])
    optimizer = found.model_._optimizer(found.model_.parameters())
    assert [group["lr"] for group in optimizer.param_groups] == [0.01]
    assert all(state["step"] == 6 for state in found._moments.values())  # 2 + 1 epochs of two


@pytest.mark.parametrize("kind", [DeepSOM, GrowingSOM])
@pytest.mark.parametrize(
    "wrong",
    [
        *({"max_epochs": 0}, {"max_epochs": 1.5}, {"n_clusters": 2.5}, {"n_clusters": "auto"}),
        *({"n_clusters": 0}, {"max_nodes": 1}, {"radius": 0.0}, {"radius": "wide"}),
        *({"batch_size": 2.5}, {"random_state": -1}, {"verbose": "loud"}, {"device": 3}),
    ],
)
def test_parameters_out_of_range_are_refused_by_name(blobs, kind, wrong):
    name = next(iter(wrong))
    for fit in ("fit", "partial_fit"):
        with pytest.raises(ValueError, match=f"'{name}' parameter of {kind.__name__} must be"):
            getattr(kind(**wrong), fit)(blobs[0])


def test_more_clusters_than_nodes_are_warned_of(blobs):
    with pytest.warns(ConvergenceWarning, match="100 clusters were asked for"):
        GrowingSOM(100, max_epochs=2, device="cpu").fit(blobs[0])


def test_a_large_offset_makes_no_difference(blobs):
    x, y = blobs
    far = GrowingSOM(4, device="cpu", max_epochs=10).fit(x + 1.7e9)
    assert adjusted_rand_score(y, far.labels_) > 0.95
    assert adjusted_rand_score(y, far.predict(x + 1.7e9)) > 0.95


def test_tensors_are_rows_of_numbers(blobs, fitted):
    x = torch.from_numpy(blobs[0])
    np.testing.assert_array_equal(fitted.predict(x.requires_grad_()), fitted.predict(blobs[0]))
    assert len(fitted.predict(x.detach().bfloat16())) == len(x)


def test_a_few_rows_more_leave_the_clusters_of_many(blobs):
    x, y = blobs
    found = GrowingSOM(device="cpu", max_epochs=10, random_state=0).fit(x)
    assert found.n_clusters_ == 4
    found.partial_fit(x[:5])
    assert found.n_clusters_ == 4
    assert adjusted_rand_score(y, found.predict(x)) > 0.95


def test_the_recipe_is_what_the_command_composes(tmp_path):
    cfg = compose_config("train", ["model=neighbor_somrl"], tmp_path)
    cfg.input_shape = [1, 8, 8]
    composed, made = instantiate(cfg.model), neighbor_somrl((1, 8, 8))

    def settings(module):
        plain = (bool, int, float, str, type(None))
        return {
            f"{name}.{key}": value
            for name, part in module.named_modules()
            for key, value in vars(part).items()
            if isinstance(value, plain) and not key.startswith("__")
        }

    assert settings(made) == settings(composed)
    assert [p.shape for p in made.parameters()] == [p.shape for p in composed.parameters()]
    assert made._optimizer.keywords == composed._optimizer.keywords
    assert made._optimizer.func is composed._optimizer.func


@pytest.mark.slow
def test_digits_as_a_table_are_told_apart_better_than_by_k_means():
    x, y = load_digits(return_X_y=True)
    found = DeepSOM(10, random_state=0, batch_size=128, hidden_dims=(128, 128), device="cpu").fit(x)
    plain = KMeans(10, n_init=10, random_state=0).fit_predict(x / 16)
    assert adjusted_rand_score(y, found.labels_) > adjusted_rand_score(y, plain) + 0.04
    assert 7 <= found.model_.merged().max() + 1 <= 12


@pytest.mark.parametrize("kind", [DeepSOM, GrowingSOM])
@pytest.mark.parametrize("device", ["cuda", "tpu", "abacus"])
def test_a_device_that_is_not_there_is_refused(kind, device):
    if torch.cuda.is_available() and device == "cuda":
        pytest.skip("there is a GPU")
    with pytest.raises(ConfigError, match=f"device={device} cannot be used here.*device=cpu"):
        kind(device=device).fit(np.random.default_rng(0).random((20, 3)))
