"""Tables larger than memory: parquet and npy files, read a block of rows at a time."""

import mmap
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from dcsomrl.data.columns import choose_dtype
from dcsomrl.data.constant import list_some
from dcsomrl.data.foreign import describe_damage
from dcsomrl.data.notes import note
from dcsomrl.data.numpy_files import load_npy
from dcsomrl.errors import DataError
from dcsomrl.extras import explained

# How names begin that are passed over, as of what other programs write beside parquet files.
HIDDEN = (".", "_")
# Rows that are put together or looked at together, which stay near the processor.
AT_ONCE = 4096


@dataclass(frozen=True)
class Block:
    """Consecutive rows of a file.

    Attributes:
        file: number of the file.
        first: row of the file with which they begin.
        count: how many they are, at least 1.
        groups: row groups of a parquet file that they are; none of an npy.
    """

    file: int
    first: int
    count: int
    groups: tuple[int, ...] = ()


class BlockFiles(ABC):
    """Files of rows, all of the same columns.

    Attributes:
        files: the files, in the order of their rows.
        names: of the columns; None where they have none.
        width: features of a row.
        dtype: of the numbers that are read.
    """

    files: list[Path]
    names: list[str] | None
    width: int
    dtype: np.dtype[Any]

    @abstractmethod
    def cut(self, least: int) -> list[Block]:
        """All rows in blocks of at least so many bytes, the last of a file but for that."""

    @abstractmethod
    def digest(self) -> Iterator[bytes]:
        """What tells the files from others, without a look at all of their rows."""

    @abstractmethod
    def _read(self, block: Block, order: NDArray[np.int64] | slice) -> NDArray[Any]:
        """Numbers (count, width) of a block in an order of its rows, NaN where one is missing."""

    @property
    def row_bytes(self) -> int:
        """Bytes of a row in memory."""
        return self.width * self.dtype.itemsize

    def read(self, block: Block, order: NDArray[np.int64] | None = None) -> NDArray[Any]:
        """Numbers (count, width) of a block.

        Args:
            block: one of those that :meth:`cut` gives.
            order: (count,) its rows in the order in which they are wanted; None as they stand.

        Raises:
            DataError: the file is damaged or has changed, or a number is missing or not finite.
        """
        path = self.files[block.file]
        try:
            x = self._read(block, slice(None) if order is None else order)
        except DataError:
            raise
        except Exception as error:  # the readers raise kinds of their own for a damaged file
            raise DataError(describe_damage(path, error)) from error
        parts = range(0, len(x), AT_ONCE) if x.dtype.kind == "f" else ()
        if not all(np.isfinite(x[first : first + AT_ONCE]).all() for first in parts):
            self._refuse(block, x if order is None else x[np.argsort(order)])
        return x.astype(self.dtype, copy=False)

    def _refuse(self, block: Block, x: NDArray[Any]) -> NoReturn:
        """Name the first number (count, width) of a block that is none."""
        row, column = (int(place[0]) for place in (~np.isfinite(x)).nonzero())
        name = column if self.names is None else self.names[column]
        what = "no value or NaN" if np.isnan(x[row, column]) else "an infinite value"
        raise DataError(
            f"{self.files[block.file]} has {what} in row {block.first + row}"
            f"{self._name_group(block, row)}, column {name}: a stream takes whole rows of finite "
            "numbers, so fill them or leave such rows out of the file"
        )

    def _name_group(self, block: Block, row: int) -> str:
        """The row group of a row of a block, in words."""
        return ""


class NpyFiles(BlockFiles):
    """Arrays (n, features), each in a file of its own; a read maps its part into memory alone.

    Raises:
        DataError: one is damaged or no such array, or they differ.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self.files, self.names = list(files), None
        shapes = [self._look(file) for file in files]
        (_, self.width), kind = shapes[0]
        for file, (shape, other) in zip(files, shapes, strict=True):
            if (shape[1], other) != (self.width, kind):
                raise DataError(
                    f"{file} has rows of {shape[1]} numbers of {other}, but {files[0]} of "
                    f"{self.width} of {kind}: make them alike"
                )
        self._counts = [shape[0] for shape, _ in shapes]
        # Bytes stay what they are, as in memory: the normalisation brings them to [0, 1].
        self.dtype = kind if kind == np.uint8 else np.dtype(choose_dtype([kind]))

    def cut(self, least: int) -> list[Block]:
        """Blocks of equally many rows."""
        rows = max(1, -(-least // self.row_bytes))
        return [
            Block(number, first, min(rows, count - first))
            for number, count in enumerate(self._counts)
            for first in range(0, count, rows)
        ]

    def digest(self) -> Iterator[bytes]:
        """Shapes, and some rows of every file."""
        for number, count in enumerate(self._counts):
            yield f"{count}x{self.width}{self.dtype};".encode()
            for first in sorted({0, count // 2, count - 1}) if count else ():
                yield self._read(Block(number, first, 1), slice(None)).tobytes()

    def _read(self, block: Block, order: NDArray[np.int64] | slice) -> NDArray[Any]:
        # Mapped anew each time: pages that stay mapped count as memory of the process.
        mapped = np.load(self.files[block.file], mmap_mode="r", allow_pickle=False)
        x = make_room(block.count, self.width, mapped.dtype)
        rows = np.arange(block.count)[order]
        return np.take(mapped[block.first : block.first + block.count], rows, 0, x, mode="clip")

    @staticmethod
    def _look(file: Path) -> tuple[tuple[int, int], np.dtype[Any]]:
        try:
            found = load_npy(file, mapped=True)
        except (OSError, ValueError) as error:
            raise DataError(describe_damage(file, error)) from error
        if found.ndim != 2 or found.shape[1] == 0 or found.dtype.kind not in "fiub":
            raise DataError(
                f"{file} holds {found.dtype} of shape {found.shape}, and a stream needs numbers of "
                "shape (n, features): read it by `dcsomrl.data.files.arrays`, or convert it"
            )
        if not found.flags.c_contiguous:
            raise DataError(
                f"{file} holds its columns one after the other, so that no row can be read by "
                "itself: save np.ascontiguousarray of it"
            )
        return (found.shape[0], found.shape[1]), found.dtype


def make_room(rows: int, width: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """An array whose memory goes back to the system with it, which malloc's does not always."""
    room = mmap.mmap(-1, max(1, rows * width * dtype.itemsize))
    return np.frombuffer(room, dtype, rows * width).reshape(rows, width)


def find_files(path: str | Path, notes: list[str]) -> list[Path]:
    """The parquet or npy files of a path, in order: the file itself, or all in a folder.

    Args:
        path: a file or folder; hidden files and those that begin with ``_`` are passed over.
        notes: gets a sentence on files of other kinds that are left out.

    Raises:
        DataError: there are none, or files of both kinds.
    """
    root = Path(path)
    if root.is_file():
        found = [root]
    elif root.is_dir():
        found = sorted(
            file
            for file in root.rglob("*")
            if file.is_file()
            and not any(part.startswith(HIDDEN) for part in file.relative_to(root).parts)
        )
    else:
        raise DataError(f"there is no file or folder {root}: check `path`")
    by_kind: dict[str, list[Path]] = {".parquet": [], ".npy": []}
    for file in found:
        by_kind.get(file.suffix.lower(), []).append(file)
    kept = [file for files in by_kind.values() for file in files]
    if not kept:
        held = f" but {list_some([file.name for file in found])}" if found else ""
        raise DataError(
            f"{root} holds no parquet or npy file{held}: a stream is read from these alone"
        )
    if all(by_kind.values()):
        raise DataError(
            f"{root} holds both parquet and npy files, as {by_kind['.parquet'][0].name} and "
            f"{by_kind['.npy'][0].name}: keep those of one kind"
        )
    if left := [file.name for file in found if file not in set(kept)]:
        note(notes, f"{root}: files of other kinds are left out: {list_some(left)}")
    return kept


def open_files(
    path: str | Path,
    columns: Sequence[str] | None,
    ignore: Sequence[str],
    notes: list[str],
    learned: list[str] | None = None,
) -> BlockFiles:
    """The table at a path.

    Args:
        path: see :func:`find_files`.
        columns: features; None for all columns that are not ignored.
        ignore: columns that are left out.
        notes: gets a sentence on what is left out.
        learned: features of a training, in this order; None for a training.

    Raises:
        DataError: there is none, or it holds what is no feature.
    """
    files = find_files(path, notes)
    is_npy = files[0].suffix.lower() == ".npy"
    if is_npy and (columns is not None or ignore):
        raise DataError(
            f"{files[0]} holds an array, which has no named columns: leave out `columns` and "
            "`ignore`"
        )
    if is_npy:
        return NpyFiles(files)
    with explained():
        from dcsomrl.data.parquet_files import ParquetFiles
    return ParquetFiles(files, columns, ignore, learned)
