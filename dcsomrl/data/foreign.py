"""Files that are known by their first bytes to be something else than their names say."""

import gzip
import re
import zlib
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from dcsomrl.data.text_formats import describe_format
from dcsomrl.errors import DataError, shorten

# What files begin with whose names have these suffixes.
OWN = {
    ".npy": (b"\x93NUMPY",),
    **dict.fromkeys((".npz", ".pt", ".pth"), (b"PK",)),
    ".parquet": (b"PAR1",),
    **dict.fromkeys((".png", ".jpg", ".jpeg"), (b"\x89PNG", b"\xff\xd8")),
}
# Suffixes of images that have no start of their own above.
IMAGES = (".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
# What files begin with that are read as none here, and what to do with them.
STARTS: dict[bytes, tuple[str, str]] = {
    b"version https://git-lfs.github.com": (
        "a pointer of Git LFS in the place of the file",
        "fetch it by `git lfs pull`",
    ),
    b"\xd0\xcf\x11\xe0": ("an Excel workbook or another Office document", "save it as CSV"),
    b"BZh": ("packed by bzip2", "unpack it, or pack it by gzip"),
    b"\xfd7zXZ": ("packed by xz", "unpack it, or pack it by gzip"),
    b"\x28\xb5\x2f\xfd": ("packed by zstd", "unpack it, or pack it by gzip"),
    b"7z\xbc\xaf\x27\x1c": ("an archive of 7-Zip", "unpack it"),
    b"Rar!": ("a RAR archive", "unpack it"),
    b"%PDF": ("a PDF document", "save its table as CSV"),
    b"SQLite format 3": ("an SQLite database", "save its table as CSV or parquet"),
    b"PAR1": ("a parquet file", "give its name the suffix .parquet"),
    b"ARROW1": ("an Arrow or Feather file", "save it as parquet"),
    b"ORC": ("an ORC file", "save it as parquet"),
    b"\x89HDF": ("an HDF5 file", "save it as npz, CSV or parquet"),
    b"MATLAB 5.0": ("a MATLAB file", "save it as npz or CSV"),
    b"\x93NUMPY": ("a NumPy array", "give its name the suffix .npy"),
    b"\x89PNG": ("a PNG image", "give the folder of images as `path`"),
    b"\xff\xd8\xff": ("a JPEG image", "give the folder of images as `path`"),
    b"$FL2@(#)": ("an SPSS file", "save it as CSV or parquet"),
    b"CDF\x01": ("a NetCDF file", "save it as npz or CSV"),
    b"CDF\x02": ("a NetCDF file", "save it as npz or CSV"),
    b"SIMPLE  =": ("a FITS file", "save it as npz or CSV"),
    b"<stata_dta>": ("a Stata file", "save it as CSV or parquet"),
    b"Obj\x01": ("an Avro file", "save it as parquet"),
    b"RDX2\n": ("a file of R", "save its table as CSV"),
    b"RDX3\n": ("a file of R", "save its table as CSV"),
    b"X\n\0\0\0": ("a file of R", "save its table as CSV"),
    b"HEADER RECORD****": ("a SAS file", "save it as CSV or parquet"),
    **{
        b"\x80" + bytes([protocol]): (
            "a pickle, from which code could run",
            "save its arrays by np.savez, or its table as parquet",
        )
        for protocol in range(2, 6)
    },
    b"{\\rtf": ("a document in RTF", "save it as CSV"),
}
WORKBOOKS = {"xl/": "an Excel workbook", "content.xml": "a workbook of LibreOffice"}
MARKUP = re.compile(
    rb"\s*(<\?xml|<!doctype|<html|<table|<head|<svg|<[a-z_:]+(\s[^<>]*)?>\s*<)", re.IGNORECASE
)
# Bytes that are looked at.
START = 4096
# What reading a file raises that is not there, or is packed and damaged.
UNREADABLE = (OSError, EOFError, zlib.error)


def describe_damage(path: Path, error: BaseException) -> str:
    """Why a file cannot be read by the reader for its name, and what to do, in a sentence."""
    foreign = describe_foreign(path)
    if foreign is not None:
        return f"{path} {foreign}"
    return f"{path} cannot be read ({shorten(error)}): it is damaged or not what its name says"


def refuse_foreign(path: Path, text: bool = False) -> None:
    """Refuse a file that is something else than its name says.

    Args:
        path: the file.
        text: see :func:`describe_foreign`.

    Raises:
        DataError: it plainly is.
    """
    foreign = describe_foreign(path, text)
    if foreign is not None:
        raise DataError(f"{path} {foreign}")


def describe_foreign(path: Path, text: bool = False) -> str | None:
    """What a file is and what to do about it, in words that follow its name.

    None where that is not known, or is what its name says, and where it cannot be opened.

    Args:
        path: the file; of one packed by gzip what is in it counts.
        text: whether formats of text are told as well.
    """
    try:
        start = read_start(path)
    except UNREADABLE:
        return None
    own = OWN.get(path.suffix.lower())
    if own is not None and start.startswith(own):
        return None
    if start.startswith(b"PK\x03\x04"):
        return _describe_archive(path)
    for mark, (what, remedy) in STARTS.items():
        if start.startswith(mark):
            return f"is {what}: {remedy}"
    if MARKUP.match(start.removeprefix(b"\xef\xbb\xbf")):
        table = own is None and path.suffix.lower() not in IMAGES
        remedy = "save its rows as CSV, or fetch it again where" if table else "fetch it again if"
        return (
            f"holds HTML or XML and is no {'table' if table else 'such file'}: {remedy} it is the "
            "page of a failed download"
        )
    found = describe_format(start.decode("utf-8-sig", "replace"), START) if text else None
    return None if found is None else f"is {found[0]}: {found[1]}"


def _describe_archive(path: Path) -> str:
    """What a zip archive is by the names in it, and what to do about it."""
    try:
        with ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, BadZipFile):
        names = []
    if any(name.endswith("data.pkl") for name in names):
        return (
            "is a file of torch, as checkpoints are: give that of the samples, with the suffix .pt "
            "where torch has saved them"
        )
    for begin, what in WORKBOOKS.items():
        if any(name.startswith(begin) for name in names):
            return f"is {what}: save its sheet as CSV"
    return "is a zip archive: unpack it"


def read_start(path: Path) -> bytes:
    """The first bytes of a file, unpacked where it is packed by gzip."""
    with path.open("rb") as file:
        start = file.read(START)
    if not start.startswith(b"\x1f\x8b"):
        return start
    with gzip.open(path) as file:
        return file.read(START)
