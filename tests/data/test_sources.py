import gzip
import struct

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from dcsomrl.data import ClusterData
from dcsomrl.data.arrays import Arrays, checked
from dcsomrl.data.files import arrays
from dcsomrl.data.images import images
from dcsomrl.data.sources import digits, fashion, mnist, usps
from dcsomrl.errors import DataError


def write_idx(path, values, packed):
    values = np.asarray(values, dtype=np.uint8)
    magic = 2051 if values.ndim == 3 else 2049
    raw = struct.pack(f">{1 + values.ndim}i", magic, *values.shape) + values.tobytes()
    if packed:
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(raw))
    else:
        path.write_bytes(raw)


@pytest.fixture(params=[True, False], ids=["packed", "plain"])
def idx_folder(tmp_path, request):
    folder = tmp_path / "MNIST" / "raw"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for split, n in (("train", 7), ("t10k", 3)):
        x, y = rng.integers(0, 256, (n, 28, 28)), np.arange(n) % 3
        write_idx(folder / f"{split}-images-idx3-ubyte", x, request.param)
        write_idx(folder / f"{split}-labels-idx1-ubyte", y, request.param)
    return folder


def test_idx_files_are_read_as_they_were_written(idx_folder, tmp_path):
    read = mnist(str(tmp_path))
    expected = np.random.default_rng(0).integers(0, 256, (7, 28, 28))
    assert read.train_x.shape == (7, 1, 28, 28)
    assert read.train_x.dtype == torch.uint8
    np.testing.assert_array_equal(read.train_x[:, 0].numpy(), expected)
    assert read.test_y.tolist() == [0, 1, 2]


@pytest.mark.parametrize("keep", [0.0, 0.5, 0.99])
def test_a_truncated_idx_file_is_named(idx_folder, tmp_path, keep):
    path = next(idx_folder.glob("train-images*"))
    raw = path.read_bytes()
    path.write_bytes(raw[: int(keep * len(raw))])
    with pytest.raises(DataError, match=f"{path.name} is damaged"):
        mnist(str(tmp_path))


def test_absent_files_are_named_where_there_is_no_network(tmp_path, monkeypatch):
    for proxy in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(proxy, "http://127.0.0.1:9")
    with pytest.raises(DataError, match=r"FashionMNIST.*train-images-idx3-ubyte\.gz.*data_dir"):
        fashion(str(tmp_path))


def test_usps_is_read_and_a_wrong_file_is_named(tmp_path):
    path = tmp_path / "usps.h5"
    with pytest.raises(DataError, match=r"no USPS file at .*usps\.h5"):
        usps(str(path))
    x = np.linspace(0, 1, 5 * 256).reshape(5, 256)
    with h5py.File(path, "w") as file:
        for split in ("train", "test"):
            file[f"{split}/data"], file[f"{split}/target"] = x, np.arange(5)
    read = usps(str(path))
    assert read.train_x.shape == (5, 1, 16, 16)
    np.testing.assert_allclose(read.test_x.flatten(1).numpy(), x.astype(np.float32))
    with h5py.File(path, "a") as file:
        del file["test/target"]
    with pytest.raises(DataError, match="another layout"):
        usps(str(path))
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError, match="damaged"):
        usps(str(path))


def test_digits_are_scikit_learns_with_a_test_split_that_never_changes():
    one, two = digits(), digits()
    assert one.train_x.shape == (1438, 1, 8, 8)
    assert one.test_x.shape == (359, 1, 8, 8)
    assert float(one.train_x.max()) == 1
    assert torch.equal(one.test_x, two.test_x)
    together = torch.cat([one.train_x, one.test_x]).flatten(1)
    assert len(together.unique(dim=0)) == len(together)


def picture(path, value, size=(6, 4), mode="L"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value).save(path)


def test_a_folder_for_each_class_gives_labels(tmp_path):
    for name, value in (("cat", 10), ("dog", 200)):
        for i in range(5):
            picture(tmp_path / name / f"{i}.png", value)
    read = images(str(tmp_path))
    assert read.train_x.shape == (8, 1, 4, 6)
    assert read.class_names == ["cat", "dog"]
    for x, y in ((read.train_x, read.train_y), (read.test_x, read.test_y)):
        assert [{10: 0, 200: 1}[int(image[0, 0, 0])] for image in x] == y.tolist()


def test_folders_for_the_splits_are_the_splits(tmp_path):
    for split, n in (("train", 3), ("test", 2)):
        for i in range(n):
            picture(tmp_path / split / "one" / f"{i}.png", (i, 0, 9), mode="RGB")
    read = images(str(tmp_path))
    assert read.train_x.shape == (3, 3, 4, 6)
    assert read.test_x.shape == (2, 3, 4, 6)
    assert read.train_x[2, :, 0, 0].tolist() == [2, 0, 9]


def test_a_folder_without_classes_has_no_labels(tmp_path):
    for i in range(5):
        picture(tmp_path / f"{i}.png", i)
    read = images(str(tmp_path), image_size=8)
    assert read.train_y is None
    assert read.class_names is None
    assert read.train_x.shape == (4, 1, 8, 8)


def test_a_folder_too_large_for_memory_streams_the_same_images(tmp_path):
    for i in range(20):
        picture(tmp_path / f"{i:02}.png", 10 * i)
    kept, streamed = (
        ClusterData(
            lambda limit=limit: images(str(tmp_path), in_memory_limit=limit),
            "images",
            batch_size=4,
            num_workers=workers,
        )
        for limit, workers in ((10**9, 0), (0, 2))
    )
    for data in (kept, streamed):
        data.setup()
    assert isinstance(kept.arrays.train_x, torch.Tensor)
    assert not isinstance(streamed.arrays.train_x, torch.Tensor)
    for one, two in zip(kept.train_dataloader(), streamed.train_dataloader(), strict=True):
        assert torch.equal(one.index, two.index)
        torch.testing.assert_close(one.x, two.x)
    batches = [list(data.split_dataloader("test")) for data in (kept, streamed)]
    torch.testing.assert_close(batches[0][0].x, batches[1][0].x)


def test_bad_folders_are_named(tmp_path):
    with pytest.raises(DataError, match="no folder"):
        images(str(tmp_path / "none"))
    with pytest.raises(DataError, match="holds no images"):
        images(str(tmp_path))
    for i in range(4):
        picture(tmp_path / f"{i}.png", i)
    picture(tmp_path / "3.png", 0, size=(9, 9))
    with pytest.raises(DataError, match="image_size"):
        images(str(tmp_path))
    (tmp_path / "3.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"3\.png cannot be read"):
        images(str(tmp_path))


X = np.arange(30, dtype=np.float32).reshape(10, 3)
Y = np.array(list("abcabcabca"))


@pytest.mark.parametrize("kind", ["npz", "csv", "parquet"])
def test_features_and_labels_of_every_kind_of_file(tmp_path, kind):
    path = tmp_path / f"file.{kind}"
    table = pd.DataFrame(X, columns=["u", "v", "w"]).assign(label=Y)
    if kind == "npz":
        np.savez(path, x=X, y=Y)
    elif kind == "csv":
        table.to_csv(path, index=False)
    else:
        table.to_parquet(path)
    read = arrays(str(path), target=None if kind == "npz" else "label")
    together = torch.cat([read.train_x, read.test_x])
    labels = torch.cat([read.train_y, read.test_y])
    assert read.test_x.shape == (2, 3)
    assert read.class_names == ["a", "b", "c"]
    assert read.feature_names == (None if kind == "npz" else ["u", "v", "w"])
    for row, label in zip(together, labels, strict=True):
        assert Y[int(row[0]) // 3] == read.class_names[label]


def test_features_without_labels_and_a_test_file(tmp_path):
    np.save(tmp_path / "a.npy", X)
    np.save(tmp_path / "b.npy", X[:4])
    read = arrays(str(tmp_path / "a.npy"), test_path=str(tmp_path / "b.npy"))
    assert (len(read.train_x), len(read.test_x)) == (10, 4)
    assert read.train_y is None


def test_bad_files_are_named(tmp_path):
    with pytest.raises(DataError, match="no file"):
        arrays(str(tmp_path / "none.npz"))
    (tmp_path / "a.txt").write_text("1")
    with pytest.raises(DataError, match="npz, npy, csv or parquet"):
        arrays(str(tmp_path / "a.txt"))
    np.savez(tmp_path / "a.npz", features=X)
    with pytest.raises(DataError, match="no array named x"):
        arrays(str(tmp_path / "a.npz"))
    raw = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(raw[: len(raw) // 2])
    with pytest.raises(DataError, match=r"a\.npz cannot be read"):
        arrays(str(tmp_path / "a.npz"))
    np.savez(tmp_path / "b.npz", x=X, y=Y[:7])
    with pytest.raises(DataError, match="10 samples but 7 labels"):
        arrays(str(tmp_path / "b.npz"))
    np.save(tmp_path / "c.npy", X[0])
    with pytest.raises(DataError, match=r"shape \(3,\)"):
        arrays(str(tmp_path / "c.npy"))
    pd.DataFrame({"u": [1.0], "kind": ["x"]}).to_csv(tmp_path / "d.csv", index=False)
    with pytest.raises(DataError, match="not numbers: kind"):
        arrays(str(tmp_path / "d.csv"))
    with pytest.raises(DataError, match="no column label; it has u, kind"):
        arrays(str(tmp_path / "d.csv"), target="label")


GOOD = torch.rand(6, 2)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"train_x": torch.tensor([[0.0, 1], [2, float("nan")]])}, "1 training samples with NaN"),
        ({"test_x": torch.tensor([[0.0, float("inf")]])}, "first at row 0"),
        ({"train_y": torch.zeros(5, dtype=torch.int64)}, "6 training samples but labels"),
        ({"test_x": torch.rand(6, 3)}, "shape"),
        ({"test_x": torch.rand(0, 2)}, "no test samples"),
    ],
)
def test_unsound_arrays_are_refused(change, said):
    with pytest.raises(DataError, match=said):
        checked(
            Arrays(**{"train_x": GOOD, "train_y": None, "test_x": GOOD, "test_y": None} | change),
            "d",
        )


def test_classes_are_numbered_from_zero_over_both_splits():
    read = checked(Arrays(GOOD[:3], torch.tensor([7, 3, 7]), GOOD[:2], torch.tensor([9, 3])), "d")
    assert read.train_y.tolist() == [1, 0, 1]
    assert read.test_y.tolist() == [2, 0]
    assert read.class_names == ["3", "7", "9"]


@pytest.mark.data
@pytest.mark.parametrize(
    ("source", "mean", "std"), [(mnist, 0.1307, 0.3081), (fashion, 0.2860, 0.3530)]
)
def test_the_real_images_are_the_published_ones(data_dir, source, mean, std):
    read = source(str(data_dir))
    assert read.train_x.shape == (60000, 1, 28, 28)
    assert read.test_x.shape == (10000, 1, 28, 28)
    pixels = read.train_x.double() / 255
    assert float(pixels.mean()) == pytest.approx(mean, abs=1e-4)
    assert float(pixels.std()) == pytest.approx(std, abs=1e-4)
    if source is fashion:
        assert read.train_y.bincount().tolist() == [6000] * 10


@pytest.mark.data
def test_the_real_usps_is_the_published_one(data_dir):
    read = usps(str(data_dir / "USPS" / "usps.h5"))
    assert read.train_x.shape == (7291, 1, 16, 16)
    assert read.test_x.shape == (2007, 1, 16, 16)
    assert len(read.train_y.unique()) == 10


@pytest.mark.parametrize("way", ["soft", "external", "group", "storage", "virtual"])
def test_an_hdf5_file_reads_no_other_file(tmp_path, way):
    x, y = np.zeros((4, 256), np.float32), np.arange(4)
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["data"] = x
        file["train/data"], file["train/target"] = x, y
    (tmp_path / "raw").write_bytes(x.tobytes())
    path = tmp_path / "usps.h5"
    with h5py.File(path, "w") as file:
        for split in ("train", "test"):
            file[f"{split}/data"], file[f"{split}/target"] = x, y
    usps(str(path))
    with h5py.File(path, "a") as file:
        if way == "group":
            del file["train"]
            file["train"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "train")
        else:
            del file["train/data"]
        if way == "soft":
            file["train/data"] = h5py.SoftLink("/test/data")
        elif way == "external":
            file["train/data"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "data")
        elif way == "storage":
            raw = [(str(tmp_path / "raw"), 0, x.nbytes)]
            file["train"].create_dataset("data", x.shape, x.dtype, external=raw)
        elif way == "virtual":
            layout = h5py.VirtualLayout(x.shape, x.dtype)
            layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "data", x.shape)
            file["train"].create_virtual_dataset("data", layout)
    with pytest.raises(DataError, match=r"link|another file"):
        usps(str(path))
