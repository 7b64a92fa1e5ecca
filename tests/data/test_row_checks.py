"""Rows that are distances, counts or columns twice are said, in files and in memory."""

import numpy as np
import pandas as pd
import pytest

from dcsomrl import GrowingSOM
from dcsomrl.data.files import arrays
from dcsomrl.data.in_memory import make_arrays

X = np.random.default_rng(0).random((30, 4))


def find_notes(tmp_path, x, kind):
    if kind == "memory":
        return make_arrays(x).notes
    if kind == "frame":
        return make_arrays(pd.DataFrame(x).rename(columns="c{}".format)).notes
    path = tmp_path / f"t.{kind}"
    if kind == "npy":
        np.save(path, x)
    else:
        pd.DataFrame(x).rename(columns="c{}".format).to_csv(path, index=False)
    return arrays(str(path)).notes


KINDS = ["memory", "frame", "npy", "csv"]


@pytest.mark.parametrize("kind", KINDS)
def test_matrices_of_pairs_are_said(tmp_path, kind):
    apart = np.abs(X[:, :1] - X[:, :1].T)
    for x in (apart, np.corrcoef(X), 1 - apart):
        assert any("symmetric matrix 30 x 30" in one for one in find_notes(tmp_path, x, kind))
    for x in (apart[:20], X @ np.random.default_rng(1).random((4, 30)), np.ones((30, 30))):
        assert not any("symmetric" in one for one in find_notes(tmp_path, x, kind))


@pytest.mark.parametrize("kind", KINDS)
def test_columns_that_stand_twice_are_said(tmp_path, kind):
    x = np.c_[X, X[:, 1], np.ones(30), np.ones(30)]
    name = "{}" if kind in ("memory", "npy") else "c{}"
    (said,) = [one for one in find_notes(tmp_path, x, kind) if "count twice" in one]
    assert f"twice: {name.format(4)} (as {name.format(1)});" in said
    assert not any("count twice" in one for one in find_notes(tmp_path, X, kind))


@pytest.mark.parametrize("kind", ["memory", "npy"])
def test_a_column_of_an_array_that_counts_is_said(tmp_path, kind):
    notes = find_notes(tmp_path, np.c_[np.arange(30), X], kind)
    assert any("column 0 counts the rows" in one for one in notes)
    assert not any("counts" in one for one in find_notes(tmp_path, X, kind))


def test_missing_values_and_truth_values_are_no_mistake():
    assert not make_arrays(np.full((30, 3), np.nan)).notes
    make_arrays(X > 0.5)


def test_estimators_say_so_too(caplog):
    GrowingSOM(max_epochs=1).fit(np.abs(X[:, :1] - X[:, :1].T))
    assert "symmetric matrix" in caplog.text


def test_one_picture_in_the_place_of_several_is_said(tmp_path):
    picture = np.zeros((32, 40, 3), np.uint8)
    assert any("32 images of 40 x 3" in one for one in make_arrays(picture).notes)
    for other in (np.zeros((32, 4, 3), np.uint8), np.zeros((32, 40, 3))):
        assert not any("one picture" in one for one in make_arrays(other).notes)


@pytest.mark.parametrize("name", ["split", "Fold", "cv_fold", "cluster", "cluster_id", "y_pred"])
@pytest.mark.parametrize("target", [None, "c0"])
def test_splits_and_results_among_features_are_said(tmp_path, name, target):
    table = pd.DataFrame(X, columns=[*"abc", name]).assign(c0=[0, 1, 2] * 10)
    table[name] = [*range(5)] * 6
    table.to_csv(tmp_path / "t.csv", index=False)
    notes = arrays(str(tmp_path / "t.csv"), target=target).notes
    assert any(f"column {name} is called as what stands beside" in one for one in notes)
    assert not arrays(str(tmp_path / "t.csv"), target=target, ignore=[name]).notes
