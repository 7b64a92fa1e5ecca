"""What ClusterData is given from Python: arguments of another kind or order end in a sentence."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from dcsomrl import Arrays, ClusterData
from dcsomrl.data.in_memory import make_arrays
from dcsomrl.data.roles import Roles
from dcsomrl.errors import DataError

X = np.random.default_rng(0).random((40, 3))
T = torch.from_numpy(X)
Y = torch.arange(40) % 3
WHOLE = ("batch_size", "passes", "sequence_length", "seed", "num_workers")


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("given", [1, np.int64(1), np.array(1), torch.tensor(1)])
def test_whole_numbers_of_every_kind_are_taken(name, given):
    data = ClusterData(X, val_fraction=0, **{name: given})
    assert type(getattr(data, name)) is int
    data.setup("fit")
    if name != "num_workers":
        assert len(next(iter(data.train_dataloader())).x) == (1 if name == "batch_size" else 40)


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("given", [None, "x", -1, 1.0, 1.5, np.nan, True, [1], 1j, 2**70])
def test_what_is_no_whole_number_is_refused_by_name(name, given):
    with pytest.raises(ValueError, match=f"^{name} must be "):
        ClusterData(X, val_fraction=0, **{name: given})


@pytest.mark.parametrize(
    ("name", "given"),
    [
        *(("val_fraction", one) for one in (None, "x", -0.1, 1, np.nan, np.inf, True, [0.1])),
        *(("normalization", one) for one in (None, "zscore", 1, ["unit"], np.array(["unit"]))),
        *(("name", one) for one in (None, 3, ["a"])),
        *(("path", one) for one in (3, ["a"], True)),
        *(("target", one) for one in ("kind", 0)),
    ],
)
def test_other_arguments_of_another_kind_are_refused_by_name(name, given):
    with pytest.raises(ValueError, match=f"^{name}( must be |=.* there is no `path`)"):
        ClusterData(X, **{name: given})


def test_shares_and_paths_of_every_kind_are_taken():
    data = ClusterData(X, val_fraction=np.array(0.25), path=Path("a.csv"), target=0)
    assert data.val_fraction == 0.25
    assert data.path == "a.csv"


@pytest.mark.parametrize(
    "name",
    ["arrays", "shape", "num_classes", "class_names", "fingerprint", "constant", "is_streamed"],
)
def test_what_is_asked_before_setup_is_answered_by_what_to_call(name):
    with pytest.raises(DataError, match=r"call setup\(\) first"):
        getattr(ClusterData(X), name)


@pytest.mark.parametrize("name", ["train_dataloader", "test_dataloader", "state_dict"])
def test_loaders_and_states_need_setup(name):
    ask = getattr(ClusterData(X), name)
    with pytest.raises(DataError, match=r"call setup\(\)"):
        ask()


@pytest.mark.parametrize("split", ["foo", None, 3, ["train"]])
@pytest.mark.parametrize("method", ["rows", "split_dataloader", "about"])
def test_a_split_that_is_none_is_refused(split, method):
    data = ClusterData(X)
    data.setup()
    with pytest.raises(DataError, match="split must be train, val or test"):
        getattr(data, method)(split)


@pytest.mark.parametrize("method", ["transform", "normalize", "normalizer"])
@pytest.mark.parametrize("x", [X, X.tolist(), pd.DataFrame(X), "x", None, T[:, :2], T[0], T + 0j])
def test_later_samples_are_tensors_of_the_same_features(method, x):
    data = ClusterData(X)
    data.setup()
    with pytest.raises(DataError, match=r"the input should be (a tensor|real numbers of shape)"):
        getattr(data, method)(x)


def test_samples_of_other_features_do_not_follow_a_training():
    data, other = ClusterData(X), ClusterData(X[:, :2])
    data.setup()
    other.follow(data)
    with pytest.raises(DataError, match=r"should be real numbers of shape \(n, 3\)"):
        other.setup()


NO_SAMPLES = {
    "None": (None, "got None"),
    "path": ("flowers.csv", r"text 'flowers.csv': files are read by"),
    "Path": (Path("flowers.csv"), r"text 'flowers.csv': files are read by"),
    "loader": (DataLoader(TensorDataset(T)), r"DataLoader of torch: stack"),
    "dataset": (TensorDataset(T), r"TensorDataset of torch: stack"),
    "class": (dict, "got the class dict"),
    "module": (torch.nn.Linear(3, 2), "class Linear"),
    "array of a function": (lambda: X, "the source of data gave an object of class ndarray"),
    "nothing": (lambda: None, "class NoneType"),
    "open function": (lambda a: a, r"cannot be called as it is \(missing a required argument"),
    "array in Arrays": (Arrays(X, None, T, None), "`train_x` of data should be a tensor"),
    "sparse": (Arrays(T.to_sparse(), None, T, None), "`train_x` of data should be a dense tensor"),
    "complex": (Arrays(T, None, T + 0j, None), "`test_x` of data should be a dense tensor"),
    "meta": (Arrays(torch.empty(3, 3, device="meta"), None, T, None), "on meta"),
    "flat": (Arrays(T[:, 0], None, T, None), r"got shape \(40,\)"),
    "floats": (Arrays(T, Y * 1.0, T, None), "`train_y` of data should be a tensor of classes"),
    "list": (Arrays(T, Y, T, Y.tolist()), "`test_y` of data should be a tensor of classes"),
    "nameless": (
        Arrays(T, Y, T, None, ["a"]),
        "classes from 0 to 2, and there are 1 `class_names`",
    ),
    "negative": (Arrays(T, Y - 1, T, None, ["a", "b", "c"]), "classes from -1 to 1"),
    "names": (Arrays(T, None, T, None, None, ["a"]), "1 `feature_names` for samples of shape"),
    "text": (Arrays(T, None, T, None, None, "abc"), "`feature_names` of data are one text"),
    "about": (
        Arrays(T, None, T, None, train_about=pd.DataFrame({"a": [1]})),
        "1 rows of `train_about` for 40 samples",
    ),
}


@pytest.mark.parametrize(("source", "said"), NO_SAMPLES.values(), ids=NO_SAMPLES.keys())
def test_a_source_that_is_none_is_refused(source, said):
    with pytest.raises(DataError, match=said):
        ClusterData(source).setup()


def test_classes_of_few_bits_and_samples_with_gradients_are_taken():
    x, y = T.clone().requires_grad_(), Y.to(torch.int8)
    data = ClusterData(Arrays(x, y, x, Y > 0), val_fraction=0)
    data.setup("fit")
    assert data.num_classes == 3
    assert not data.arrays.train_x.requires_grad


FRAME = pd.DataFrame(X, columns=["a", "b", "c"]).assign(kind=["p", "q"] * 20)
WITHOUT_EFFECT = {
    "labels of no split": ((X, Y), {"test_y": Y}, "`test_y` is given without `test_x`"),
    "labels of no split of a frame": ((FRAME,), {"test_y": Y}, "without `test_x`"),
    "target twice": ((FRAME, Y), {"roles": Roles("kind")}, "as `y` and by `target=kind`"),
    "target twice in the test split": (
        (FRAME, None, FRAME, Y),
        {"roles": Roles("kind")},
        "as `test_y` and by `target=kind`",
    ),
    **{
        f"{name} of an array": ((X,), {"roles": Roles(**{name: value})}, f"`{name}` is about col")
        for name, value in {
            **{"target": "a", "id": "a", "keep": "a", "columns": "a", "ignore": "a"},
            "categories": "onehot",
        }.items()
    },
    "frame and array": ((FRAME.iloc[:, :3], None, X), {}, "`x` is a data frame and `test_x`"),
    "array and frame": ((X, None, FRAME.iloc[:, :3]), {}, "`test_x` is a data frame and `x`"),
    "no roles": ((FRAME,), {"roles": {"target": "kind"}}, "`roles` should be .*Roles`, got a dict"),
}


@pytest.mark.parametrize(
    ("given", "more", "said"), WITHOUT_EFFECT.values(), ids=WITHOUT_EFFECT.keys()
)
def test_an_argument_without_effect_is_refused(given, more, said):
    with pytest.raises(DataError, match=said):
        make_arrays(*given, **more)


def test_missing_values_of_an_array_are_dropped_or_filled():
    x = X.copy()
    x[3, 1] = np.nan
    dropped = make_arrays(x, Y, roles=Roles(missing="drop"))
    np.testing.assert_array_equal(dropped.train_x, np.delete(X, 3, axis=0))
    assert dropped.train_y.tolist() == np.delete(Y.numpy(), 3).tolist()
    assert dropped.train_about["row"].tolist() == [row for row in range(40) if row != 3]
    assert "1 rows with missing values are left out: row 3" in dropped.notes[0]
    assert make_arrays(x, roles=Roles(missing="median")).may_lack
