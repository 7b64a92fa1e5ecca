"""Parquet files, read by row groups."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from dcsomrl.data.block_files import AT_ONCE, Block, BlockFiles, make_room
from dcsomrl.data.column_passes import Words, look_at_words, look_for_names
from dcsomrl.data.columns import choose_dtype
from dcsomrl.data.foreign import describe_damage
from dcsomrl.data.parquet_columns import (
    Column,
    Look,
    choose_columns,
    choose_learned,
    take_values,
    to_numbers,
)
from dcsomrl.data.parquet_schema import Schemas
from dcsomrl.data.roles import Roles, check_exclusive
from dcsomrl.data.row_names import Values, find_ids, settle_index
from dcsomrl.data.text_tables import check_names
from dcsomrl.errors import DataError

# Bytes of the columns, about, that are decoded at once.
DECODED = 2**24
# Rows of a column that are looked at together, and those that tell what is not a number in one.
LOOKED_AT, FIRST = 2**16, 1000


class ParquetFiles(BlockFiles):
    """Tables of the same columns; columns of lists become a column for each element.

    Args:
        files: the files.
        path: what messages call them together.
        roles: of their columns.
        notes: gets a sentence on everything that was guessed or left out.
        learned: features of a training, in this order; None for a training.

    Raises:
        DataError: a file is damaged, a column is absent or holds no numbers, or files differ.
    """

    def __init__(
        self,
        files: Sequence[Path],
        path: Path,
        roles: Roles,
        notes: list[str],
        learned: Sequence[str] | None = None,
    ) -> None:
        self.files = list(files)
        self._path = path
        self._metadata = [_look(file) for file in files]
        schemas = Schemas([one.schema.to_arrow_schema() for one in self._metadata], files)
        self.roles = self._settle_roles(schemas, roles, notes, learned or ())
        types: dict[str, Any] = {}

        def find_type(name: str) -> Any:
            if name not in types:
                types[name] = schemas.find_type(name, notes)
            return types[name]

        look = Look(
            find_type, lru_cache(None)(self._look_at_words), self._measure, self._take_first
        )
        if learned is None:
            self._columns = choose_columns(schemas.names, self.roles, look, path, notes)
        else:
            self._columns = choose_learned(schemas.names, learned, look, path, notes)
        spread = [name for column in self._columns for name in column.features]
        check_names(spread, path)
        self.names = spread if learned is None else list(learned)
        self._place = {name: place for place, name in enumerate(self.names)}
        self.width = len(self.names)
        self.dtype = np.dtype(choose_dtype([column.dtype for column in self._columns]))
        self.beside = {name: find_type(name) for name in self.roles.list_beside()}

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

    def list_empty(self) -> list[Path]:
        """Files without a row."""
        pairs = zip(self.files, self._metadata, strict=True)
        return [file for file, metadata in pairs if not metadata.num_rows]

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

    def call_row(self, block: Block, row: int) -> str:
        """A row of a block and its row group, in words."""
        said = super().call_row(block, row)
        metadata = self._metadata[block.file]
        for group in block.groups:
            row -= metadata.row_group(group).num_rows
            if row < 0:
                return f"{said} (row group {group})"
        return said

    def _settle_roles(
        self, schemas: Schemas, roles: Roles, notes: list[str], learned: Sequence[str]
    ) -> Roles:
        """The roles with the column that names the rows, and those that are left out."""
        check_exclusive(roles)
        named = [*roles.list_beside(), *(roles.columns or ()), *roles.ignore]
        schemas.refuse_absent(named)
        every = roles.columns is None and not learned
        # Of a training what it learned, and elements and values that this is made of.
        whole = {one.rpartition(mark)[0] for one in learned for mark in ".="} & {*schemas.names}
        schemas.check_same(None if every else {*named, *learned, *whole}, roles.ignore)
        index = schemas.list_index()
        if roles.id is None:
            taken = {*named, *learned, *index}
            ids = find_ids(schemas.names, taken, self._look_for_names, self._path, notes)
            left = (*roles.ignore, *ids[1:])
            roles = replace(roles, id=ids[0] if ids else None, ignore=left)
        free = [one for one in index if one not in {*named, *learned, roles.id}]
        return settle_index(free, roles, self._look_for_names, self._path, notes)

    def _read(self, block: Block, order: NDArray[np.int64] | slice) -> NDArray[Any]:
        x = make_room(block.count, self.width, self.dtype)
        rows = np.arange(block.count)[order]
        metadata = self._metadata[block.file]
        with pq.ParquetFile(self.files[block.file], metadata=metadata) as file:
            for columns in self._cut_columns(block.count):
                names = [column.name for column in columns]
                table = file.read_row_groups(list(block.groups), columns=names)
                parts = {
                    name: part
                    for column in columns
                    for name, part in self._take(table.column(column.name), column, block).items()
                    if name in self._place
                }
                places = [self._place[name] for name in parts]
                for first in range(0, block.count, AT_ONCE):
                    some = rows[first : first + AT_ONCE]
                    for place, part in zip(places, parts.values(), strict=True):
                        x[first : first + AT_ONCE, place] = part[some]
        return x

    def _read_beside(self, block: Block, names: Sequence[str]) -> pd.DataFrame:
        metadata = self._metadata[block.file]
        with pq.ParquetFile(self.files[block.file], metadata=metadata) as file:
            table = file.read_row_groups(list(block.groups), columns=list(names))
        columns = {}
        for name in names:
            column, kind = table.column(name), self.beside[name]
            columns[name] = column if column.type == kind else column.cast(kind)
            if pa.types.is_dictionary(columns[name].type):
                columns[name] = columns[name].cast(kind.value_type)
        # Types of Arrow, which are the same in every block, whatever is missing there.
        return pa.table(columns).to_pandas(types_mapper=pd.ArrowDtype)

    def _cut_columns(self, rows: int) -> Iterator[list[Column]]:
        """The columns, as many at once as take little memory beside the block itself."""
        columns: list[Column] = []
        size = 0
        for column in self._columns:
            columns.append(column)
            size += rows * len(column.features) * self.dtype.itemsize
            if size >= DECODED:
                yield columns
                columns, size = [], 0
        if columns:
            yield columns

    def _take(self, part: Any, column: Column, block: Block) -> dict[str, NDArray[Any]]:
        """The features of a column by name."""
        if not column.is_list:
            return take_values(column, part)
        lists = self._spread(part, column, block)
        return dict(zip(column.features, lists.T, strict=True))

    def _spread(self, part: Any, column: Column, block: Block) -> NDArray[Any]:
        """(n, width) numbers of a column of lists; NaN where there is no list."""
        width = len(column.features)
        if pa.types.is_null(part.type):
            return np.full((len(part), width), np.nan, self.dtype)
        lengths = pc.list_value_length(part).fill_null(width).to_numpy()
        if (lengths != width).any():
            row = int((lengths != width).argmax())
            raise DataError(
                f"{self.files[block.file]} has lists of {width} numbers in column {column.name}, "
                f"but of {lengths[row]} in row {block.first + row}: make them as long"
            )
        there = part.is_valid().to_numpy()
        x = np.full((len(there), width), np.nan, self.dtype)
        x[there] = to_numbers(pc.list_flatten(part)).reshape(-1, width)
        return x

    def _measure(self, name: str) -> int:
        """The length of the lists of a column."""
        for part in self._iterate([name], 1):
            column = part.column(0)
            if pa.types.is_fixed_size_list(column.type):
                return int(column.type.list_size)
            if found := column[0].as_py():
                return len(found)
        raise DataError(
            f"{self._path} has columns without any value: {name}; leave them out by `ignore`"
        )

    def _look_at_words(self, name: str) -> Words:
        return look_at_words(part.column(0).to_pandas() for part in self._iterate([name]))

    def _look_for_names(self, name: str) -> Values:
        n = sum(metadata.num_rows for metadata in self._metadata)
        return look_for_names(
            lambda: (part.column(0).to_pandas() for part in self._iterate([name])), n
        )

    def _take_first(self, names: Sequence[str]) -> pd.DataFrame:
        """The first rows of columns; of one that has no value there, further ones."""
        first: dict[str, pd.Series] = {}
        for name in names:
            for part in self._iterate([name], FIRST):
                column = part.column(0)
                first[name] = column.to_pandas()
                if column.null_count < len(column):
                    break
        return pd.DataFrame(first)

    def _iterate(self, names: Sequence[str], rows: int = LOOKED_AT) -> Iterator[Any]:
        """Columns of all files, so many rows at once.

        Raises:
            DataError: a file is damaged.
        """
        for path, metadata in zip(self.files, self._metadata, strict=True):
            try:
                with pq.ParquetFile(path, metadata=metadata) as file:
                    yield from file.iter_batches(rows, columns=list(names))
            except (OSError, pa.ArrowException) as error:
                raise DataError(describe_damage(path, error)) from error


def _look(file: Path) -> Any:
    try:
        return pq.read_metadata(file)
    except (OSError, pa.ArrowException) as error:
        raise DataError(describe_damage(file, error)) from error
