"""Labels given from Python: one to each sample, in whatever holds values, or a sentence."""

import datetime

import numpy as np
import pandas as pd
import pyarrow
import pytest
import torch
from scipy import sparse

from dcsomrl.data.in_memory import make_arrays
from dcsomrl.data.roles import Roles
from dcsomrl.errors import DataError

X = np.random.default_rng(0).random((12, 2))
FRAME = pd.DataFrame(X, columns=["a", "b"])
Y = np.arange(12) % 3
WORDS = np.array(list("abc"))[Y]
NUMBERS = {
    "list": Y.tolist(),
    "rows of one": [[int(y)] for y in Y],
    "one column": Y[:, None],
    "matrix": np.matrix(Y[:, None]),
    "half": Y.astype(np.float16),
    "objects": Y.astype(object),
    "objects of floats": Y.astype(float).astype(object),
    "Series": pd.Series(Y, index=range(50, 62)),
    "Index": pd.Index(Y),
    "Categorical": pd.Categorical(Y),
    "nullable": pd.Series(Y, dtype="Int64"),
    "sparse Series": pd.Series(pd.arrays.SparseArray(Y)),
    "frame": pd.DataFrame({"y": Y}),
    "Arrow": pyarrow.array(Y),
    "Arrow in parts": pyarrow.chunked_array([Y[:5], Y[5:]]),
    "Arrow table": pyarrow.table({"y": Y}),
    "SciPy": sparse.csr_matrix(Y[:, None]),
    "nothing masked": np.ma.MaskedArray(Y),
    "tensor": torch.tensor(Y),
    "sparse tensor": torch.tensor(Y).to_sparse(),
    "bfloat16": torch.tensor(Y).bfloat16(),
    "with gradient": torch.tensor(Y).float().requires_grad_(),
    "quantized": torch.quantize_per_tensor(torch.tensor(Y).float(), 1.0, 0, torch.quint8),
    "negated view": torch._neg_view(-torch.tensor(Y).float()),
    "list of tensors": list(torch.tensor(Y).float().requires_grad_()),
}
TEXTS = {
    "text": WORDS,
    "objects": WORDS.astype(object),
    "bytes": WORDS.astype("S"),
    "objects of bytes": [one.encode() for one in WORDS],
    "of pandas": pd.Series(WORDS, dtype="string"),
    "Categorical": pd.Categorical(WORDS),
    "Arrow": pyarrow.array(WORDS.tolist()).dictionary_encode(),
}


@pytest.mark.parametrize("samples", [X, FRAME], ids=["array", "frame"])
@pytest.mark.parametrize("labels", NUMBERS.values(), ids=NUMBERS.keys())
def test_numbers_in_whatever_holds_them_are_classes(labels, samples):
    got = make_arrays(samples, labels)
    assert got.class_names == ["0", "1", "2"]
    assert got.train_y.tolist() == Y.tolist()


@pytest.mark.parametrize("labels", TEXTS.values(), ids=TEXTS.keys())
def test_texts_in_whatever_holds_them_are_classes(labels):
    got = make_arrays(X, labels)
    assert got.class_names == ["a", "b", "c"]
    assert got.train_y.tolist() == Y.tolist()


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (Y > 0, ["False", "True"]),
        (pd.array(Y > 0, "boolean"), ["False", "True"]),
        (np.array(["2020-01-01", "2021-01-01"], "M8[D]")[Y % 2], ["2020-01-01", "2021-01-01"]),
        (Y * np.timedelta64(1, "D"), ["0 days", "1 days", "2 days"]),
        ([datetime.date(2020, 1, 1 + y) for y in Y], ["2020-01-01", "2020-01-02", "2020-01-03"]),
        (np.array(["ä".encode(), b"b"])[Y % 2], ["b", "ä"]),
        (np.array([2**64 - 1, 5], np.uint64)[Y % 2], ["5", str(2**64 - 1)]),
    ],
)
def test_other_values_name_classes_as_they_read(labels, names):
    assert make_arrays(X, labels).class_names == names


REFUSED = {
    "one-hot": (np.eye(3)[Y], r"shape \(12, 3\) have a 1 in the column.*y.argmax\(1\)"),
    "one-hot tensor": (torch.eye(3)[torch.tensor(Y)].bool(), r"y.argmax\(1\)"),
    "several": (np.stack([Y, Y], 1), "several to a sample"),
    "row": (Y[None], r"one row.*y.ravel\(\)"),
    "fewer": (Y[:11], "12 samples but 11 labels"),
    "single": (np.array(3), "give one to each"),
    "number": (3, "should be an array"),
    "ragged": ([[1], [1, 2]] * 6, "lists of unequal length: the first item has 1 values, item 1 2"),
    "name": ("species", r"text 'species': name a column.*roles=Roles\(target"),
    "set": ({1, 2}, "got a set"),
    "dict": ({"y": Y}, "got a dict"),
    "generator": ((y for y in Y), "got a generator"),
    "function": (len, "should be an array"),
    "two columns": (pd.DataFrame({"y": Y, "z": Y}), "table of 2 columns"),
    "complex": (Y + 1j, "names no classes"),
    "lists": (np.frompyfunc(lambda _: {}, 1, 1)(Y), "labels hold a dict at 0"),
    "objects": ([object()] * 12, "labels hold a object at 0"),
    "meta": (torch.empty(12, device="meta"), "without values, on the device meta"),
    "nested": (torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]), "nested tensor"),
    "masked": (np.ma.masked_equal(Y, 2), "labels hold 4 masked values"),
    "missing": (pd.array([None, *Y[1:]], "Int64"), "1 labels that are missing"),
    "no category": (pd.Categorical([None, *WORDS[1:]]), "1 labels that are missing"),
    "no time": (np.array(["NaT"] + ["2020-01-01"] * 11, "M8[D]"), "1 labels that are missing"),
    "fractions": (Y + 0.5, "fractions, as 0.5"),
    "too large": (np.full(12, 1e300), "beyond 64 bits"),
}


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
@pytest.mark.parametrize("samples", [X, FRAME], ids=["array", "frame"])
@pytest.mark.parametrize(("labels", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_one_label_to_each_sample_is_refused(labels, said, samples):
    with pytest.raises(DataError, match=said):
        make_arrays(samples, labels)


@pytest.mark.parametrize(
    ("train", "test", "names"),
    [
        (Y, Y.astype(float), ["0", "1", "2"]),
        (Y.astype(float).astype(object), Y, ["0", "1", "2"]),
        (Y.astype(str), Y.astype(float), ["0", "1", "2"]),
        (Y.astype(float).astype(str), Y, ["0", "1", "2"]),
        (Y > 0, (Y > 0).astype(str), ["False", "True"]),
        (np.full(12, 2**63 + 1, np.uint64), np.full(12, -1), ["-1", str(2**63 + 1)]),
    ],
)
def test_labels_of_two_splits_are_compared_by_what_they_say(train, test, names):
    assert make_arrays(X, train, X, test).class_names == names


def test_a_test_split_of_other_classes_is_said():
    notes = make_arrays(X, Y, X, Y + 3).notes
    assert notes == ("the data: the test split has none of the classes of the training split",)
    assert make_arrays(X, Y, X[:2], [2, 3]).notes == ()


def test_labels_follow_the_rows_that_are_left():
    frame = FRAME.assign(a=[np.nan, *X[1:, 0]])
    got = make_arrays(frame, Y, roles=Roles(missing="drop"))
    assert got.train_y.tolist() == Y[1:].tolist()


def test_an_index_in_another_order_is_said():
    labels = pd.Series(Y)
    assert make_arrays(FRAME, labels).notes == ()
    assert make_arrays(FRAME, labels.set_axis(range(50, 62))).notes == ()
    (said,) = make_arrays(FRAME, labels[::-1]).notes
    assert "labels have the index of the samples in another order" in said
