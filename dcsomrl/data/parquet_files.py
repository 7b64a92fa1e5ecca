"""Parquet files, read by row groups."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from dcsomrl.data.block_files import AT_ONCE, Block, BlockFiles, make_room
from dcsomrl.data.columns import choose_dtype
from dcsomrl.data.constant import list_some
from dcsomrl.data.foreign import describe_damage
from dcsomrl.data.text_tables import check_names
from dcsomrl.errors import DataError

# Bytes of the columns, about, that are decoded at once.
DECODED = 2**24


class ParquetFiles(BlockFiles):
    """Tables of the same columns; columns of lists become a column for each element.

    Args:
        files: the files.
        columns: features; None for all columns that are not ignored.
        ignore: columns that are left out.
        learned: features of a training, in this order; None for a training.

    Raises:
        DataError: a file is damaged, a column is absent or holds no numbers, or files differ.
    """

    def __init__(
        self,
        files: Sequence[Path],
        columns: Sequence[str] | None = None,
        ignore: Sequence[str] = (),
        learned: Sequence[str] | None = None,
    ) -> None:
        self.files = list(files)
        self._metadata = [_look(file) for file in files]
        schemas = [one.schema.to_arrow_schema() for one in self._metadata]
        if columns is None and learned is not None:
            columns = _find_learned(schemas[0].names, learned)
        self._columns = _choose(schemas[0], files[0], columns, ignore)
        for file, schema in zip(files[1:], schemas[1:], strict=True):
            _check_same(schema, file, schemas[0], files[0], self._columns)
        kinds = [schemas[0].field(name).type for name in self._columns]
        self._widths = [
            self._measure(name, kind) for name, kind in zip(self._columns, kinds, strict=True)
        ]
        spread: list[str] = []
        for name, width in zip(self._columns, self._widths, strict=True):
            spread += [name] if width is None else [f"{name}.{i}" for i in range(width)]
        check_names(spread, files[0])
        self.names = spread
        if learned is not None:
            if absent := [name for name in learned if name not in spread]:
                raise DataError(
                    f"{files[0]} lacks columns that the model was trained on: "
                    f"{list_some(absent)}; add them"
                )
            self.names = list(learned)
        self._place = {name: place for place, name in enumerate(self.names)}
        self.width = len(self.names)
        numbers = [_find_number(kind) for kind in kinds]
        self.dtype = np.dtype(choose_dtype([one for one in numbers if one is not None]))

    def cut(self, least: int) -> list[Block]:
        """Blocks of whole row groups."""
        blocks = []
        for number, metadata in enumerate(self._metadata):
            groups: list[int] = []
            first = count = 0
            for group in range(metadata.num_row_groups):
                groups.append(group)
                count += metadata.row_group(group).num_rows
                last = group + 1 == metadata.num_row_groups
                if count and (last or count * self.row_bytes >= least):
                    blocks.append(Block(number, first, count, tuple(groups)))
                    groups, first, count = [], first + count, 0
        return blocks

    def digest(self) -> Iterator[bytes]:
        """The names of the columns and what the footers say of every column of a row group."""
        yield ";".join(self.names or []).encode()
        for metadata in self._metadata:
            for group in range(metadata.num_row_groups):
                part = metadata.row_group(group)
                yield f"{part.num_rows};".encode()
                for number in range(part.num_columns):
                    column = part.column(number)
                    known = column.statistics
                    bounds = (known.min, known.max) if known is not None else ()
                    yield f"{column.total_uncompressed_size}{bounds};".encode()

    def _read(self, block: Block, order: NDArray[np.int64] | slice) -> NDArray[Any]:
        x = make_room(block.count, self.width, self.dtype)
        rows = np.arange(block.count)[order]
        metadata = self._metadata[block.file]
        with pq.ParquetFile(self.files[block.file], metadata=metadata) as file:
            for columns in self._cut_columns(block.count):
                table = file.read_row_groups(list(block.groups), columns=columns)
                parts = {
                    name: part
                    for column in columns
                    for name, part in self._take(table.column(column), column, block)
                }
                places = [self._place[name] for name in parts]
                for first in range(0, block.count, AT_ONCE):
                    some = rows[first : first + AT_ONCE]
                    for place, part in zip(places, parts.values(), strict=True):
                        x[first : first + AT_ONCE, place] = part[some]
        return x

    def _cut_columns(self, rows: int) -> Iterator[list[str]]:
        """The columns, as many at once as take little memory beside the block itself."""
        columns: list[str] = []
        size = 0
        for name, width in zip(self._columns, self._widths, strict=True):
            columns.append(name)
            size += rows * (width or 1) * self.dtype.itemsize
            if size >= DECODED:
                yield columns
                columns, size = [], 0
        if columns:
            yield columns

    def _take(self, column: Any, name: str, block: Block) -> Iterator[tuple[str, NDArray[Any]]]:
        """The features of a column by name."""
        width = self._widths[self._columns.index(name)]
        if width is None:
            found = {name: _to_numbers(column)}
        else:
            lists = self._spread(column, width, name, block)
            found = {f"{name}.{i}": part for i, part in enumerate(lists.T)}
        yield from ((one, part) for one, part in found.items() if one in self._place)

    def _spread(self, column: Any, width: int, name: str, block: Block) -> NDArray[Any]:
        """(n, width) numbers of a column of lists; NaN where there is no list."""
        lengths = pc.list_value_length(column).fill_null(width).to_numpy()
        if (lengths != width).any():
            row = int((lengths != width).argmax())
            raise DataError(
                f"{self.files[block.file]} has lists of {width} numbers in column {name}, but of "
                f"{lengths[row]} in row {block.first + row}: make them as long"
            )
        there = column.is_valid().to_numpy()
        x = np.full((len(there), width), np.nan, self.dtype)
        x[there] = _to_numbers(pc.list_flatten(column)).reshape(-1, width)
        return x

    def _measure(self, name: str, kind: Any) -> int | None:
        """The length of the lists of a column; None where it holds numbers."""
        if not _is_list(kind):
            return None
        if pa.types.is_fixed_size_list(kind):
            return int(kind.list_size)
        for path, metadata in zip(self.files, self._metadata, strict=True):
            with pq.ParquetFile(path, metadata=metadata) as file:
                for batch in file.iter_batches(1, columns=[name]):
                    if found := batch.column(0)[0].as_py():
                        return len(found)
        raise DataError(f"{self.files[0]} has no value in column {name}: leave it out by `ignore`")

    def _name_group(self, block: Block, row: int) -> str:
        metadata = self._metadata[block.file]
        for group in block.groups:
            row -= metadata.row_group(group).num_rows
            if row < 0:
                return f" (row group {group})"
        return ""


def _look(file: Path) -> Any:
    try:
        return pq.read_metadata(file)
    except (OSError, pa.ArrowException) as error:
        raise DataError(describe_damage(file, error)) from error


def _find_learned(names: Sequence[str], learned: Sequence[str]) -> list[str]:
    """The columns that features of a training are, or are elements of; all where none is."""
    known = {*learned, *(name.rpartition(".")[0] for name in learned)}
    return [name for name in names if name in known] or list(names)


def _choose(
    schema: Any, path: Path, columns: Sequence[str] | None, ignore: Sequence[str]
) -> list[str]:
    """The columns that are features.

    Raises:
        DataError: one is absent or holds no numbers, or there is none.
    """
    if twice := sorted({name for name in schema.names if schema.names.count(name) > 1}):
        raise DataError(
            f"{path} has several columns of one name ({list_some(twice)}): give each its own"
        )
    if absent := [name for name in (*(columns or ()), *ignore) if name not in schema.names]:
        raise DataError(
            f"{path} has no column {list_some(absent)}; it has {list_some(schema.names)}: name one "
            "of these"
        )
    chosen = [name for name in columns or schema.names if name not in ignore]
    if not chosen:
        raise DataError(f"{path} has no column of features: check `columns` and `ignore`")
    for name in chosen:
        kind = schema.field(name).type
        if _find_number(kind) is None:
            raise DataError(
                f"{path} has {kind} in column {name}, and a stream takes numbers alone: make them "
                f"numbers, or leave the column out by `ignore`"
            )
    return chosen


def _check_same(schema: Any, path: Path, first: Any, before: Path, columns: list[str]) -> None:
    """Refuse a file whose columns are not those of another.

    Raises:
        DataError: they differ.
    """
    differing = sorted(set(schema.names) ^ set(first.names))
    if differing:
        name = differing[0]
        has, lacks = (path, before) if name in schema.names else (before, path)
        raise DataError(
            f"{has} has a column {name} that {lacks} lacks: give all files of a stream the same "
            "columns"
        )
    for name in columns:
        kind, other = schema.field(name).type, first.field(name).type
        if kind != other:
            raise DataError(
                f"{path} has {kind} in column {name}, but {before} has {other}: make them alike"
            )


def _is_list(kind: Any) -> bool:
    tests = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(test(kind) for test in tests)


def _find_number(kind: Any) -> np.dtype[Any] | None:
    """The numbers that a column or its lists hold; None where they are none."""
    inner = kind.value_type if _is_list(kind) else kind
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean)
    if not any(test(inner) for test in tests):
        return None
    return np.dtype(inner.to_pandas_dtype())


def _to_numbers(column: Any) -> NDArray[Any]:
    """Numbers of a column; floats with NaN where one is missing."""
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())
    if column.null_count and not pa.types.is_floating(column.type):
        column = column.cast(pa.float64(), safe=False)
    return np.asarray(column.to_numpy())
