"""Files that are something else than their names say are called by what they are."""

import bz2
import gzip
import io
import lzma
import pickle
import zipfile

import numpy as np
import pandas as pd
import pytest

from dcsomrl.data.files import arrays
from dcsomrl.data.images import images
from dcsomrl.data.opened_image import open_image
from dcsomrl.errors import DataError

TEXT = b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * i % 7) for i in range(20))


def pack_workbook():
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/worksheets/sheet1.xml", "<worksheet/>")
    return held.getvalue()


def save(write, *what):
    held = io.BytesIO()
    write(held, *what)
    return held.getvalue()


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n"
FOREIGN = {
    "lfs": (POINTER, "git lfs pull"),
    "xlsx": (pack_workbook(), "is an Excel workbook: save its sheet as CSV"),
    "xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "Excel"),
    "bz2": (bz2.compress(TEXT), "packed by bzip2"),
    "xz": (lzma.compress(TEXT), "packed by xz"),
    "html": (b"<!DOCTYPE html>\n<html><body>404</body></html>", "HTML or XML"),
    "xml": (b'\xef\xbb\xbf<?xml version="1.0"?>\n<rows><row a="1"/></rows>', "HTML or XML"),
    "bare xml": (b'<data>\n  <row a="1"/>\n</data>', "HTML or XML"),
    "parquet": (save(lambda f: pd.DataFrame({"a": [1.0]}).to_parquet(f)), "suffix .parquet"),
    "npy": (save(np.save, np.eye(3)), "suffix .npy"),
    "pickle": (save(lambda f: pickle.dump({"a": [1.0]}, f)), "a pickle, from which code"),
    "netcdf": (b"CDF\x01" + bytes(90), "NetCDF"),
    "stata": (b"<stata_dta><header><release>118</release>", "Stata"),
    "r": (gzip.compress(b"RDX3\nX\n" + bytes(90)), "a file of R"),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(90), "HDF5"),
}


# A workbook is a zip archive, which npz and pt files are and np.load takes for one.
ZIPS = ("npy", "npz", "pt")


@pytest.mark.parametrize(
    ("kind", "suffix"),
    [
        (kind, suffix)
        for kind in FOREIGN
        for suffix in ("csv", "txt", "parquet", "npy", "npz", "pt")
        if kind != suffix and not (kind == "xlsx" and suffix in ZIPS)
    ],
)
def test_a_file_is_called_by_what_it_is(tmp_path, kind, suffix):
    content, said = FOREIGN[kind]
    path = tmp_path / f"t.{suffix}"
    path.write_bytes(content)
    with pytest.raises(DataError, match=said):
        arrays(str(path))


@pytest.mark.parametrize("suffix", ["npy", "npz", "pt", "parquet"])
def test_a_damaged_file_of_its_own_kind_is_called_damaged(tmp_path, suffix):
    path = tmp_path / f"t.{suffix}"
    whole = {
        "npy": save(np.save, np.eye(9)),
        "npz": save(np.savez, np.eye(9)),
        "pt": save(np.savez, np.eye(9)),
        "parquet": save(lambda f: pd.DataFrame({"a": [1.0]}).to_parquet(f)),
    }[suffix]
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="it is damaged"):
        arrays(str(path))


def test_an_image_that_was_not_fetched_is_said(tmp_path):
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(POINTER)
    with pytest.raises(DataError, match="git lfs pull"):
        images(str(tmp_path))


def test_a_table_is_no_other_kind(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("<a>,b\n1,2\n3,4\n5,6\n7,8\n")
    assert arrays(str(path)).feature_names == ["<a>", "b"]


@pytest.mark.parametrize(
    ("name", "start", "said"),
    [
        ("t.xlsx", pack_workbook(), "is an Excel workbook: save its sheet as CSV"),
        ("t.mat", b"MATLAB 5.0 MAT-file", "is a MATLAB file: save it as npz or CSV"),
        ("t.dat", b"a,b\n1,2\n", "by its suffix: rename or convert it"),
        ("t", b"a,b\n1,2\n", "by its suffix: rename or convert it"),
    ],
)
def test_other_suffixes_are_answered_by_what_the_file_is(tmp_path, name, start, said):
    (tmp_path / name).write_bytes(start)
    with pytest.raises(DataError, match=said):
        arrays(str(tmp_path / name))


def test_a_page_in_the_place_of_an_image_is_no_table(tmp_path):
    for name in ("a.jpg", "b.webp"):
        (tmp_path / name).write_bytes(b"<!DOCTYPE html><html></html>")
        with pytest.raises(DataError, match="is no such file: fetch it again") as caught:
            open_image(tmp_path / name)
        assert "CSV" not in str(caught.value)
