"""Tables larger than memory: parquet and npy files, read a block of rows at a time."""

import mmap
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dcsomrl.data.columns import choose_dtype
from dcsomrl.data.constant import list_some
from dcsomrl.data.foreign import describe_damage
from dcsomrl.data.notes import note
from dcsomrl.data.numpy_files import load_npy
from dcsomrl.data.roles import Roles, refuse_roles
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
        roles: of their columns, with what was guessed of them.
        beside: types of the columns that :meth:`read_beside` gives, by name.
    """

    files: list[Path]
    names: list[str] | None
    width: int
    dtype: np.dtype[Any]
    roles: Roles
    beside: Mapping[str, Any]

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

    def list_empty(self) -> list[Path]:
        """Files without a row."""
        held = {block.file for block in self.cut(1)}
        return [file for number, file in enumerate(self.files) if number not in held]

    def read(self, block: Block, order: NDArray[np.int64] | None = None) -> NDArray[Any]:
        """Numbers (count, width) of a block, NaN where one is missing.

        Args:
            block: one of those that :meth:`cut` gives.
            order: (count,) its rows in the order in which they are wanted; None as they stand.

        Raises:
            DataError: the file is damaged or has changed.
        """
        with self._explaining(block):
            x = self._read(block, slice(None) if order is None else order)
        return x.astype(self.dtype, copy=False)

    def read_beside(self, block: Block, names: Sequence[str]) -> pd.DataFrame:
        """Columns of a block that are not features: labels, names of rows, those that are kept.

        Args:
            block: see :meth:`read`.
            names: of those in :attr:`beside` that are wanted.

        Raises:
            DataError: the file is damaged or has changed.
        """
        with self._explaining(block):
            table = self._read_beside(block, names)
        return table

    def call_row(self, block: Block, row: int) -> str:
        """A row of a block, in words."""
        return f"row {block.first + row}"

    @contextmanager
    def _explaining(self, block: Block) -> Iterator[None]:
        """What is raised while a block is read, as a sentence on its file."""
        try:
            yield
        except DataError:
            raise
        except Exception as error:  # the readers raise kinds of their own for a damaged file
            raise DataError(describe_damage(self.files[block.file], error)) from error

    def _read_beside(self, block: Block, names: Sequence[str]) -> pd.DataFrame:
        return pd.DataFrame(index=range(block.count))


class NpyFiles(BlockFiles):
    """Arrays (n, features), each in a file of its own; a read maps its part into memory alone.

    Args:
        files: the files.
        roles: of columns, of which there are none here.

    Raises:
        DataError: one is damaged or no such array, or they differ.
    """

    def __init__(self, files: Sequence[Path], roles: Roles) -> None:
        self.files, self.names = list(files), None
        self.roles, self.beside = roles, {}
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
        what = (
            "is not a parquet or npy file"
            if root.is_file()
            else f"holds no parquet or npy file{held}"
        )
        raise DataError(
            f"{root} {what}: a stream is read from these alone, so convert it, or read it by "
            "`dcsomrl.data.files.arrays`"
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
    path: str | Path, roles: Roles, notes: list[str], learned: list[str] | None = None
) -> BlockFiles:
    """The table at a path.

    Args:
        path: see :func:`find_files`.
        roles: of its columns.
        notes: gets a sentence on what is guessed or left out.
        learned: features of a training, in this order; None for a training.

    Raises:
        DataError: there is none, or it holds what is not a feature.
    """
    files = find_files(path, notes)
    if files[0].suffix.lower() == ".npy":
        refuse_roles(roles, files[0])
        return NpyFiles(files, roles)
    with explained():
        from dcsomrl.data.parquet_files import ParquetFiles
    return ParquetFiles(files, Path(path), roles, notes, learned)
