"""The estimators' parameters and samples as they come: read, or refused in a sentence."""

import logging
import tracemalloc

import numpy as np
import pandas as pd
import pyarrow
import pytest
import torch
from scipy import sparse
from sklearn.exceptions import NotFittedError

from dcsomrl import DeepSOM, GrowingSOM
from dcsomrl.errors import ConfigError, DataError

X = np.random.default_rng(0).random((30, 4))
FRAME = pd.DataFrame(X, columns=list("abcd"))
SMALL = {"max_epochs": 2, "batch_size": 4, "device": "cpu", "random_state": 0}
DEEP = {**SMALL, "hidden_dims": (4,), "latent_dim": 2}
KINDS = [(GrowingSOM, SMALL), (DeepSOM, DEEP)]
NUMBERS = ("n_clusters", "max_nodes", "radius", "max_epochs", "batch_size", "learning_rate")


def fit(**given):
    return GrowingSOM(**{**SMALL, **given}).fit(X)


@pytest.mark.parametrize(("kind", "small"), KINDS)
@pytest.mark.parametrize("make", [np.int64, np.array, torch.tensor])
def test_numbers_of_every_kind_are_those_of_python(kind, small, make):
    numbers = {"n_clusters": 2, "max_nodes": 4, "max_epochs": 1, "batch_size": 8, "random_state": 3}
    numbers |= {} if kind is GrowingSOM else {"latent_dim": 3, "n_neighbors": 2}
    expected = kind(**{**small, **numbers}).fit(X)
    got = kind(**{**small, **{name: make(one) for name, one in numbers.items()}}).fit(X)
    np.testing.assert_array_equal(got.labels_, expected.labels_)
    np.testing.assert_array_equal(got.prototypes_, expected.prototypes_)


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("given", [True, "x", -1, 0, np.nan, np.inf, 1j, [1], np.array([1])])
def test_numbers_of_another_kind_are_refused_by_name(name, given):
    for make in (GrowingSOM, DeepSOM):
        with pytest.raises(ValueError, match=f"'{name}' parameter of {make.__name__} must be"):
            make(**{name: given}).fit(X)


@pytest.mark.parametrize("name", ["n_clusters", "max_nodes", "max_epochs", "batch_size"])
@pytest.mark.parametrize("given", [2.0, 2**40])
def test_sizes_are_whole_and_no_larger_than_torch_takes(name, given):
    with pytest.raises(ValueError, match=f"'{name}' parameter of GrowingSOM must be"):
        fit(**{name: given})


@pytest.mark.parametrize(
    "widths", [np.array([8, 4]), [np.int64(8)], torch.tensor([8]), range(3, 5)]
)
def test_widths_of_layers_come_in_any_sequence(widths):
    model = DeepSOM(**{**DEEP, "hidden_dims": widths}).fit(X).model_
    layers = [one.out_features for one in model.modules() if isinstance(one, torch.nn.Linear)]
    assert layers[: len(widths)] == [int(width) for width in widths]


@pytest.mark.parametrize(
    "widths", [None, "8", 8, [0], [-1], [8.0], ["a"], [True], [[8]], np.array([[8]]), {8: 1}]
)
def test_what_is_no_width_of_layers_is_refused(widths):
    with pytest.raises(ValueError, match="'hidden_dims' parameter of DeepSOM must be a sequence"):
        DeepSOM(**{**DEEP, "hidden_dims": widths}).fit(X)


@pytest.mark.parametrize(
    "changed", [{"max_nodes": 5}, {"radius": 0.1}, {"latent_dim": 3}, {"hidden_dims": (5,)}]
)
def test_what_a_model_is_made_of_does_not_change_between_parts(changed):
    stream = DeepSOM(**DEEP).partial_fit(X)
    (name,) = changed
    with pytest.raises(ConfigError, match=f"{name} was .* fit anew"):
        stream.set_params(**changed).partial_fit(X)
    stream.set_params(**{name: DeepSOM(**DEEP).get_params()[name]}).partial_fit(X)
    stream.set_params(n_clusters=1, batch_size=8, n_neighbors=2).partial_fit(X)
    stream.set_params(**changed).fit(X)


@pytest.mark.parametrize("ask", ["predict", "transform", "predict_nodes", "predict_memberships"])
def test_before_a_fit_and_after_one_that_failed_there_is_nothing_to_ask(ask):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(GrowingSOM(), ask)(X)
    failed = GrowingSOM(device="abacus")
    with pytest.raises(ConfigError):
        failed.fit(X)
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(failed, ask)(X)
    assert failed.set_params(device="cpu").partial_fit(X).labels_.shape == (30,)


@pytest.mark.parametrize("ask", ["predict", "transform", "partial_fit", "predict_memberships"])
@pytest.mark.parametrize(
    ("given", "said"),
    [
        (X[:, :2], "X has 2 features, but GrowingSOM is expecting 4"),
        (X[:0], "0 sample"),
        (X[0], "Reshape your data"),
        (np.where(X > 0.9, np.nan, X), "samples have 19 values .* first NaN in row 1, column 1"),
        (np.where(X > 0.9, np.inf, X), r"first an infinite value \(inf\) in row 1, column 1"),
        (sparse.csr_matrix(np.where(X > 0.9, np.nan, X)), "first NaN in row 1, column 1"),
        (FRAME.mask(FRAME > 0.9).convert_dtypes(), "first NaN in row 1, column b"),
    ],
)
def test_later_samples_that_do_not_fit_are_refused(ask, given, said):
    fitted = GrowingSOM(**SMALL).fit(FRAME if isinstance(given, pd.DataFrame) else X)
    with pytest.raises(ValueError, match=said):
        getattr(fitted, ask)(given)


@pytest.mark.parametrize("names", [list("abcd"), range(4), [("g", one) for one in "abcd"]])
def test_columns_in_another_order_are_refused_whatever_their_names_are(names):
    frame = FRAME.set_axis(pd.Index(list(names)), axis=1)
    fitted = GrowingSOM(**SMALL).fit(frame)
    np.testing.assert_array_equal(fitted.predict(frame.copy()), fitted.labels_)
    for ask in (fitted.predict, fitted.partial_fit):
        with pytest.raises(ValueError, match=r"in (the same|this) order"):
            ask(frame.iloc[:, ::-1])


def test_frames_of_other_libraries_have_the_same_names():
    fitted = GrowingSOM(**SMALL).fit(pyarrow.table(FRAME))
    assert list(fitted.feature_names_in_) == list("abcd")
    np.testing.assert_array_equal(fitted.predict(FRAME), fitted.labels_)
    with pytest.raises(ValueError, match="same order"):
        fitted.predict(pyarrow.table(FRAME.iloc[:, ::-1]))


def test_categories_that_are_numbers_are_taken_as_these_which_is_said(caplog):
    given = pd.DataFrame({"k": pd.Categorical([1, 2, 3] * 10), "a": X[:, 0]})
    plain = given.assign(k=[1.0, 2.0, 3.0] * 10)
    with caplog.at_level(logging.WARNING, "dcsomrl"):
        seen = GrowingSOM(**SMALL).fit(given)
    assert "column k has categories that are numbers, and is taken as these" in caplog.text
    np.testing.assert_array_equal(seen.prototypes_, GrowingSOM(**SMALL).fit(plain).prototypes_)
    np.testing.assert_array_equal(seen.predict(plain), seen.labels_)
    with pytest.raises(DataError, match=r"k \(categories\)"):
        GrowingSOM(**SMALL).fit(given.assign(k=pd.Categorical(["x", "y", "z"] * 10)))


def test_values_far_from_one_are_clustered_as_they_are():
    near = GrowingSOM(**SMALL).fit(X)
    assert near.n_clusters_ > 1
    for factor in (1e300, 1e-300):
        far = GrowingSOM(**SMALL).fit(X * factor)
        np.testing.assert_array_equal(far.labels_, near.labels_)


@pytest.mark.parametrize("kind", [GrowingSOM, DeepSOM])
def test_errors_of_estimators_name_no_setting_of_the_command_line(kind):
    x = np.random.default_rng(0).random((30, 3))
    x[3, 2], x[4, 2] = 1e308, -1e308
    with pytest.raises(ValueError, match=r"make them smaller$"):
        kind(max_epochs=1).fit(x)


def test_codes_and_dates_in_samples_are_said(caplog):
    x = np.random.default_rng(0).random((30, 3))
    x[4, 1] = -999
    x[:, 2] = np.resize([20240101, 20240131, 20240215], 30)
    GrowingSOM(max_epochs=1).fit(x)
    said = " ".join(record.getMessage() for record in caplog.records)
    assert "-999 lies far from all other values of column 1 (the first in row 4)" in said
    assert "column 2 are dates, as 20240101 (yyyymmdd)" in said


@pytest.mark.parametrize("ask", ["predict", "transform", "predict_memberships"])
@pytest.mark.parametrize(
    "wide",
    [
        np.zeros((20_000, 300), np.uint8),
        np.zeros((20_000, 300), np.float16),
        sparse.random_array((20_000, 300), density=0.001, format="csc"),
        sparse.csr_array((20_000, 300), dtype=np.int64),
    ],
    ids=["bytes", "halves", "sparse", "counts"],
)
def test_of_new_samples_no_more_than_a_batch_is_made_of_floats(wide, ask):
    few = np.random.default_rng(0).random((50, 300))
    estimator = GrowingSOM(max_epochs=1, random_state=0, device="cpu").fit(few)
    tracemalloc.start()
    given = getattr(estimator, ask)(wide)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(given) == 20_000
    assert peak < 20_000 * 300 * 8 / 3


@pytest.mark.parametrize(
    "hold",
    [
        sparse.coo_matrix,
        lambda x: pd.DataFrame.sparse.from_spmatrix(sparse.csr_matrix(x)),
        lambda x: torch.tensor(x).to_sparse(),
        lambda x: torch.tensor(x).to_sparse_csr(),
    ],
    ids=["scipy", "pandas", "torch", "torch rows"],
)
def test_the_memory_of_sparse_samples_is_said(caplog, hold):
    rows = np.eye(20, 3)
    with caplog.at_level("INFO", logger="dcsomrl"):
        GrowingSOM(max_epochs=1, random_state=0, device="cpu").fit(hold(rows))
    assert "sparse samples of shape (20, 3) are made dense: 0.0 MB" in caplog.text
