"""Tables whose columns are named in several lines, as pandas writes columns of several levels."""

from collections.abc import Sequence
from pathlib import Path

from dcsomrl.data.constant import list_some
from dcsomrl.data.separators import is_numeric
from dcsomrl.errors import DataError

# Lines of names, at most, that are told.
MOST = 5


def refuse_levels(rows: Sequence[tuple[int, Sequence[str]]], path: Path) -> None:
    """Refuse a table below several lines of names of which the first does not suffice.

    Args:
        rows: line and fields of the first rows, of one length.
        path: what messages call the table.

    Raises:
        DataError: a name of the first line stands twice or lacks, and beneath it, above columns of
            numbers, stand further names.
    """
    first = [field.strip() for field in rows[0][1]]
    indexed = next((i for i, name in enumerate(first) if name), 0)
    if "" not in first[indexed:] and len(set(first[indexed:])) == len(first) - indexed:
        return
    columns = list(zip(*(row for _, row in rows if len(row) == len(first)), strict=True))
    for levels in range(2, min(MOST, len(rows) - 1) + 1):
        numeric = [column for column in columns if is_numeric(column[levels:])]
        named = [column[:levels] for column in numeric]
        filled = [sum(map(bool, line)) for line in zip(*named, strict=True)]
        # The last line may have the names of an index alone; of a title there is one.
        are_names = filled and 2 * min(filled[:2] + filled[2:-1]) > len(named)
        if are_names and not any(is_numeric([one]) for above in named for one in above):
            lines = [str(line) for line, _ in rows[:levels]]
            names = list(dict.fromkeys(".".join(filter(None, above)) for above in named))
            raise DataError(
                f"{path} names its columns in lines {' and '.join(lines)}, as pandas writes "
                f"columns of several levels: join them to one line of names ({list_some(names)})"
            )
