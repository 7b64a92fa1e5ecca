"""What columns parquet files of one table have, and of what kind they are over all of the files."""

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from dcsomrl.data.constant import list_some
from dcsomrl.data.notes import note
from dcsomrl.errors import DataError

Group = Literal["nothing", "number", "text", "list", "other"]


class Schemas:
    """The columns of files that are one table.

    Args:
        schemas: of the files.
        files: these, in the order of their rows.

    Raises:
        DataError: several columns of a file have one name, or a file has no column.
    """

    def __init__(self, schemas: Sequence[Any], files: Sequence[Path]) -> None:
        self._schemas, self._files = schemas, files
        self.names: list[str] = schemas[0].names
        for schema, file in zip(schemas, files, strict=True):
            if not schema.names:
                raise DataError(f"{file} has no columns: save a table with features")
            if twice := sorted({one for one in schema.names if schema.names.count(one) > 1}):
                raise DataError(
                    f"{file} has several columns of one name ({list_some(twice)}): give each its "
                    "own"
                )

    def refuse_absent(self, named: Sequence[str]) -> None:
        """Refuse names of columns that no file has.

        Raises:
            DataError: there is one.
        """
        known = {name for schema in self._schemas for name in schema.names}
        if absent := [name for name in named if name not in known]:
            raise DataError(
                f"{self._files[0]} has no column {list_some(absent)}; it has "
                f"{list_some(self.names)}: name one of these"
            )

    def check_same(self, used: Collection[str] | None, ignore: Collection[str]) -> None:
        """Refuse files that differ in a column that is used.

        Args:
            used: columns that are; None for all that are not ignored.
            ignore: columns that are left out.

        Raises:
            DataError: there is such a column.
        """
        first, before = self._schemas[0], self._files[0]
        for schema, path in zip(self._schemas[1:], self._files[1:], strict=True):
            differing = set(schema.names) ^ set(first.names)
            differing -= set(ignore) if used is None else differing - set(used)
            if differing:
                name = min(differing)
                has, lacks = (path, before) if name in schema.names else (before, path)
                raise DataError(
                    f"{has} has a column {name} that {lacks} lacks: give all files of a stream the "
                    "same columns, or leave it out by `ignore`"
                )

    def find_type(self, name: str, notes: list[str]) -> Any:
        """The type of Arrow that holds a column of all files.

        Args:
            name: of a column that all files have.
            notes: gets a sentence on numbers of several kinds.

        Raises:
            DataError: files hold what does not go together.
        """
        by_type: dict[Any, Path] = {}
        for schema, file in zip(self._schemas, self._files, strict=True):
            kind = schema.field(name).type
            if not pa.types.is_null(kind):  # nothing but gaps, which go with everything
                by_type.setdefault(kind, file)
        kinds = list(by_type)
        if len(kinds) < 2:
            return kinds[0] if kinds else pa.null()
        groups = {find_group(kind) for kind in kinds}
        said = [f"{by_type[kind]} has {kind}" for kind in kinds[:2]]
        if groups == {"text"}:
            return pa.large_string()
        if groups != {"number"}:
            raise DataError(
                f"{said[1]} in column {name}, but {said[0]}: make them alike, or leave the column "
                "out by `ignore`"
            )
        note(notes, f"{said[0]} in column {name}, and {said[1]}: both are taken as numbers")
        return pa.from_numpy_dtype(np.result_type(*map(find_number, kinds)))

    def list_index(self) -> list[str]:
        """Columns that are the index of a data frame of pandas in the first file."""
        held = (self._schemas[0].metadata or {}).get(b"pandas")
        try:
            index = json.loads(held)["index_columns"] if held else []
        except (ValueError, KeyError, TypeError):  # what others wrote there
            index = []
        return [one for one in index if isinstance(one, str) and one in self.names]


def is_list(kind: Any) -> bool:
    """Whether a column of this type holds lists."""
    tests = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(test(kind) for test in tests)


def find_group(kind: Any) -> Group:
    """What a column of a type holds, in one of few words."""
    if pa.types.is_null(kind):
        return "nothing"
    if is_list(kind):
        return "list" if find_number(kind.value_type) is not None else "other"
    if find_number(kind) is not None:
        return "number"
    held = kind.value_type if pa.types.is_dictionary(kind) else kind
    words = pa.types.is_string(held) or pa.types.is_large_string(held)
    is_category = pa.types.is_dictionary(kind) and pa.types.is_integer(held)
    return "text" if words or is_category else "other"


def find_number(kind: Any) -> np.dtype[Any] | None:
    """The numbers of NumPy that hold those of a type; None where it holds none."""
    if pa.types.is_decimal(kind):
        return np.dtype(np.float64)
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean)
    return np.dtype(kind.to_pandas_dtype()) if any(test(kind) for test in tests) else None
