"""What a file of arrays holds is taken, or left out by name, and said once."""

import logging
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from dcsomrl.data.files import Reading, arrays, read_features
from dcsomrl.data.roles import Roles
from dcsomrl.errors import DataError

X = np.random.default_rng(0).random((12, 3))
OBJECTS = np.array([{}] * 12, dtype=object)
LABELS = st.one_of(
    st.lists(st.sampled_from(["a", "b", "NA", "1"]), min_size=12, max_size=12),
    st.lists(st.integers(0, 3), min_size=12, max_size=12),
    st.lists(st.booleans(), min_size=12, max_size=12),
)


def save(path, content):
    if path.suffix == ".npz":
        np.savez(path, **content)
    elif path.suffix == ".npy":
        np.save(path, content)
    else:
        torch.save(content, path)
    return str(path)


@settings(max_examples=40, deadline=None)
@given(
    y=LABELS, name=st.sampled_from(["y", "labels", "target"]), form=st.sampled_from([list, tuple])
)
def test_labels_of_a_list_beside_a_tensor_are_taken(tmp_path_factory, y, name, form):
    path = tmp_path_factory.mktemp("pt") / "a.pt"
    notes = []
    got = read_features(save(path, {"x": torch.from_numpy(X), name: form(y)}), notes=notes)
    assert got.y.tolist() == y
    assert name == "y" or any(f"labels are taken from {name}" in one for one in notes)


EXTRAS = {
    "a list of names": (["n"] * 12, "extra"),
    "a list of several kinds": (["n", 1, None], "extra (a list)"),
    "a dict": ({"a": 1}, "extra (a dict)"),
    "a number": (3, "extra (a int)"),
    "nothing": (None, "extra (a NoneType)"),
    "an empty list": ([], "extra (a list)"),
    "large integers": ([2**70] * 12, "extra (integers beyond 64 bits)"),
    "rows of several lengths": ([[1, 2], [3]], "extra (a list)"),
}


@pytest.mark.parametrize("extra", EXTRAS.values(), ids=EXTRAS.keys())
@pytest.mark.parametrize("splits", [False, True])
def test_what_stands_beside_tensors_is_left_out_and_said_once(tmp_path, extra, splits, caplog):
    one, said = extra
    names = ("x_train", "x_test") if splits else ("x",)
    content = {**dict.fromkeys(names, torch.from_numpy(X)), "extra": one}
    with caplog.at_level(logging.INFO):
        got = arrays(save(tmp_path / "a.pt", content))
    (note,) = got.notes
    assert f"left out: {said}" in note
    assert max(Counter(record.getMessage() for record in caplog.records).values()) == 1


def test_lists_of_rows_and_of_tensors_are_samples(tmp_path):
    for x in (X.tolist(), list(torch.from_numpy(X)), [tuple(row) for row in X.tolist()]):
        np.testing.assert_array_equal(read_features(save(tmp_path / "a.pt", {"x": x})).x, X)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"x": X, "y": OBJECTS}, r"holds Python objects in the place of labels \(y\)"),
        ({"x": OBJECTS, "y": np.arange(12)}, r"holds Python objects in the place of samples \(x\)"),
        (
            {"x": X, "y": np.arange(24).reshape(12, 2)},
            r"labels \(y of .*\) of shape \(12, 2\) are several",
        ),
        (
            {"x": X, "y": np.eye(2, dtype=int)[[0, 1] * 6]},
            r"a 1 in the column of their class: .*argmax",
        ),
        ({"x": X, "y": np.array(3)}, r"12 samples but labels \(y of .*\) of shape \(\)"),
        ({"x_train": X, "x_test": X, "y_train": OBJECTS}, r"place of labels \(y_train\)"),
        ({"u": OBJECTS}, r"no array named x, but u \(Python objects\)"),
    ],
)
def test_objects_where_arrays_are_needed_are_named(tmp_path, content, said):
    with pytest.raises(DataError, match=said):
        arrays(save(tmp_path / "a.npz", content))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"x": {"a": 1}}, r"a dict in the place of samples \(x\)"),
        ({"x": torch.from_numpy(X), "y": {"a": 1}}, r"a dict in the place of labels \(y\)"),
        ({"x": torch.from_numpy(X), "y": ["a", None] * 6}, r"a list in the place of labels \(y\)"),
    ],
)
def test_what_is_no_array_in_a_dict_of_tensors_is_named(tmp_path, content, said):
    with pytest.raises(DataError, match=said):
        arrays(save(tmp_path / "a.pt", content))


def test_an_array_of_objects_is_refused_as_such(tmp_path):
    with pytest.raises(DataError, match="Python objects in the place of samples"):
        arrays(save(tmp_path / "a.npy", OBJECTS))


@pytest.mark.parametrize("splits", [False, True])
def test_objects_beside_samples_are_left_out_and_said(tmp_path, splits):
    content = {"x_train": X, "x_test": X} if splits else {"x": X, "y": np.arange(12) % 3}
    got = arrays(save(tmp_path / "a.npz", {**content, "names": OBJECTS}))
    assert any("left out: names (Python objects)" in one for one in got.notes)
    assert (got.train_y is None) == splits


def test_samples_beside_those_of_splits_are_said_to_be_left_out(tmp_path):
    got = arrays(save(tmp_path / "a.npz", {"x_train": X, "x_test": X, "x": X, "y": X[:, 0]}))
    assert any("left out: x, y" in one for one in got.notes)
    got = arrays(save(tmp_path / "b.npz", {"x": X, "x_train": X}))
    assert any("left out: x_train" in one for one in got.notes)


@pytest.mark.parametrize("kind", ["alone", "sparse", "sparse alone"])
def test_what_is_read_is_said_once(tmp_path, kind, caplog):
    path = tmp_path / "a.npz"
    if kind == "alone":
        np.savez(path, embedding=X, count=np.arange(3))
    else:
        sparse.save_npz(path, sparse.csr_matrix(X))
    with caplog.at_level(logging.INFO):
        arrays(str(path))
    said = Counter(record.getMessage() for record in caplog.records)
    assert max(said.values()) == 1
    assert any("taken from embedding" in one or "is made dense" in one for one in said)


@pytest.mark.parametrize("rows", [{0}, {3, 7}, set(range(11))])
@pytest.mark.parametrize("split", ["", "_test"])
def test_rows_with_gaps_are_named_and_do_not_hide_the_span(tmp_path, rows, split, caplog):
    x = X.copy()
    x[sorted(rows), 1] = np.nan
    path, notes = tmp_path / ("a.npz" if split else "a.npy"), []
    save(path, {"x_train": X, "x_test": x} if split else x)
    with caplog.at_level(logging.INFO):
        got = read_features(path, Reading(Roles(missing="drop")), notes, split)
    assert got.about["row"].tolist() == [i for i in range(12) if i not in rows]
    first = ", ".join(f"row {i}" for i in sorted(rows)[:8])
    name = f"{path}, x_test" if split else str(path)
    said = f"{name}: {len(rows)} rows with missing values are left out: {first}"
    assert notes[0].startswith(said)
    assert f"from {np.nanmin(x):g} to {np.nanmax(x):g}" in caplog.text


@pytest.mark.parametrize("names", ["X y", "x Y", "X Y", "X_train Y_train X_test Y_test"])
def test_names_in_capitals_are_known(tmp_path, names):
    path, x, y = tmp_path / "t.npz", np.random.default_rng(0).random((20, 3)), np.arange(20) % 4
    named = {name: x if name in ("x", "X") or name[0] == "X" else y for name in names.split()}
    np.savez(path, **named, X_umap=x[:, :2])
    got = arrays(str(path))
    assert got.train_x.shape[1] == 3
    assert got.class_names == ["0", "1", "2", "3"]


def test_labels_in_bytes_are_text(tmp_path):
    y = np.array(["gr\u00fcn".encode(), b"rot"] * 10)
    np.savez(tmp_path / "t.npz", x=np.random.default_rng(0).random((20, 3)), y=y)
    assert arrays(str(tmp_path / "t.npz")).class_names == ["gr\u00fcn", "rot"]
