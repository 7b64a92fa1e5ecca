"""Codes of missing values in images and in streams are said, with where the first stands."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch

from dcsomrl.data import ClusterData
from dcsomrl.data.files import arrays
from dcsomrl.data.images import images
from dcsomrl.data.stream_files import stream
from dcsomrl.errors import DataError

PICTURES = np.random.default_rng(0).random((20, 2, 8, 8)).astype(np.float32)


def find_said(source):
    data = ClusterData(source, val_fraction=0)
    data.setup("fit")
    return [one for one in data.notes if "lies far from all other values" in one]


def save_pictures(x, folder, kind):
    path = folder / f"x.{kind}"
    if kind == "npy":
        np.save(path, x)
    elif kind == "npz":
        np.savez(path, x_train=x, x_test=x[:3])
    else:
        torch.save({"x_train": torch.from_numpy(x), "x_test": torch.from_numpy(x[:3])}, path)
    return partial(arrays, str(path))


@pytest.mark.parametrize("kind", ["npy", "npz", "pt", "memory"])
@pytest.mark.parametrize("code", [-9999, 1e20, -3.4028235e38])
def test_codes_in_arrays_of_images_are_said(tmp_path, kind, code):
    x = PICTURES.copy()
    x[1:17, 1, 3, 4] = code
    (said,) = find_said(x if kind == "memory" else save_pictures(x, tmp_path, kind))
    assert "of channel 1 (the first in row " in said
    assert said.split("lies far")[0].split()[-1].startswith(f"{code:.7g}"[:4])


@pytest.mark.parametrize("limit", [0, 2**31])
def test_codes_in_images_of_floats_are_said(tmp_path, limit):
    tifffile = pytest.importorskip("tifffile")
    for i, picture in enumerate(PICTURES[:, 0] * 100):
        picture[0, 0] = -9999 if i in (3, 4, 5) else picture[0, 0]
        tifffile.imwrite(tmp_path / f"{i:02}.tif", picture)
    (said,) = find_said(partial(images, str(tmp_path), in_memory_limit=limit))
    assert "-9999 lies far from all other values of channel 0 (the first in file 0" in said


def test_other_images_are_not_said(tmp_path):
    assert not find_said(PICTURES)
    assert not find_said((PICTURES * 255).astype(np.uint8))
    assert not find_said((PICTURES * 99).astype(np.int64))


@pytest.mark.parametrize("kind", ["parquet", "npy", "folder"])
@pytest.mark.parametrize("code", [-999, 9999, 1e20])
def test_codes_in_a_stream_are_said(tmp_path, kind, code):
    x = np.random.default_rng(0).random((9000, 2)).astype(np.float32)
    x[6000:6050, 1] = code  # a few, and in no row that is looked at by itself
    for i, part in enumerate(np.split(x, [5000]) if kind == "folder" else [x]):
        if kind == "npy":
            np.save(tmp_path / f"{i}.npy", part)
        else:
            frame = pd.DataFrame(part, columns=["a", "b"])
            frame.to_parquet(tmp_path / f"{i}.parquet", row_group_size=500)
    (said,) = find_said(partial(stream, str(tmp_path), window=8000))
    column = "1" if kind == "npy" else "b"
    row = "file 1.parquet, row 10" if kind == "folder" else "row 600"
    assert f"{code:g}"[:4] in said
    assert f"of column {column} (the first in {row}" in said


def test_integers_that_floats_hardly_tell_apart_are_refused_in_a_stream(tmp_path):
    x = np.random.default_rng(0).integers(0, 3000, (3000, 2))
    np.save(tmp_path / "x.npy", x + np.array([0, 2**62]))
    with pytest.raises(DataError, match="in column 1, which floats of 64 bits round"):
        find_said(partial(stream, str(tmp_path / "x.npy")))


def test_bytes_and_common_values_in_a_stream_are_not_said(tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "x.npy", rng.integers(0, 100, (9000, 2)))
    assert not find_said(partial(stream, str(tmp_path / "x.npy")))
    np.save(tmp_path / "x.npy", rng.integers(0, 256, (9000, 2)).astype(np.uint8))
    assert not find_said(partial(stream, str(tmp_path / "x.npy")))


@pytest.mark.parametrize("shape", [(40, 3), (40, 8, 8)])
def test_samples_that_are_mostly_copies_are_said(shape):
    x = np.random.default_rng(0).random(shape)
    for different, said in ((4, True), (30, False), (1, False)):
        data = ClusterData(np.resize(x[:different], shape), val_fraction=0)
        data.setup("fit")
        found = [one for one in data.notes if "the same as others" in one]
        assert bool(found) == said
        if said:
            assert "36 of 40 training samples" in found[0]
