"""Numbers are not cut before they are scaled, and the same picture is the same on every scale."""

import logging

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dcsomrl.data import Arrays, ClusterData, Neighbors
from dcsomrl.data.files import arrays
from dcsomrl.data.in_memory import make_arrays
from dcsomrl.data.normalization import fit
from dcsomrl.errors import DataError
from dcsomrl.training.assignments import describe_clusters

RNG = np.random.default_rng(0)


def loaded(x, kind="minmax", **more):
    """A datamodule that is set up on samples."""
    x = torch.as_tensor(x)
    data = ClusterData(
        lambda: Arrays(x, None, x, None),
        "d",
        batch_size=2,
        val_fraction=0,
        normalization=kind,
        **more,
    )
    data.setup("fit")
    return data


def normal(data):
    return torch.cat([batch.x for batch in data.split_dataloader("train")])


@pytest.mark.parametrize("kind", ["minmax", "standard"])
@pytest.mark.parametrize("suffix", ["npy", "npz", "csv", "parquet"])
@pytest.mark.parametrize("whole", [False, True])
def test_a_large_offset_changes_nothing(tmp_path, kind, suffix, whole):
    x = RNG.normal(size=(40, 3)) * 100
    x = np.round(x).astype(np.int64) if whole else x
    found = []
    for name, raw in (("plain", x), ("late", x + 1_700_000_000)):
        path = tmp_path / f"{name}.{suffix}"
        if suffix == "npy":
            np.save(path, raw)
        elif suffix == "npz":
            np.savez(path, x=raw)
        else:
            table = pd.DataFrame(raw, columns=["a", "b", "c"])
            table.to_csv(path, index=False) if suffix == "csv" else table.to_parquet(path)
        found.append(normal(loaded(arrays(str(path)).train_x, kind)))
    torch.testing.assert_close(found[0], found[1], atol=1e-5, rtol=1e-5)
    assert found[0].dtype == torch.float32


@given(st.integers(0, 2**50), st.sampled_from(["minmax", "standard"]))
@settings(max_examples=30, deadline=None)
def test_integers_of_any_size_keep_their_order(offset, kind):
    x = np.arange(12).reshape(4, 3) + offset
    z = normal(loaded(x.astype(np.float64), kind))
    assert (z.diff(dim=0) > 0).all()


def test_the_normalisation_is_numpys_in_double_precision():
    x = RNG.normal(size=(30, 4)) + 1e9
    expected = (x - x.min(0)) / (x.max(0) - x.min(0))
    np.testing.assert_allclose(normal(loaded(x)).numpy(), expected, atol=1e-6)
    data = loaded(x)
    state = data.state_dict()
    fresh = ClusterData(lambda: None, "d", batch_size=2)
    fresh.load_state_dict(state)
    assert torch.equal(fresh.transform(torch.as_tensor(x)), data.transform(torch.as_tensor(x)))
    back = fresh.denormalize(fresh.transform(torch.as_tensor(x)))
    np.testing.assert_allclose(back.numpy(), x, rtol=1e-12, atol=1e-6)


def test_constant_features_are_named(caplog):
    x = RNG.normal(size=(20, 4))
    x[:, 2] = 7
    data = loaded(x)
    assert data.constant == ["feature 2"]
    assert data.n_constant == 1
    assert "constant" in caplog.text
    assert loaded(np.ones((9, 3))).constant == ["all samples"]
    assert loaded(RNG.normal(size=(9, 3))).constant == []
    # Apart in 64 bits, but not once they are normalised to 32 beside a value that is far away.
    x[:, 1] = [1e30, *([1.0] * 19)]
    assert loaded(x).constant == ["feature 2"]


def test_values_that_overflow_are_refused():
    with pytest.raises(DataError, match="too large"):
        loaded(np.array([[1e300], [-1e300], [0.0]]), "none")


PICTURES = RNG.integers(0, 256, (12, 1, 4, 4), dtype=np.uint8)
PICTURES[0, 0, 0, :2] = 0, 255
SCALES = {
    "bytes": PICTURES,
    "floats to 255": PICTURES.astype(np.float32),
    "doubles to 255": PICTURES.astype(np.float64),
    "integers to 255": PICTURES.astype(np.int32),
    "floats to 1": (PICTURES / 255).astype(np.float32),
    "doubles to 1": PICTURES / 255,
}


@pytest.mark.parametrize("flat", [False, True], ids=["pictures", "vectors"])
@pytest.mark.parametrize("kind", ["standard", "minmax", "half", "none"])
@pytest.mark.parametrize("trained", SCALES)
@pytest.mark.parametrize("given", SCALES)
def test_the_same_picture_is_the_same_or_refused(trained, given, kind, flat):
    a, b = (torch.as_tensor(SCALES[name]) for name in (trained, given))
    a, b = (a.flatten(1), b.flatten(1)) if flat else (a, b)
    data = loaded(a, kind)
    try:
        z = data.transform(b)
    except DataError as error:
        assert "the model was trained on" in str(error)  # noqa: PT017
        return
    torch.testing.assert_close(z, data.transform(a), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("trained", "given"),
    [
        ("bytes", "floats to 255"),
        ("bytes", "floats to 1"),
        ("floats to 255", "bytes"),
        ("floats to 1", "bytes"),
        ("doubles to 255", "integers to 255"),
    ],
)
def test_what_can_be_told_is_not_refused(trained, given, caplog):
    caplog.set_level(logging.INFO)
    data = loaded(SCALES[trained])
    data.transform(torch.as_tensor(SCALES[given]))
    if "bytes" in (trained, given):
        assert "the training's were" in caplog.text


@pytest.mark.parametrize(
    ("trained", "given"),
    [
        (PICTURES / 255, PICTURES.astype(np.float64)),
        (PICTURES.astype(np.float64), PICTURES / 255),
        (PICTURES / 255, (PICTURES > 128).astype(np.uint8)),
        (PICTURES / 127.5 - 1, PICTURES),
        (PICTURES, PICTURES.astype(np.float32) * 257),
        (PICTURES, PICTURES / 127.5 - 1),
        (PICTURES.astype(np.float32), PICTURES / 127.5 - 1),
    ],
)
def test_another_scale_is_refused(trained, given):
    with pytest.raises(DataError, match="the model was trained on"):
        loaded(trained).transform(torch.as_tensor(given))


@pytest.mark.parametrize("made", [np.uint8, np.float32])
def test_a_dark_picture_of_the_trainings_kind_is_taken(made):
    data = loaded(PICTURES.astype(made))
    assert (
        data.transform(torch.full((1, 1, 4, 4), 5).to(torch.as_tensor(made(0)).dtype)).max() < 0.1
    )


def test_other_samples_under_the_same_name_are_noticed():
    data = loaded(PICTURES)
    state = data.state_dict()
    data.check_same(state)
    other = PICTURES.copy()
    other[3, 0, 1, 1] ^= 1
    with pytest.raises(DataError, match="other samples"):
        loaded(other).check_same(state)
    loaded(other).check_same({})  # of before there were fingerprints
    assert loaded(PICTURES[::-1].copy()).fingerprint != data.fingerprint
    assert loaded(PICTURES.astype(np.float32)).fingerprint != data.fingerprint


@given(st.integers(-290, 290), st.sampled_from(["minmax", "standard", "unit"]), st.booleans())
@settings(max_examples=60, deadline=None)
def test_numbers_of_any_size_are_told_apart(exponent, kind, images):
    x = np.random.default_rng(0).normal(size=(40, 3, 4, 5) if images else (40, 3))
    near, far = (normal(loaded(one, kind)) for one in (x, x * 10.0**exponent))
    torch.testing.assert_close(near, far, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", ["minmax", "standard", "unit"])
@pytest.mark.parametrize("size", [1e36, 1e-36])
def test_numbers_of_32_bits_are_told_apart(kind, size):
    x = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    near, far = (normal(loaded(one, kind)) for one in (x, x * np.float32(size)))
    torch.testing.assert_close(near, far, atol=1e-5, rtol=1e-5)


def test_every_row_and_column_has_a_size_of_its_own():
    x = np.random.default_rng(0).normal(size=(40, 3))
    sizes = 10.0 ** np.linspace(-250, 250, 40)[:, None]
    torch.testing.assert_close(normal(loaded(x, "unit")), normal(loaded(x * sizes, "unit")))
    sizes = np.array([1e-250, 1, 1e250])
    torch.testing.assert_close(normal(loaded(x, "standard")), normal(loaded(x * sizes, "standard")))


@given(st.integers(-250, 250), st.sampled_from(["euclidean", "cosine"]))
@settings(max_examples=20, deadline=None)
def test_features_of_any_size_have_the_same_neighbours(tmp_path_factory, exponent, metric):
    x = np.random.default_rng(0).normal(size=(30, 4))
    path = tmp_path_factory.mktemp("f") / "f.npy"

    def graph(features):
        np.save(path, features)
        return loaded(x, neighbors=Neighbors(3, metric, str(path))).graph("train")

    assert torch.equal(graph(x), graph(x * 10.0**exponent))


@pytest.mark.parametrize("size", [1e200, 1e-200])
def test_what_sets_a_cluster_apart_is_said_whatever_the_size(size):
    x = np.random.default_rng(0).normal(size=(40, 3)) + 4 * (np.arange(40) % 2)[:, None]
    assigned = pd.DataFrame(
        {"index": range(40), "cluster": np.arange(40) % 2, "node": 0, "distance": 0.0}
    ).assign(outlier=False)
    near, far = (describe_clusters(assigned, loaded(one))["apart"] for one in (x, x * size))
    assert near.tolist() == far.tolist()
    assert near[0].count("feature") == 3


BYTES = np.random.default_rng(1).integers(0, 100, (40, 3)).astype(np.uint8)
SPLITS = {
    "bytes and the same numbers": (BYTES, BYTES.astype(float), "divided by 255"),
    "bytes and whole numbers": (BYTES, BYTES.astype(np.int64), "divided by 255"),
    "bytes and numbers in [0, 1]": (BYTES, BYTES / 255, "bytes divided by 255"),
    "bytes up to 1 and the same numbers": (BYTES % 2, (BYTES % 2).astype(float), "divided by 255"),
    "numbers and bytes": (BYTES.astype(float), BYTES, "taken as the numbers that they are"),
    "numbers in [0, 1] and bytes": (BYTES / 255, BYTES, "divided by 255"),
}


@pytest.mark.parametrize("kind", ["minmax", "standard", "none", "unit"])
@pytest.mark.parametrize("case", SPLITS.values(), ids=SPLITS.keys())
@pytest.mark.parametrize("form", ["npz", "test_path", "memory"])
def test_splits_of_bytes_and_numbers_are_normalised_alike(tmp_path, kind, case, form):
    train, test, said = case
    if form == "npz":
        np.savez(tmp_path / "a.npz", x_train=train, x_test=test)
        given = arrays(str(tmp_path / "a.npz"))
    elif form == "test_path":
        np.save(tmp_path / "train.npy", train)
        np.save(tmp_path / "test.npy", test)
        given = arrays(str(tmp_path / "train.npy"), test_path=str(tmp_path / "test.npy"))
    else:
        given = make_arrays(train, test_x=test)
    data = ClusterData(given, val_fraction=0, normalization=kind)
    data.setup("fit")
    parts = [torch.cat([one.x for one in data.split_dataloader(s)]) for s in ("train", "test")]
    torch.testing.assert_close(*parts)
    assert data.arrays.train_x.dtype == data.arrays.test_x.dtype
    assert any("test split" in one and said in one for one in data.notes)


@pytest.mark.parametrize(
    ("train", "test"),
    [
        (BYTES, BYTES - 300.0),
        (BYTES, BYTES * 1000.0),
        ((BYTES % 2).astype(float), BYTES % 2),
        (BYTES * 1e6, BYTES),
        (BYTES - 50.0, BYTES),
    ],
)
def test_splits_on_scales_that_cannot_be_told_are_refused(train, test):
    with pytest.raises(DataError, match="the test split of d holds"):
        ClusterData(make_arrays(train, test_x=test), "d").setup("fit")


def test_a_test_split_between_bytes_is_normalised_as_the_training():
    data = ClusterData(make_arrays(BYTES, test_x=BYTES + 0.5), val_fraction=0, normalization="none")
    data.setup("fit")
    parts = [torch.cat([one.x for one in data.split_dataloader(s)]) for s in ("train", "test")]
    torch.testing.assert_close(parts[0] + 0.5 / 255, parts[1])


@pytest.mark.parametrize("size", [1e200, 1.0, 1e-200])
@pytest.mark.parametrize("kind", ["unit", "standard", "minmax"])
def test_what_is_constant_is_told_whatever_the_size(size, kind):
    x = np.random.default_rng(0).normal(size=(40, 3)) * size
    x[:, 1] = size
    assert loaded(x, kind).constant == ["feature 1"]
    assert loaded(x * 0 + size, kind).constant == ["all samples"]


@pytest.mark.parametrize("kind", ["standard", "minmax"])
@pytest.mark.parametrize(("dtype", "steps", "kept"), [("f4", 3, 0), ("f4", 40, 1), ("f8", 3, 0)])
def test_what_differs_by_rounding_alone_is_constant(kind, dtype, steps, kept):
    value = np.array(0.05, dtype)
    x = np.full((60, 2), value)
    x[::2, 1] += steps * np.spacing(value)
    made = fit(kind, torch.from_numpy(x))
    assert made.scale.tolist()[0] == 0
    assert int(made.scale[1] > 0) == kept
    assert made(torch.from_numpy(x))[:, 1].unique().numel() == 1 + kept
