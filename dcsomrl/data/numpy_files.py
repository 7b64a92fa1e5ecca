"""Files of NumPy, npy and npz, which hold what their headers claim and run no code."""

import math
from pathlib import Path
from typing import IO, Any
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

# How much smaller than its content a packed file is at best, in the format of zip, gzip and HDF5.
MOST_PACKED = 1032
MAGIC = b"\x93NUMPY"
HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def load_npy(path: str | Path, mapped: bool = False) -> NDArray[Any]:
    """The array of an npy file.

    Args:
        path: the file.
        mapped: whether the array stays on the disk, and is read where it is used.

    Raises:
        OSError: the file cannot be opened.
        ValueError: it is damaged, holds less than its header claims, or no array of plain values.
    """
    try:
        with Path(path).open("rb") as file:
            if (
                file.read(len(MAGIC)) != MAGIC
            ):  # NumPy would call it a pickle, and how to read it so
                raise ValueError("it does not begin as an array of NumPy")
            file.seek(0)
            _check_header(file, Path(path).stat().st_size)
        found: NDArray[Any] = np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
    except (OSError, MemoryError, ValueError):
        raise
    except Exception as error:  # NumPy reads the header as Python's own text, with its errors
        raise ValueError(f"its header is damaged: {error}") from error
    return found


def check_npz(path: Path) -> None:
    """Refuse an npz file that cannot be opened, or whose arrays are less than their headers claim.

    Raises:
        OSError: the file cannot be opened.
        ValueError: it is damaged.
    """
    try:
        with ZipFile(path) as archive:
            for member in archive.infolist():
                packed = min(member.compress_size, path.stat().st_size)
                with archive.open(member) as file:
                    _check_header(file, min(member.file_size, MOST_PACKED * packed))
    except (OSError, MemoryError, ValueError):
        raise
    except Exception as error:  # of the archive, its packing, and as above
        raise ValueError(str(error)) from error


def load_packed(path: Path, name: str) -> NDArray[Any]:
    """An array of an npz file, whose bytes are as they were written.

    Raises:
        OSError: the file cannot be opened.
        ValueError: it is damaged, or holds no such array.
    """
    check_npz(path)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found: NDArray[Any] = arrays[name]  # the sum of its bytes is checked on the way
    except (BadZipFile, KeyError) as error:
        raise ValueError(str(error)) from error
    return found


def _check_header(file: IO[bytes], size: int) -> None:
    """Refuse a header of NumPy that claims more than there is in so many bytes.

    What is not an array of plain values is left to NumPy.
    """
    start = file.read(np.lib.format.MAGIC_LEN)
    read = HEADERS.get((start[-2], start[-1])) if start.startswith(MAGIC) else None
    if read is None:
        return
    shape, _, kind = read(file)
    there = size - file.tell()
    if any(length < 0 for length in shape):
        raise ValueError(f"its header claims an array of shape {shape}")
    if not kind.hasobject and math.prod(shape) * kind.itemsize > there:
        raise ValueError(f"its header claims {kind} of shape {shape}, and {there} bytes are there")
