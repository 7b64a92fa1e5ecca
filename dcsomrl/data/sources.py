"""The datasets that have a name of their own."""

import gzip
import math
import tempfile
import zlib
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor
from torchvision.datasets import MNIST, FashionMNIST

from dcsomrl.data.arrays import Arrays, divide
from dcsomrl.errors import DataError
from dcsomrl.extras import explained

# The magic numbers of the idx format: unsigned bytes in three dimensions, and in one.
IMAGES_MAGIC, LABELS_MAGIC = 2051, 2049


def digits() -> Arrays:
    """scikit-learn's 1,797 handwritten digits, 8x8 in [0, 1]; comes with the package.

    The test split, a fifth of them, is the same in every run.
    """
    bunch = load_digits()
    x = torch.tensor(bunch.images / 16, dtype=torch.float32)[:, None]
    y = torch.tensor(bunch.target, dtype=torch.int64)
    train, test = divide(len(x), 0.2)
    return Arrays(x[train], y[train], x[test], y[test])


def mnist(data_dir: str) -> Arrays:
    """MNIST, 60,000 + 10,000 images of 28x28 bytes (LeCun et al. 1998).

    Args:
        data_dir: folder that holds, or gets, ``MNIST/raw`` in torchvision's layout.

    Raises:
        DataError: the files are absent and cannot be downloaded, or are damaged.
    """
    return _read_mnist_like(MNIST, data_dir)


def fashion(data_dir: str) -> Arrays:
    """Fashion-MNIST, 60,000 + 10,000 images of 28x28 bytes (Xiao et al. 2017); see `mnist`."""
    return _read_mnist_like(FashionMNIST, data_dir, [str(name) for name in FashionMNIST.classes])


def mnist_all(data_dir: str) -> Arrays:
    """All 70,000 images of MNIST as both splits, as some publications train and score."""
    return _join_splits(mnist(data_dir))


def fashion_all(data_dir: str) -> Arrays:
    """All 70,000 images of Fashion-MNIST as both splits; see `mnist_all`."""
    return _join_splits(fashion(data_dir))


def _join_splits(arrays: Arrays) -> Arrays:
    assert isinstance(arrays.train_y, Tensor)
    assert isinstance(arrays.test_y, Tensor)
    assert isinstance(arrays.train_x, Tensor)
    assert isinstance(arrays.test_x, Tensor)
    x = torch.cat([arrays.train_x, arrays.test_x])
    y = torch.cat([arrays.train_y, arrays.test_y])
    return Arrays(x, y, x, y, arrays.class_names)


def usps(path: str) -> Arrays:
    """USPS, 7,291 + 2,007 images of 16x16 (Hull 1994), from an HDF5 file.

    Args:
        path: file with ``data`` (n, 256) and ``target`` (n,) in each of ``train`` and ``test``.

    Raises:
        DataError: the file is absent, damaged, or of another layout.
        MissingPackageError: h5py is not installed.
    """
    if not Path(path).is_file():
        raise DataError(f"there is no USPS file at {path}: put usps.h5 there or set `path`")
    with explained():
        from dcsomrl.data import hdf5_files
    names = [(split, key) for split in ("train", "test") for key in ("data", "target")]
    try:
        parts = [torch.from_numpy(part) for part in hdf5_files.read_arrays(path, names)]
    except Exception as error:  # HDF5 raises many kinds for a damaged file
        raise DataError(
            f"{path} is damaged or has another layout ({error}): it should hold train/data, "
            "train/target, test/data and test/target"
        ) from error
    train_x, train_y, test_x, test_y = parts
    for x in (train_x, test_x):
        if x.ndim != 2 or x.shape[1] != 256:
            raise DataError(f"{path} should hold images of 256 values, got shape {tuple(x.shape)}")
    return Arrays(
        train_x.float().view(-1, 1, 16, 16),
        train_y.long(),
        test_x.float().view(-1, 1, 16, 16),
        test_y.long(),
    )


def _read_mnist_like(
    kind: type[MNIST], data_dir: str, class_names: list[str] | None = None
) -> Arrays:
    folder = Path(data_dir) / kind.__name__ / "raw"
    names = [
        f"{split}-{content}-ubyte"
        for split in ("train", "t10k")
        for content in ("images-idx3", "labels-idx1")
    ]
    if any(_find(folder, name) is None for name in names):
        _download(kind, folder, names)
    train_x, train_y, test_x, test_y = (_read_idx(folder, name) for name in names)
    return Arrays(train_x[:, None], train_y.long(), test_x[:, None], test_y.long(), class_names)


def _find(folder: Path, name: str) -> Path | None:
    files = (folder / f"{name}.gz", folder / name)
    return next((file for file in files if file.is_file()), None)


def _download(kind: type[MNIST], folder: Path, names: list[str]) -> None:
    """Fetch into a folder of its own, then move: other processes never see half a file."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as part:
            kind(part, download=True)
            for name in names:
                fetched = Path(part) / kind.__name__ / "raw" / f"{name}.gz"
                fetched.replace(folder / fetched.name)
    except (OSError, RuntimeError) as error:
        raise DataError(
            f"{kind.__name__} is not in {folder} and could not be downloaded: put "
            f"{', '.join(f'{name}.gz' for name in names)} there, or set data_dir or DCSOMRL_DATA "
            f"to the folder above {kind.__name__}"
        ) from error


def _read_idx(folder: Path, name: str) -> Tensor:
    """An idx file, packed or not; read here, since torchvision would unpack beside it."""
    path = _find(folder, name)
    assert path is not None
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} is damaged ({error}): fetch it again") from error
    n_dims = 3 if "images" in name else 1
    header = 4 * (1 + n_dims)
    sizes = np.frombuffer(raw[:header], ">i4") if len(raw) >= header else np.zeros(1, ">i4")
    magic, shape = int(sizes[0]), tuple(int(size) for size in sizes[1:])
    expected = IMAGES_MAGIC if n_dims == 3 else LABELS_MAGIC
    if magic != expected or len(raw) != header + math.prod(shape):
        raise DataError(
            f"{path} is damaged or not an idx file of {n_dims} dimensions: fetch it again"
        )
    return torch.from_numpy(np.frombuffer(raw, np.uint8, offset=header).reshape(shape).copy())
