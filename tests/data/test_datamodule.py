import io
import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import sparse
from sklearn.preprocessing import MinMaxScaler

from dcsomrl.data import Arrays, ClusterData
from dcsomrl.data.images import images
from dcsomrl.data.roles import Roles
from dcsomrl.data.sources import fashion, mnist
from dcsomrl.errors import DataError


def made(n=50, shape=(3,), labelled=True, seed=0, n_test=2100):
    """Arrays whose first feature tells the row."""
    stream = torch.Generator().manual_seed(seed)

    def part(count):
        x = torch.randn(count, *shape, generator=stream) * 3 + 1
        x.flatten(1)[:, 0] = torch.arange(count)
        return x, torch.arange(count) % 4 if labelled else None

    return Arrays(*part(n), *part(n_test))


def loaded(arrays, **settings):
    data = ClusterData(lambda: arrays, "things", **{"batch_size": 8, **settings})
    data.setup("fit")
    return data


def rows(data, batch):
    """Rows of the source that a batch holds."""
    return data.denormalize(batch.x).flatten(1)[:, 0].round().int().tolist()


def test_training_and_validation_part_divide_the_training_split():
    data = loaded(made(), val_fraction=0.3)
    train = [row for batch in data.train_dataloader() for row in rows(data, batch)]
    val = [row for batch in data.val_dataloader() for row in rows(data, batch)]
    assert len(val) == 15
    assert sorted(train + val) == list(range(50))
    other = loaded(made(), val_fraction=0.3, seed=1)
    assert val != [row for batch in other.val_dataloader() for row in rows(other, batch)]
    # Blind to the labels: the same rows without them.
    blind = loaded(made(labelled=False), val_fraction=0.3)
    assert val == [row for batch in blind.val_dataloader() for row in rows(blind, batch)]


def test_training_batches_have_no_labels_and_others_have_the_right_ones():
    data = loaded(made())
    assert all(batch.y is None for batch in data.train_dataloader())
    for split in ("train", "val", "test"):
        for batch in data.split_dataloader(split):
            assert batch.y.tolist() == [row % 4 for row in rows(data, batch)]
    assert data.num_classes == 4
    assert data.class_names == ["0", "1", "2", "3"]
    assert data.shape == (3,)


def test_a_split_goes_in_order_and_its_index_counts_its_rows():
    data = loaded(made())
    batches = list(data.split_dataloader("test"))
    assert [len(batch.x) for batch in batches] == [1024, 1024, 52]
    assert torch.cat([batch.index for batch in batches]).tolist() == list(range(2100))
    assert [row for batch in batches for row in rows(data, batch)] == list(range(2100))
    whole = torch.cat([batch.x for batch in data.split_dataloader("train")])
    for batch in data.train_dataloader():
        assert torch.equal(batch.x, whole[batch.index])


def test_without_labels_nothing_but_the_labels_is_missing():
    data = loaded(made(labelled=False))
    assert data.num_classes == 0
    assert data.class_names is None
    assert all(batch.y is None for batch in data.split_dataloader("test"))


def test_without_a_validation_part_there_is_no_loader():
    data = loaded(made(), val_fraction=0)
    assert data.val_dataloader() == []
    assert sum(len(batch.x) for batch in data.train_dataloader()) == 50
    with pytest.raises(DataError, match="val split"):
        data.split_dataloader("val")
    with pytest.raises(DataError, match="train, val or test"):
        data.split_dataloader("tset")


def training_part(data, arrays):
    index = [row for batch in data.split_dataloader("train") for row in rows(data, batch)]
    return arrays.train_x[index]


def test_standard_takes_one_mean_and_one_deviation_of_the_training_part():
    arrays = made(shape=(2, 4, 4))
    data = loaded(arrays)
    part = training_part(data, arrays).numpy()
    expected = (arrays.test_x.numpy() - part.mean()) / part.std(ddof=1)
    got = torch.cat([batch.x for batch in data.split_dataloader("test")])
    np.testing.assert_allclose(got.numpy(), expected, rtol=1e-4, atol=1e-5)
    assert data.offset.shape == data.scale.shape == ()


def test_minmax_takes_images_as_a_whole():
    arrays = made(shape=(1, 2, 3))
    data = loaded(arrays, normalization="minmax", val_fraction=0)
    low, high = arrays.train_x.min(), arrays.train_x.max()
    torch.testing.assert_close(
        data.transform(arrays.train_x), (arrays.train_x - low) / (high - low)
    )


def test_minmax_is_scikit_learns_with_clipping_and_constants_become_zero():
    arrays = made()
    arrays.train_x[:, 2] = 7.0
    data = loaded(arrays, normalization="minmax")
    part = training_part(data, arrays)
    expected = MinMaxScaler(clip=True).fit(part).transform(arrays.test_x)
    expected[:, 2] = 0  # scikit-learn would clip the distance from the constant
    got = torch.cat([batch.x for batch in data.split_dataloader("test")])
    np.testing.assert_allclose(got.numpy(), expected, atol=1e-6)
    assert got.min() >= 0
    assert got.max() <= 1
    assert got[:, 2].abs().max() == 0
    assert torch.equal(data.denormalize(got[:5])[:, 2], torch.full((5,), 7.0))


def test_half_and_none_on_bytes():
    x = torch.arange(256, dtype=torch.uint8).view(-1, 1, 1, 1)
    arrays = Arrays(x, None, x, None)
    half, none = (loaded(arrays, normalization=kind) for kind in ("half", "none"))
    unit = np.arange(256, dtype=np.float32) / 255
    np.testing.assert_allclose(half.transform(x).flatten(), (unit - 0.5) / 0.5, atol=1e-6)
    np.testing.assert_allclose(none.transform(x).flatten(), unit)


@given(
    st.lists(st.floats(-1e4, 1e4, width=32), min_size=8, max_size=40),
    st.sampled_from(["standard", "half", "minmax", "none"]),
)
@settings(max_examples=60, deadline=None)
def test_what_is_normalised_comes_back(values, kind):
    x = torch.tensor(values).view(-1, 1)
    data = loaded(Arrays(x, None, x, None), normalization=kind, val_fraction=0, batch_size=1)
    normal = data.transform(x)
    assert normal.isfinite().all()
    if kind != "standard" or data.scale > 0:
        torch.testing.assert_close(data.denormalize(normal), x, rtol=1e-4, atol=1e-2)


def test_the_normalisation_travels_with_a_checkpoint():
    data = loaded(made(), normalization="minmax")
    file = io.BytesIO()
    torch.save(data.state_dict(), file)
    file.seek(0)
    state = torch.load(file, weights_only=True)
    fresh = ClusterData(lambda: made(seed=9), "others", normalization="none", batch_size=8)
    fresh.load_state_dict(state)
    x = torch.randn(20, 3) * 9
    assert torch.equal(fresh.transform(x), data.transform(x))
    fresh.setup("test")
    assert torch.equal(fresh.offset, data.offset)
    # Also what was normalised before the state came.
    late = loaded(made())
    next(iter(late.split_dataloader("test")))
    late.load_state_dict(state)
    batch = next(iter(late.split_dataloader("test")))
    assert torch.equal(batch.x, data.transform(made().test_x[:1024]))


def test_the_source_is_read_once():
    calls = []

    def source():
        calls.append(1)
        return made()

    data = ClusterData(source, "things", batch_size=8)
    for stage in ("fit", "test", None, "fit"):
        data.setup(stage)
    assert len(calls) == 1


def test_loaders_leave_the_models_random_numbers_alone():
    data = loaded(made())
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    for loader in (data.train_dataloader(), data.val_dataloader(), data.split_dataloader("test")):
        list(loader)
    assert torch.equal(torch.rand(1), expected)


def test_a_batch_takes_all_of_few_samples(caplog):
    caplog.set_level("INFO")
    small = loaded(made(), batch_size=46)
    assert [len(batch.x) for batch in small.train_dataloader()] == [45]
    assert "45 training samples, fewer than a batch of 46" in caplog.text
    caplog.clear()
    assert [len(batch.x) for batch in loaded(made(), batch_size=45).train_dataloader()] == [45]
    assert not caplog.text


def test_fewer_samples_than_a_sequence_are_refused():
    with pytest.raises(DataError, match=r"50 training samples.*`sequence_length` to at most 50"):
        loaded(made(), batch_size=64, sequence_length=64, val_fraction=0)


def test_a_validation_part_of_a_few_samples_is_left_out_and_said():
    data = loaded(made(), val_fraction=0.001)
    assert len(data.rows("val")) == data.val_fraction == 0
    assert data.val_dataloader() == []
    assert len(data.rows("train")) == len(data.arrays.train_x)
    assert any("too few to say anything" in one for one in data.notes)


def test_messages_name_where_the_data_lies():
    data = ClusterData(
        lambda: made(n=3), "table", 4, 0, path="here.csv", target="kind", sequence_length=4
    )
    with pytest.raises(DataError, match=r"table \(here\.csv, labels from kind\)"):
        data.setup("fit")


@pytest.mark.parametrize(
    "setting",
    [{"batch_size": 0}, {"val_fraction": 1.0}, {"val_fraction": -0.1}, {"normalization": "max"}],
)
def test_arguments_out_of_range_are_refused(setting):
    with pytest.raises(ValueError, match=next(iter(setting))):
        ClusterData(made, "things", **setting)


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for i in range(40):
        Image.fromarray(rng.integers(0, 256, (4, 4), dtype=np.uint8)).save(tmp_path / f"{i}.png")
    return tmp_path


@pytest.mark.parametrize("num_workers", [0, 2])
def test_images_from_the_disk_come_as_they_would_from_memory(folder, num_workers):
    memory = loaded(images(str(folder)))
    disk = loaded(images(str(folder), in_memory_limit=0), num_workers=num_workers)
    for epoch in (0, 1, 0):
        batches = []
        for data in (memory, disk):
            loader = data.train_dataloader()
            loader.sampler.set_epoch(epoch)
            batches.append(list(loader))
        for one, two in zip(*batches, strict=True):
            assert torch.equal(one.index, two.index)
            torch.testing.assert_close(one.x, two.x)
    pickle.dumps(disk.train_dataloader().dataset)  # as workers that are spawned need it


@pytest.mark.data
def test_real_sets_are_normalised_by_their_training_part(data_dir):
    for source, kind in ((mnist, "standard"), (fashion, "half")):
        folder = data_dir / {"mnist": "MNIST", "fashion": "FashionMNIST"}[source.__name__]
        if not folder.is_dir():
            pytest.skip(f"there is no {folder}")
        data = ClusterData(lambda: source(str(data_dir)), "set", normalization=kind)  # noqa: B023
        data.setup("fit")
        x = torch.cat([batch.x for batch in data.split_dataloader("train")])
        assert x.shape == (54000, 1, 28, 28)
        assert data.num_classes == 10
        if kind == "half":
            assert (x.min(), x.max()) == (-1, 1)
        else:
            assert x.double().mean().item() == pytest.approx(0, abs=1e-4)
            assert x.double().std().item() == pytest.approx(1, abs=1e-4)


FORMS = {
    "array": lambda x: x,
    "tensor": torch.from_numpy,
    "frame": lambda x: pd.DataFrame(x, columns=list("abc")),
    "sparse": sparse.csr_matrix,
    "list": lambda x: x.tolist(),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_samples_in_memory_are_taken_with_or_without_a_test_split(form):
    x = np.random.default_rng(0).random((40, 3))
    data = ClusterData(form(x), batch_size=8, val_fraction=0, normalization="none")
    data.setup("fit")
    np.testing.assert_allclose(data.arrays.train_x, x)
    np.testing.assert_allclose(data.arrays.test_x, x)
    assert data.num_classes == 0
    labels = ["a", "b"] * 20
    split = ClusterData.of(form(x), labels, form(x[:5]), labels[:5], val_fraction=0)
    split.setup("fit")
    assert len(split.arrays.test_x) == 5
    assert split.class_names == ["a", "b"]
    assert split.about("test")["row"].tolist() == [0, 1, 2, 3, 4]


def test_a_frame_has_roles_for_its_columns():
    frame = pd.DataFrame({"id": list("wxyz"), "a": [1, 2, 3, 4], "kind": list("pqpq")})
    data = ClusterData.of(frame, roles=Roles(target="kind"), val_fraction=0)
    data.setup("fit")
    assert data.feature_names == ["a"]
    assert data.class_names == ["p", "q"]
    assert data.about("train")["id"].tolist() == list("wxyz")
    with pytest.raises(DataError, match="kind"):
        ClusterData(frame).setup("fit")


@pytest.mark.parametrize("bad", [np.zeros(4), np.array([["a"]]), np.zeros((2, 2, 2, 2, 2))])
def test_what_is_no_samples_is_refused(bad):
    with pytest.raises(DataError, match="samples should be numbers"):
        ClusterData(bad).setup("fit")


def test_columns_are_scaled_each_by_itself_and_samples_to_one_length():
    x = np.random.default_rng(0).normal(size=(200, 3)) * [1000, 1, 0.01] + [5, 0, 1]
    data = ClusterData(x, val_fraction=0, normalization="standard")
    data.setup("fit")
    scaled = data.normalize(data.arrays.train_x)
    np.testing.assert_allclose(scaled.mean(0), np.zeros(3), atol=1e-5)
    np.testing.assert_allclose(scaled.std(0), np.ones(3), rtol=1e-4)
    np.testing.assert_allclose(data.denormalize(scaled), x, rtol=1e-4, atol=1e-3)
    unit = ClusterData(x, val_fraction=0, normalization="unit")
    unit.setup("fit")
    lengths = unit.normalize(unit.arrays.train_x).norm(dim=1)
    np.testing.assert_allclose(lengths, np.ones(200), rtol=1e-5)
    again = ClusterData(x, val_fraction=0, normalization="unit")
    again.load_state_dict(unit.state_dict())
    torch.testing.assert_close(
        again.transform(torch.from_numpy(x)), unit.normalize(torch.from_numpy(x))
    )


def test_missing_values_are_the_medians_of_the_training_part():
    x = np.random.default_rng(0).random((30, 2))
    x[[2, 7], 0] = np.nan
    data = ClusterData.of(pd.DataFrame(x, columns=["a", "b"]), roles=Roles(missing="median"),
                          val_fraction=0, normalization="minmax")  # fmt: skip
    data.setup("fit")
    low, high = np.nanmin(x[:, 0]), np.nanmax(x[:, 0])
    expected = (np.median(x[~np.isnan(x[:, 0]), 0]) - low) / (high - low)
    got = data.normalize(data.arrays.train_x)[[2, 7], 0]
    np.testing.assert_allclose(got, [expected] * 2, rtol=1e-5)
    assert not data.normalize(data.arrays.train_x).isnan().any()
    later = ClusterData(np.zeros((1, 2)), val_fraction=0)
    later.load_state_dict(data.state_dict())
    row = torch.tensor([[np.nan, 0.5]], dtype=torch.float64)
    assert float(later.transform(row)[0, 0]) == pytest.approx(float(got[0]))


JUNK = {
    "nothing": None,
    "a number": 3,
    "a text": "abc",
    "a list": [1, 2],
    "a dict": {"offset": 0},
    "an array": np.zeros((2, 2)),
    "a tensor": torch.zeros(2),
    "a class": int,
}
# Methods that are given junk, and what of it they take.
CALLS = {
    "load_state_dict": (lambda data, junk: data.load_state_dict(junk), ()),
    "a state": (
        lambda data, junk: data.load_state_dict({**data.state_dict(), "offset": junk}),
        ("a number", "a list", "an array", "a tensor"),
    ),
    "follow": (lambda data, junk: data.follow(junk), ()),
    "check_same": (lambda data, junk: data.check_same(junk), ("nothing", "a dict")),
    "normalize": (lambda data, junk: data.normalize(junk), ()),
    "denormalize": (lambda data, junk: data.denormalize(junk), ()),
    "transform": (lambda data, junk: data.transform(junk), ()),
    "normalizer": (lambda data, junk: data.normalizer(junk), ()),
    "raw of a split": (lambda data, junk: data.raw(junk, torch.arange(2)), ()),
    "raw": (lambda data, junk: data.raw("train", junk), ("a list",)),
    "about": (lambda data, junk: data.about("train", junk), ("nothing", "a list")),
    "setup": (lambda data, junk: data.setup(junk), ("nothing",)),
    "some_samples": (
        lambda data, junk: next(data.some_samples("train", junk)),
        ("nothing", "a number"),
    ),
    "some_samples of a split": (lambda data, junk: next(data.some_samples(junk)), ()),
}


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize("kind", JUNK)
def test_junk_from_python_is_refused_in_a_sentence(method, kind):
    data = ClusterData(np.random.default_rng(0).random((30, 4)), val_fraction=0)
    data.setup("fit")
    call, takes = CALLS[method]
    if kind in takes:
        call(data, JUNK[kind])
        return
    with pytest.raises(ValueError, match=r"must be|should be"):
        call(data, JUNK[kind])


def test_places_of_any_kind_are_taken():
    data = ClusterData(np.arange(40.0).reshape(10, 4), val_fraction=0)
    data.setup("fit")
    for index in ([1, 2], np.array([1, 2]), torch.tensor([1, 2], dtype=torch.int32)):
        assert data.raw("train", index)[:, 0].tolist() == [4, 8]
    for index in ([10], [-1], [0.5], [True], [[1]]):
        with pytest.raises(ValueError, match="from 0 to 9"):
            data.raw("train", index)
