"""Samples in memory come as they lie there: backwards, in any order of bytes, never masked."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pyarrow
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as some_arrays
from scipy import sparse

from dcsomrl import ClusterData, DeepSOM, GrowingSOM
from dcsomrl.data.in_memory import make_arrays
from dcsomrl.data.roles import Roles
from dcsomrl.errors import DataError

X = np.random.default_rng(0).random((30, 4))
VIEWS = {
    "rows backwards": lambda x: x[::-1],
    "columns backwards": lambda x: x[:, ::-1],
    "both backwards": lambda x: x[::-1, ::-1],
    "every second row": lambda x: np.repeat(x, 2, axis=0)[::2],
    "columns first": np.asfortranarray,
    "bytes the other way": lambda x: x.astype(">f8"),
    "half as long": lambda x: x.astype(np.float16),
    "longer than double": lambda x: x.astype(np.longdouble),
    "not to be written": lambda x: np.frombuffer(x.tobytes()).reshape(x.shape),
    "a frame backwards": lambda x: pd.DataFrame(x, columns=list("abcd"))[::-1],
    "a frame of columns backwards": lambda x: pd.DataFrame(x, columns=list("abcd")).iloc[:, ::-1],
}


@pytest.mark.filterwarnings("error:The given NumPy array is not writable")
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_a_view_gives_what_a_copy_of_it_gives(view):
    given = view(X)
    plain = np.array(given, dtype=np.float64).copy()
    got = make_arrays(given, y=np.arange(30)[::-1] % 3)
    np.testing.assert_array_equal(got.train_x.numpy(), plain)
    assert got.train_y.tolist() == [i % 3 for i in range(30)][::-1]
    seen = [GrowingSOM(max_epochs=1, random_state=0).fit(one) for one in (given, plain)]
    assert seen[0].labels_.tolist() == seen[1].labels_.tolist()
    assert seen[0].predict(given).tolist() == seen[1].predict(plain).tolist()
    np.testing.assert_array_equal(seen[0].transform(given), seen[1].transform(plain))
    seen[0].partial_fit(given)


@settings(max_examples=40, deadline=None)
@given(mask=some_arrays(bool, (6, 3), elements=st.booleans()), rows=st.booleans())
def test_masked_values_are_refused_wherever_they_are(mask, rows):
    masked = np.ma.MaskedArray(np.random.default_rng(0).random((6, 3)), mask)
    x = list(masked) if rows else masked
    if not mask.any():
        torch.testing.assert_close(make_arrays(x).train_x.numpy(), masked.data)
        return
    said = f"samples hold {int(mask.sum())} masked values.*fill them"
    for take in (make_arrays, ClusterData.of, GrowingSOM().fit, DeepSOM().partial_fit):
        if take == ClusterData.of:
            data = take(x)
            with pytest.raises(DataError, match=said):
                data.setup()
            continue
        with pytest.raises(ValueError, match=said):
            take(x)


def test_masked_labels_and_masked_samples_of_a_test_split_are_refused():
    labels = np.ma.masked_equal(np.arange(30) % 3, 2)
    with pytest.raises(DataError, match="labels hold 10 masked values"):
        make_arrays(X, labels)
    with pytest.raises(DataError, match="samples hold 1 masked values"):
        make_arrays(X, test_x=np.ma.masked_equal(X, X[3, 1]))
    fitted = GrowingSOM(max_epochs=1).fit(X)
    with pytest.raises(DataError, match="samples hold 1 masked values"):
        fitted.predict(np.ma.masked_equal(X, X[3, 1]))


def test_the_largest_cluster_is_the_first_and_the_samples_of_earlier_calls_count():
    near = np.random.default_rng(0).normal(0, 1, (150, 2))
    far = np.random.default_rng(1).normal(40, 1, (20, 2))
    both = np.concatenate([near, far])
    found = GrowingSOM(2, max_epochs=3, random_state=0).fit(both[::-1])
    assert np.bincount(found.labels_).tolist() == [150, 20]
    stream = GrowingSOM(2, batch_size=16, random_state=0)
    for _ in range(8):
        stream.partial_fit(np.random.default_rng(2).permutation(both))
    first, last = stream.predict(near[:1])[0], stream.predict(far[:1])[0]
    assert (first, last) == (0, 1)
    # Of this call the far group is the larger, of both calls the near one.
    stream.partial_fit(np.concatenate([near[:5], far]))
    assert np.bincount(stream.labels_).tolist() == [5, 20]


T = torch.from_numpy(X)
FRAME = pd.DataFrame(X, columns=list("abcd"))
SAME = {
    "lists": X.tolist(),
    "arrays in a list": list(X),
    "objects": X.astype(object),
    "texts": X.astype(str),
    "fractions": np.frompyfunc(Fraction, 1, 1)(X),
    "matrix": np.matrix(X),
    "column of lists": pyarrow.array(list(X)),
    "lists as objects": np.frompyfunc(lambda i: X[i].tolist(), 1, 1)(np.arange(30)),
    "table": pyarrow.table(FRAME),
    "batch": pyarrow.RecordBatch.from_pandas(FRAME),
    "structured": np.array([tuple(row) for row in X], [(name, "f8") for name in "abcd"]),
    "record": np.rec.fromarrays(X.T, names="a,b,c,d"),
    "nested field": np.array([(row,) for row in X], [("e", "f8", (4,))]),
    "frame of objects": FRAME.astype(object),
    "nullable frame": FRAME.convert_dtypes(),
    "Arrow's frame": FRAME.convert_dtypes(dtype_backend="pyarrow"),
    "sparse frame": FRAME.astype(pd.SparseDtype(float, 0)),
    "cells of lists": pd.DataFrame({"e": X.tolist()}),
    "cells of arrays": pd.DataFrame({"e": list(X)}),
    "cells of tensors": pd.DataFrame({"e": list(T)}),
    "names of numbers": pd.DataFrame(X),
    "names of both": FRAME.set_axis(["a", 1, 2, 3], axis=1),
    "levels of names": FRAME.set_axis(pd.MultiIndex.from_product([["g"], list("abcd")]), axis=1),
    **{f"SciPy's {kind}": sparse.csr_matrix(X).asformat(kind) for kind in ("csc", "coo", "dok")},
    "gradient": T.clone().requires_grad_(),
    "sparse tensor": T.to_sparse(),
    "transposed": T.T.contiguous().T,
    "imaginary part": (T * 1j).conj().imag.neg(),
    "tensors in a list": list(T.clone().requires_grad_()),
}


@pytest.mark.filterwarnings("ignore:pandas.DataFrame with sparse columns found")
@pytest.mark.parametrize("given", SAME.values(), ids=SAME.keys())
def test_numbers_are_the_same_in_whatever_holds_them(given):
    got = make_arrays(given, np.arange(30) % 3, given)
    assert got.train_x.dtype == torch.float64
    np.testing.assert_array_equal(got.train_x, X)
    np.testing.assert_array_equal(got.test_x, X)
    plain = GrowingSOM(max_epochs=1, device="cpu", random_state=0).fit(X)
    seen = GrowingSOM(max_epochs=1, device="cpu", random_state=0).fit(given)
    np.testing.assert_array_equal(seen.prototypes_, plain.prototypes_)
    np.testing.assert_array_equal(seen.predict(given), plain.labels_)


@pytest.mark.parametrize(
    "convert",
    [
        lambda x: x.bfloat16(),
        lambda x: x.half(),
        lambda x: torch.quantize_per_tensor(x, 0.01, 0, torch.quint8),
        lambda x: list(x.bfloat16()),
        lambda x: x.to(torch.float8_e4m3fn),
    ],
)
def test_tensors_of_few_bits_are_read_with_the_bits_they_have(convert):
    given = convert(T.float())
    parts = given if isinstance(given, list) else [given]
    plain = [part.dequantize() if part.is_quantized else part.float() for part in parts]
    expected = torch.stack(plain) if isinstance(given, list) else plain[0]
    torch.testing.assert_close(make_arrays(given).train_x, expected, rtol=0, atol=0)
    assert GrowingSOM(max_epochs=1, device="cpu").fit(given).n_features_in_ == 4


def test_lists_in_cells_and_levels_of_names_are_columns_with_names():
    assert make_arrays(SAME["cells of tensors"]).feature_names == ["e.0", "e.1", "e.2", "e.3"]
    assert make_arrays(SAME["nested field"]).feature_names == ["e.0", "e.1", "e.2", "e.3"]
    assert make_arrays(SAME["levels of names"]).feature_names == ["g.a", "g.b", "g.c", "g.d"]
    assert make_arrays(SAME["names of both"]).feature_names == ["a", "1", "2", "3"]
    fitted = GrowingSOM(max_epochs=1, device="cpu").fit(FRAME.assign(e=[[1.0, 2.0]] * 30))
    assert list(fitted.feature_names_in_) == [*"abcd", "e.0", "e.1"]


def test_notes_of_the_caller_on_a_frame_are_not_ours():
    frame = FRAME.copy()
    frame.attrs = {"index": ["a"], "decimal": ",", "spread": {"b": ["z"]}}
    assert make_arrays(frame).feature_names == list("abcd")


def test_whole_categories_are_one_whether_they_come_as_floats_or_not():
    train = FRAME.assign(k=pd.Categorical([1, 2, 3] * 10))
    test = FRAME.assign(k=pd.Categorical([3.0, 2.0, 1.0] * 10))
    got = make_arrays(train, None, test, roles=Roles(categories="onehot"))
    assert got.feature_names[4:] == ["k=1", "k=2", "k=3"]
    assert got.test_x[:3, 4:].tolist() == [[0, 0, 1], [0, 1, 0], [1, 0, 0]]
    assert got.notes == ()


DAYS = pd.date_range("2020", periods=30)
NO_NUMBERS = {
    "dates": (DAYS.to_numpy()[:, None], "got dates or times"),
    "spans": (np.ones((30, 2), "m8[s]"), "got dates or times"),
    "complex": (X + 1j, "should be real numbers"),
    "complex tensor": (T + 1j, "should be real numbers"),
    "complex matrix": (sparse.csr_matrix(X + 1j), "should be real numbers"),
    "words": (np.full((30, 2), "a"), r"got 'a' at \[0, 0\]"),
    "objects": (np.array([[1, {}]] * 30, object), r"got a dict at \[0, 1\]"),
    "records": ([{"a": 1.0}] * 30, "got a dict"),
    "ragged": ([[1.0, 2.0], [1.0]] * 15, "the first item has 2 values, item 1 1 values"),
    "ragged tensors": ([torch.ones(2), torch.ones(3)] * 15, "lists of unequal length"),
    "with labels": ((X, np.ones(30)), "labels apart from samples"),
    "structured words": (np.array([(1.0, "a")] * 30, "f8,U3"), r"not numbers: f1 \(text"),
    "structured table": (np.zeros((30, 2), "f8,f8"), r"structured array of shape \(30, 2\)"),
    "mask of fields": (
        np.ma.array([(1.0, 2.0)] * 30, mask=[(True, False)] * 30, dtype="f8,f8"),
        "hold 30 masked values",
    ),
    "meta": (torch.empty(30, 2, device="meta"), "without values"),
    "path": ("flowers.csv", "text 'flowers.csv': files are read by"),
    "None": (None, "got None"),
    "number": (3, "class int"),
    "dict": ({"x": X}, "got a dict"),
    "set": ({1.0, 2.0}, "got a set"),
    "frames": ([FRAME, FRAME], "join them by pd.concat"),
    "lazy": (FRAME.groupby("a"), "class DataFrameGroupBy"),
    "many dimensions": (np.ones((2, 2, 2, 2, 2)), r"shape \(2, 2, 2, 2, 2\)"),
    "flat": (X[:, 0], r"shape \(30,\).*reshape\(-1, 1\)"),
    "scalar": (np.array(1.0), r"shape \(\)"),
    "beyond 64 bits": (np.uint64(2**63) + np.arange(60, dtype="u8").reshape(30, 2), "subtract"),
    "column of dates": (FRAME.assign(d=DAYS), r"d \(dates"),
    "column of zones": (FRAME.assign(d=DAYS.tz_localize("UTC")), r"d \(dates"),
    "column of spans": (FRAME.assign(d=DAYS - DAYS[0]), r"d \(durations"),
    "column of periods": (FRAME.assign(d=DAYS.to_period("D")), r"d \("),
    "column of complex": (FRAME.assign(k=1j), r"k \((objects|complex)"),
    "column of words": (FRAME.assign(k="a"), r"k \(text"),
    "lists of words": (FRAME.assign(e=[["a", "b"]] * 30), r"e \(objects"),
    "tables in cells": (FRAME.assign(e=[np.ones((2, 2))] * 30), r"e \(objects"),
    "unequal lists": (FRAME.assign(e=[[1.0], [1.0, 2.0]] * 15), "lists of 1 numbers in column e"),
    "one name twice": (FRAME.set_axis(list("aabc"), axis=1), "several columns of one name"),
    "names that are one": (FRAME.set_axis(["1", 1, 2, 3], axis=1), "several columns of one name"),
    "an element's name": (FRAME.assign(**{"e": X.tolist(), "e.0": 1.0}), r"of one name \(e\.0\)"),
    "no columns": (FRAME[[]], "without columns"),
}


@pytest.mark.parametrize(("given", "said"), NO_NUMBERS.values(), ids=NO_NUMBERS.keys())
def test_what_is_no_table_of_numbers_is_refused_by_name(given, said):
    for take in (make_arrays, GrowingSOM(max_epochs=1, device="cpu").fit):
        with pytest.raises(DataError, match=said):
            take(given)


@pytest.mark.parametrize("make", [iter, lambda x: (row for row in x), lambda x: map(list, x)])
def test_what_can_be_read_but_once_is_refused(make):
    for take in (make_arrays, GrowingSOM(max_epochs=1, device="cpu").fit):
        with pytest.raises(DataError, match="can be read but once: make a list"):
            take(make(X))


@pytest.mark.parametrize("empty", [X[:0], X[:, :0], sparse.csr_matrix((30, 0)), [[], []]])
def test_samples_without_rows_or_features_are_refused(empty):
    with pytest.raises(DataError, match="hold nothing"):
        make_arrays(empty)
    with pytest.raises(ValueError, match=r"Found array with 0 (sample|feature)\(s\)"):
        GrowingSOM(max_epochs=1, device="cpu").fit(empty)


@pytest.mark.parametrize("column", [FRAME["a"], pd.Index(X[:, 0]), pd.Series(X.tolist())])
def test_one_column_is_no_frame(column):
    with pytest.raises(DataError, match=r"one column: give x.to_frame\(\)"):
        make_arrays(column)


def test_a_column_without_a_name_is_refused_as_in_files():
    with pytest.raises(DataError, match="a column without a name, column 2"):
        make_arrays(FRAME.set_axis(["a", None, "c", "d"], axis=1))
