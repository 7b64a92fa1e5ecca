"""Files of NumPy are read as far as there is something, and no further."""

import io
import pickle
import zipfile

import numpy as np
import pytest
import torch

from dcsomrl.data import Neighbors
from dcsomrl.data.files import read_features
from dcsomrl.data.numpy_files import check_npz, load_npy
from dcsomrl.data.stream_files import stream
from dcsomrl.errors import DataError


def make_npy(shape, content=bytes(400)):
    """The bytes of an npy file whose header claims a shape, whatever is there."""
    file = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + content


@pytest.mark.parametrize("rows", [21, 10**8, 10**12, 2**62, 10**30, -5])
def test_a_header_that_claims_more_than_there_is_allocates_nothing(rows, tmp_path):
    data = make_npy((rows, 5))
    (tmp_path / "x.npy").write_bytes(data)
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        with zipfile.ZipFile(tmp_path / "x.npz", "w", method) as archive:
            archive.writestr("x.npy", data)
        with pytest.raises(DataError, match=r"x\.npz cannot be read") as caught:
            read_features(tmp_path / "x.npz")
        assert "memory" not in str(caught.value)
    with pytest.raises(DataError, match=r"x\.npy cannot be read"):
        read_features(tmp_path / "x.npy")
    with pytest.raises(DataError, match=r"x\.npy cannot be read"):
        stream(str(tmp_path / "x.npy"))


def test_zeros_that_are_packed_are_no_claim(tmp_path):
    np.savez_compressed(tmp_path / "x.npz", x=np.zeros((10**6, 2), np.float32))
    assert (tmp_path / "x.npz").stat().st_size < 10**5
    check_npz(tmp_path / "x.npz")


@pytest.mark.parametrize(
    "data",
    [
        make_npy((20, 5)).replace(b"}", b"{"),
        make_npy((20, 5)).replace(b"'shape'", b"\"shape'"),
        make_npy((20, 5)).replace(b"<f4", b"<q9"),
        pickle.dumps([1]),
        b"PK\x05\x06" + bytes(18),
        b"",
    ],
    ids=["bracket", "quote", "kind", "pickle", "archive", "empty"],
)
def test_whatever_is_wrong_is_one_kind_of_error(data, tmp_path):
    path = tmp_path / "x.npy"
    path.write_bytes(data)
    for mapped in (False, True):
        with pytest.raises(ValueError, match=r"header|begin|file|kind|descr") as caught:
            load_npy(path, mapped)
        assert "allow_pickle" not in str(caught.value)
    with pytest.raises(DataError, match=r"x\.npy"):
        stream(str(path))


@pytest.mark.parametrize("damage", [b"", make_npy((9, 2)), make_npy((20, 5)).replace(b"}", b"{")])
def test_neighbours_that_cannot_be_read_are_found_anew(damage, tmp_path, caplog):
    x, neighbors = torch.rand(9, 3), Neighbors(2, cache_dir=str(tmp_path))
    found = neighbors.graph(x, torch.device("cpu"))
    (file,) = tmp_path.glob("*.npz")
    kept = file.read_bytes()
    for content in (damage, kept.replace(b"<i4", b"<f4")):
        file.write_bytes(content)
        assert neighbors.graph(x, torch.device("cpu")).equal(found)
        assert file.read_bytes() == kept
    assert "is damaged" in caplog.text
