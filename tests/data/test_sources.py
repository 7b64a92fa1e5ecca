import h5py
import numpy as np
import pytest
import torch

from dcsomrl.data.arrays import Arrays, check_arrays
from dcsomrl.data.sources import digits, fashion, mnist, mnist_all, usps
from dcsomrl.errors import DataError


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
        check_arrays(
            Arrays(**{"train_x": GOOD, "train_y": None, "test_x": GOOD, "test_y": None} | change),
            "d",
        )


def test_classes_are_numbered_from_zero_over_both_splits():
    read = check_arrays(
        Arrays(GOOD[:3], torch.tensor([7, 3, 7]), GOOD[:2], torch.tensor([9, 3])), "d"
    )
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


@pytest.mark.data
def test_all_images_are_both_splits(data_dir):
    split, both = mnist(str(data_dir)), mnist_all(str(data_dir))
    assert len(both.train_x) == len(both.test_x) == 70_000
    assert torch.equal(both.train_x[60_000:], split.test_x)
    assert torch.equal(both.test_y[:60_000], split.train_y)


def test_an_hdf5_file_that_claims_more_than_it_holds_is_refused(tmp_path):
    path = tmp_path / "usps.h5"
    with h5py.File(path, "w") as file:
        for split in ("train", "test"):
            file.create_dataset(f"{split}/data", (10**12, 256), "f8", chunks=(1, 256))
            file[f"{split}/target"] = np.arange(10)
    with pytest.raises(DataError, match=r"usps\.h5 is damaged .*train/data claims \(10{12}, 256\)"):
        usps(str(path))
