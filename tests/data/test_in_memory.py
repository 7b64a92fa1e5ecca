"""Samples in memory come as they lie there: backwards, in any order of bytes, never masked."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as some_arrays

from dcsomrl import ClusterData, DeepSOM, GrowingSOM
from dcsomrl.data.in_memory import make_arrays
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
