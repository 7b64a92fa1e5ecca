"""Datasets of one's own: a folder of images, or a file of features."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from dcsomrl.data.arrays import Arrays, Samples, divide
from dcsomrl.errors import DataError

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
TABLE_SUFFIXES = (".csv", ".parquet")


class ImageFiles:
    """Images of a folder, read from the disk when they are asked for.

    Args:
        files: the images, at least one.
        image_size: side to which every image is resized; None demands that all have one size.
        channels: 1 for grey, 3 for colour, None for what the first image has.
    """

    def __init__(
        self, files: list[Path], image_size: int | None = None, channels: int | None = None
    ) -> None:
        self.files = files
        self._image_size = image_size
        first = _opened(files[0])
        channels = channels or min(len(first.getbands()), 3)
        if channels not in (1, 3):
            raise DataError(f"images have 1 or 3 channels, got {channels}: set it to one of these")
        self._mode = "L" if channels == 1 else "RGB"
        width, height = (image_size, image_size) if image_size else first.size
        self.shape: tuple[int, ...] = (len(files), channels, height, width)

    def __len__(self) -> int:
        """Number of images."""
        return len(self.files)

    def __getitem__(self, index: Tensor) -> Tensor:
        """Images (batch, channels, height, width) as bytes."""
        return torch.stack([self._read(self.files[i]) for i in index.tolist()])

    def _read(self, file: Path) -> Tensor:
        image = _opened(file).convert(self._mode)
        _, channels, height, width = self.shape
        if self._image_size:
            image = image.resize((width, height), Image.Resampling.BILINEAR)
        if image.size != (width, height):
            raise DataError(
                f"{file} is {image.size[0]}x{image.size[1]}, but the images before it are "
                f"{width}x{height}: set dataset.source.image_size to bring all to one size"
            )
        pixels = np.asarray(image, dtype=np.uint8).reshape(height, width, channels)
        return torch.from_numpy(pixels.copy()).permute(2, 0, 1)


def images(
    path: str,
    image_size: int | None = None,
    channels: int | None = None,
    test_fraction: float = 0.2,
    in_memory_limit: int = 2**31,
) -> Arrays:
    """A folder of images, with a folder for each class or without classes.

    Folders ``train`` and ``test`` in it are the splits; else a fixed part is split off.

    Args:
        path: the folder.
        image_size: side to which every image is resized, in pixels; None keeps their one size.
        channels: 1 or 3; None follows the first image.
        test_fraction: share of the test split, where there are no folders for the splits.
        in_memory_limit: bytes up to which the images are kept in memory; beyond, every batch is
            read from the disk.

    Raises:
        DataError: no images, one that cannot be read, or sizes that differ.
    """
    root = Path(path)
    if (root / "train").is_dir() and (root / "test").is_dir():
        train, train_names = image_files(root / "train")
        test, test_names = image_files(root / "test")
    else:
        files, names = image_files(root)
        train_rows, test_rows = divide(len(files), test_fraction)
        train, test = ([files[i] for i in rows] for rows in (train_rows, test_rows))
        train_names, test_names = (
            None if names is None else [names[i] for i in rows] for rows in (train_rows, test_rows)
        )
    if not train or not test:
        raise DataError(f"{path} holds too few images to split: add some")
    class_names = sorted({*(train_names or []), *(test_names or [])})
    train_x, test_x = (ImageFiles(part, image_size, channels) for part in (train, test))
    return Arrays(
        _in_memory(train_x, in_memory_limit),
        _classes(train_names, class_names),
        _in_memory(test_x, in_memory_limit),
        _classes(test_names, class_names),
        class_names or None,
    )


def image_files(folder: Path) -> tuple[list[Path], list[str] | None]:
    """Images of a folder in order and, where they lie in subfolders, the subfolders' names.

    Raises:
        DataError: no such folder, or no images in it.
    """
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}: check dataset.path")
    found = sorted(file for file in folder.rglob("*") if file.suffix.lower() in IMAGE_SUFFIXES)
    if not found:
        kinds = ", ".join(IMAGE_SUFFIXES)
        raise DataError(f"{folder} holds no images ({kinds}): check dataset.path")
    names = [file.relative_to(folder).parts[0] for file in found]
    return found, None if any(file.parent == folder for file in found) else names


def arrays(
    path: str,
    target: str | None = None,
    test_path: str | None = None,
    test_fraction: float = 0.2,
) -> Arrays:
    """A file of features: npz, npy, csv or parquet.

    Args:
        path: an npz with ``x`` and optionally ``y``; an npy; or a table with a row a sample.
        target: column of the labels in a table.
        test_path: file of the test split; None splits off a fixed part.
        test_fraction: share of the test split, where it has no file.

    Raises:
        DataError: the file is absent, damaged, or holds what is no feature.
    """
    x, y, names = read_features(Path(path), target)
    if test_path is None:
        if y is not None and len(y) != len(x):
            raise DataError(f"{path} has {len(x)} samples but {len(y)} labels: make them as many")
        train, test = divide(len(x), test_fraction)
        parts = (x[train], x[test]), (None, None) if y is None else (y[train], y[test])
    else:
        test_x, test_y, _ = read_features(Path(test_path), target)
        parts = (x, test_x), (y, test_y)
    (train_x, test_x), (train_y, test_y) = parts
    labels = [part for part in (train_y, test_y) if part is not None]
    values = np.unique(np.concatenate(labels)) if labels else np.empty(0)
    return Arrays(
        torch.from_numpy(train_x),
        None if train_y is None else torch.from_numpy(np.searchsorted(values, train_y)),
        torch.from_numpy(test_x),
        None if test_y is None else torch.from_numpy(np.searchsorted(values, test_y)),
        [str(value) for value in values] or None,
        names,
    )


def read_features(
    path: Path, target: str | None = None
) -> tuple[NDArray[np.generic], NDArray[np.generic] | None, list[str] | None]:
    """Features, labels and names of the features of a file; see :func:`arrays`.

    Raises:
        DataError: the file is absent, damaged, or holds what is no feature.
    """
    if not path.is_file():
        raise DataError(f"there is no file {path}: check dataset.path")
    if path.suffix not in (".npz", ".npy", *TABLE_SUFFIXES):
        raise DataError(f"{path} is no npz, npy, csv or parquet file: convert it to one of these")
    try:
        if path.suffix in TABLE_SUFFIXES:
            table = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
            return _table(table, path, target)
        content = np.load(path, allow_pickle=False)
        x = content if path.suffix == ".npy" else content["x"]
        y = content["y"] if path.suffix == ".npz" and "y" in content else None
    except KeyError as error:
        raise DataError(f"{path} holds no array named x: save the features as x") from error
    except DataError:
        raise
    except Exception as error:  # each reader raises kinds of its own for a damaged file
        raise DataError(
            f"{path} cannot be read ({error}): it is damaged or not what its name says"
        ) from error
    if x.dtype.kind not in "fiub" or x.ndim < 2:
        raise DataError(
            f"{path} should hold numbers of shape (samples, features), got {x.dtype} of shape "
            f"{x.shape}"
        )
    # An image without a channel gets one; bytes stay bytes, which are scaled to [0, 1] later.
    x = x[:, None] if x.ndim == 3 else x
    return x if x.dtype == np.uint8 else x.astype(np.float32), y, None


def _table(
    table: pd.DataFrame, path: Path, target: str | None
) -> tuple[NDArray[np.generic], NDArray[np.generic] | None, list[str]]:
    if target is not None and target not in table:
        raise DataError(f"{path} has no column {target}; it has {', '.join(map(str, table))}")
    features = table if target is None else table.drop(columns=target)
    words = [str(name) for name in features if features[name].dtype.kind not in "fiub"]
    if words:
        raise DataError(
            f"{path} has columns that are not numbers: {', '.join(words)}; encode or remove them, "
            "or name the labels' column by dataset.source.target"
        )
    y = None if target is None else table[target].to_numpy()
    return features.to_numpy(np.float32), y, [str(name) for name in features]


def _opened(file: Path) -> Image.Image:
    try:
        with Image.open(file) as image:
            image.load()
            return image
    except (OSError, UnidentifiedImageError, SyntaxError) as error:
        raise DataError(f"the image {file} cannot be read ({error}): mend or remove it") from error


def _in_memory(files: ImageFiles, limit: int) -> Tensor | Samples:
    if np.prod(files.shape) > limit:
        return files
    return files[torch.arange(len(files))]


def _classes(names: list[str] | None, classes: list[str]) -> Tensor | None:
    return None if names is None else torch.tensor([classes.index(name) for name in names])
