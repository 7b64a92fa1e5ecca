import gzip

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from dcsomrl.data.arrays import check_arrays
from dcsomrl.data.files import arrays, read_features
from dcsomrl.errors import DataError

RNG = np.random.default_rng(0)
TABLE = pd.DataFrame(
    {
        "length": RNG.random(20),
        "kind": [("rose", "iris", "lily")[i % 3] for i in range(20)],
        "count": RNG.integers(0, 9, 20),
    }
)


def save(table, path):
    table.to_csv(path, index=False) if path.suffix == ".csv" else table.to_parquet(path)
    return str(path)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_table_gives_every_row_with_its_label(tmp_path, suffix):
    got = check_arrays(arrays(save(TABLE, tmp_path / f"t.{suffix}"), "kind"), "t")
    assert got.feature_names == ["length", "count"]
    assert got.class_names == ["iris", "lily", "rose"]
    assert len(got.test_x) == 4
    x, y = torch.cat([got.train_x, got.test_x]), torch.cat([got.train_y, got.test_y])
    order = np.argsort(x[:, 0].numpy())
    expected = TABLE.sort_values("length")
    np.testing.assert_allclose(x.numpy()[order], expected[["length", "count"]], rtol=1e-6)
    assert [got.class_names[label] for label in y[order]] == expected["kind"].tolist()


def test_a_table_without_a_target_has_no_labels(tmp_path):
    got = arrays(save(TABLE.drop(columns="kind"), tmp_path / "t.csv"))
    assert got.train_y is None
    assert got.class_names is None


def test_numbers_and_truth_values_may_be_labels(tmp_path):
    table = TABLE.assign(code=[7.0, 3.0] * 10, flag=[True, False] * 10).drop(columns="kind")
    path = save(table, tmp_path / "t.parquet")
    assert arrays(path, "code").class_names == ["3", "7"]
    assert arrays(path, "flag").class_names == ["False", "True"]


def test_a_test_table_is_read_by_column_name(tmp_path):
    path = save(TABLE, tmp_path / "train.csv")
    other = TABLE[::-1][["count", "kind", "length"]].replace("lily", "tulip")
    got = arrays(path, "kind", save(other, tmp_path / "test.csv"))
    assert got.class_names == ["iris", "lily", "rose", "tulip"]
    np.testing.assert_allclose(got.test_x.flip(0).numpy(), got.train_x.numpy())
    names = [got.class_names[label] for label in got.test_y]
    assert names == other["kind"].tolist()
    with pytest.raises(DataError, match="count"):
        arrays(path, "kind", save(TABLE.drop(columns="count"), tmp_path / "less.csv"))


@pytest.mark.parametrize(
    ("table", "target", "said"),
    [
        (TABLE, None, "kind"),
        (TABLE, "species", "length, kind, count"),
        (TABLE[["kind"]], "kind", "no column of features"),
        (TABLE, "length", "kind"),
        (TABLE.drop(columns="kind"), "length", "fractions"),
        (TABLE.assign(kind=[None, "rose"] * 10), "kind", "10 rows without a label"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(tmp_path, table, target, said):
    with pytest.raises(DataError, match=said):
        arrays(save(table, tmp_path / "t.csv"), target)


def test_holes_in_a_table_are_counted(tmp_path):
    table = TABLE.drop(columns="kind").astype({"count": "Int64"})
    table.loc[[3, 8], "count"] = pd.NA
    train, test = save(table, tmp_path / "train.parquet"), save(table[:3], tmp_path / "t.parquet")
    with pytest.raises(
        DataError, match=r"no value in row 3, column count; 2 are missing in 2 rows"
    ):
        arrays(train, test_path=test)


@pytest.mark.parametrize(
    ("x", "shape", "dtype"),
    [
        (RNG.random((10, 4)), (4,), torch.float64),
        (RNG.random((10, 4)).astype(np.float32), (4,), torch.float32),
        (RNG.integers(0, 9, (10, 4)), (4,), torch.float64),
        (RNG.integers(0, 9, (10, 4), dtype=np.int16), (4,), torch.float32),
        (RNG.integers(0, 256, (10, 4, 3), dtype=np.uint8), (1, 4, 3), torch.uint8),
        (RNG.random((10, 2, 4, 3)), (2, 4, 3), torch.float64),
    ],
)
@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_files_of_features_of_every_shape_are_read(tmp_path, x, shape, dtype, suffix):
    path = tmp_path / f"a.{suffix}"
    np.save(path, x) if suffix == "npy" else np.savez(path, x=x, y=np.arange(10) % 2)
    got = arrays(str(path))
    assert got.train_x.shape == (8, *shape)
    assert got.train_x.dtype == dtype
    both = torch.cat([got.train_x, got.test_x]).reshape(10, -1).numpy()
    expected = x.reshape(10, -1).astype(both.dtype)
    assert sorted(map(tuple, both)) == sorted(map(tuple, expected))
    assert (got.train_y is None) == (suffix == "npy")


def test_an_npz_may_hold_both_splits(tmp_path):
    x, y = RNG.random((9, 3)), np.array(list("abcabcabd"))
    np.savez(tmp_path / "a.npz", x_train=x[:5], y_train=y[:5], x_test=x[5:], y_test=y[5:])
    got = arrays(str(tmp_path / "a.npz"))
    np.testing.assert_allclose(got.test_x.numpy(), x[5:], rtol=1e-6)
    assert [got.class_names[label] for label in got.test_y] == list("cabd")
    assert len(got.train_x) == 5


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"z": np.zeros((4, 2)), "u": np.ones((4, 2))}, "no array named x, but z"),
        ({"x": np.zeros(4)}, r"\(4,\)"),
        ({"x": np.array([["a", "b"]] * 4)}, "numbers"),
        ({"x": np.zeros((4, 2)), "y": np.zeros(3)}, "4 samples but 3 labels"),
        ({"x": np.array([{}, {}])}, "holds Python objects in the place of samples"),
    ],
)
def test_an_npz_that_does_not_fit_is_refused(tmp_path, content, said):
    np.savez(tmp_path / "a.npz", **content)
    with pytest.raises(DataError, match=said) as caught:
        arrays(str(tmp_path / "a.npz"))
    assert str(tmp_path / "a.npz") in str(caught.value)


@pytest.mark.parametrize("suffix", ["npz", "npy", "csv", "parquet"])
@pytest.mark.parametrize("content", [b"", b"\x93NUMPY\x01", b"\xff\xfe\x00"])
def test_a_damaged_file_is_named(tmp_path, suffix, content):
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        check_arrays(arrays(str(path)), "a")
    assert str(path) in str(caught.value)


def test_absent_and_unknown_files_are_named(tmp_path):
    with pytest.raises(DataError, match="no file"):
        arrays(str(tmp_path / "a.csv"))
    (tmp_path / "a.xls").touch()
    with pytest.raises(DataError, match=r"a\.xls"):
        arrays(str(tmp_path / "a.xls"))
    np.save(tmp_path / "a.npy", np.zeros((5, 2)))
    with pytest.raises(DataError, match=r"set `target=None`"):
        arrays(str(tmp_path / "a.npy"), target="kind")


def test_features_without_labels_and_a_test_file(tmp_path):
    x = RNG.random((10, 3))
    np.save(tmp_path / "a.npy", x)
    np.save(tmp_path / "b.npy", x[:4])
    read = arrays(str(tmp_path / "a.npy"), test_path=str(tmp_path / "b.npy"))
    assert (len(read.train_x), len(read.test_x)) == (10, 4)
    assert read.train_y is None


@pytest.mark.parametrize("kind", ["npy", "csv"])
@pytest.mark.parametrize(
    ("values", "sound"),
    [
        (np.arange(10, dtype=np.uint64) * 60 + 2**63, False),
        (np.arange(10, dtype=np.int64) * 50 - 17 * 10**17, False),
        (np.arange(10, dtype=np.int64) * 10**6 + 17 * 10**17, True),
        (np.arange(10, dtype=np.int64) + 2**52, True),
        (np.full(10, 2**62), True),  # constant, which is said elsewhere
    ],
)
def test_integers_that_floats_round_away_are_refused(tmp_path, kind, values, sound):
    path = tmp_path / f"a.{kind}"
    table = np.stack([values, values], 1)
    np.save(path, table) if kind == "npy" else pd.DataFrame(table, columns=["u", "v"]).to_csv(
        path, index=False
    )
    if sound:
        assert arrays(str(path)).train_x.shape == (8, 2)
    else:
        with pytest.raises(DataError, match="subtract their least value first"):
            arrays(str(path))


@pytest.mark.parametrize("kind", ["tensor", "dict", "splits"])
def test_tensors_are_read(tmp_path, kind):
    x, y = torch.from_numpy(RNG.random((10, 6))).float(), torch.arange(10) % 3
    made = {
        "tensor": x,
        "dict": {"embeddings": x, "y": y, "model": "resnet"},
        "splits": {"x_train": x[:7], "x_test": x[7:], "y_train": y[:7], "y_test": y[7:]},
    }
    torch.save(made[kind], tmp_path / "e.PT")
    got = arrays(str(tmp_path / "e.PT"))
    both = torch.cat([got.train_x, got.test_x])
    assert sorted(both.tolist()) == sorted(x.tolist())
    assert (got.train_y is None) == (kind == "tensor")


def test_a_file_of_tensors_runs_no_code(tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "made"), "w"))

    torch.save({"x": Evil()}, tmp_path / "e.pt")
    with pytest.raises(DataError, match="cannot be read"):
        arrays(str(tmp_path / "e.pt"))
    assert not (tmp_path / "made").exists()


def test_a_sparse_matrix_is_made_dense_and_its_memory_said(tmp_path, caplog):
    caplog.set_level("INFO")
    x = sparse.random(30, 8, 0.3, format="csr", random_state=0)
    sparse.save_npz(tmp_path / "s.npz", x)
    got = arrays(str(tmp_path / "s.npz"))
    both = torch.cat([got.train_x, got.test_x])
    assert sorted(both.tolist()) == sorted(x.toarray().tolist())
    assert "made dense" in caplog.text


@pytest.mark.parametrize(
    ("shape", "layout", "expected"),
    [
        ((6, 12, 9, 3), "auto", (3, 12, 9)),
        ((6, 3, 12, 9), "auto", (3, 12, 9)),
        ((6, 12, 9, 5), "auto", (12, 9, 5)),
        ((6, 12, 9, 5), "channels_last", (5, 12, 9)),
        ((6, 12, 9, 3), "channels_first", (12, 9, 3)),
    ],
)
def test_channels_may_come_last(tmp_path, shape, layout, expected):
    x = RNG.random(shape).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    got = arrays(str(tmp_path / "x.npy"), layout=layout)
    assert got.train_x.shape[1:] == expected
    moved = x if expected == shape[1:] else np.moveaxis(x, 3, 1)
    rows = got.test_about["row"].to_numpy()
    np.testing.assert_array_equal(got.test_x.numpy(), moved[rows])


def test_missing_values_of_arrays_are_dropped_or_filled(tmp_path):
    x = RNG.random((20, 3))
    x[4, 1] = x[9, 0] = np.nan
    np.save(tmp_path / "x.npy", x)
    with pytest.raises(DataError, match="NaN"):
        check_arrays(arrays(str(tmp_path / "x.npy")), "x")
    dropped = arrays(str(tmp_path / "x.npy"), missing="drop")
    assert len(dropped.train_x) + len(dropped.test_x) == 18
    rows = {*dropped.train_about["row"], *dropped.test_about["row"]}
    assert rows == set(range(20)) - {4, 9}
    assert any("2 rows" in one for one in dropped.notes)
    kept = check_arrays(arrays(str(tmp_path / "x.npy"), missing="median"), "x")
    assert torch.cat([kept.train_x, kept.test_x]).isnan().sum() == 2


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "dia", "bsr"])
def test_every_kind_of_sparse_matrix_is_read(tmp_path, kind):
    x = sparse.random(30, 8, 0.3, random_state=0).asformat(kind)
    sparse.save_npz(tmp_path / "s.npz", x)
    np.testing.assert_array_equal(read_features(tmp_path / "s.npz").x, x.toarray())


@pytest.mark.parametrize("name", ["label", "Labels", "target", "classes"])
def test_labels_of_another_name_are_taken_and_said(tmp_path, name):
    x, y = np.random.default_rng(0).random((6, 3)), np.arange(6) % 2
    np.savez(tmp_path / "t.npz", x=x, **{name: y})
    notes = []
    assert read_features(tmp_path / "t.npz", notes=notes).y.tolist() == y.tolist()
    assert any(f"labels are taken from {name}" in one for one in notes)


@pytest.mark.parametrize(
    "others",
    [{"note": np.arange(6)}, {"labels": np.arange(5)}, {"label": [1] * 6, "class": [2] * 6}],
)
def test_arrays_that_are_not_taken_are_said(tmp_path, others):
    np.savez(tmp_path / "t.npz", x=np.random.default_rng(0).random((6, 3)), **others)
    notes = []
    assert read_features(tmp_path / "t.npz", notes=notes).y is None
    said = f"arrays that are neither x nor y are left out: {', '.join(others)}"
    assert any(said in one for one in notes)


@pytest.mark.parametrize("setting", [{"columns": ["0"]}, {"ignore": "a"}, {"id": "a"}])
def test_settings_of_columns_are_refused_where_there_are_none(tmp_path, setting):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((6, 3)))
    with pytest.raises(DataError, match=f"x.npy holds arrays.*leave out `{next(iter(setting))}`"):
        arrays(str(tmp_path / "x.npy"), **setting)


@pytest.mark.parametrize("shape", [(30, 0), (30, 0, 4), (30, 1, 5, 0)])
def test_samples_without_features_are_refused(tmp_path, shape):
    np.save(tmp_path / "x.npy", np.zeros(shape))
    with pytest.raises(DataError, match=r"x\.npy should hold numbers of shape"):
        read_features(tmp_path / "x.npy")


def test_a_packed_table_is_read_whatever_its_name(tmp_path):
    (tmp_path / "t.csv").write_bytes(gzip.compress(b"a,b\n1,2\n3,4\n"))
    assert read_features(tmp_path / "t.csv").x.tolist() == [[1, 2], [3, 4]]
    (tmp_path / "t.csv.gz").write_bytes(b"a,b\n1,2\n3,4\n")
    assert read_features(tmp_path / "t.csv.gz").x.tolist() == [[1, 2], [3, 4]]


def test_a_single_row_and_labels_that_are_fractions_are_refused_by_file(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,0.5\n")
    with pytest.raises(DataError, match=r"t\.csv has 1"):
        arrays(str(tmp_path / "t.csv"))
    (tmp_path / "t.csv").write_text("a,b\n1,0.5\n2,1\n3,1.5\n")
    with pytest.raises(DataError, match=r"t\.csv has labels that are fractions, as 0\.5"):
        arrays(str(tmp_path / "t.csv"), "b")
