"""Missing values of a stream, found in a pass: refused, left out with their rows, or kept."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcsomrl.data.block_files import AT_ONCE, Block, BlockFiles
from dcsomrl.data.constant import SHOWN
from dcsomrl.data.missing_values import Gaps, refuse_infinite, settle_gaps
from dcsomrl.data.roles import Missing

# By number of a block: (count / 8,) a bit for each of its rows, set where a value is missing; of
# blocks in which none is, nothing.
Lacking = dict[int, NDArray[np.uint8]]


def look_for_gaps(
    files: BlockFiles, blocks: Sequence[Block], missing: Missing, path: str, notes: list[str]
) -> Lacking:
    """Which rows of files lack a value; the log says what becomes of them.

    Args:
        files: the table.
        blocks: all of its rows.
        missing: what becomes of missing values.
        path: what messages call the table.
        notes: gets a sentence on rows that are left out or values that are filled later.

    Raises:
        DataError: a value is infinite, or missing where that is refused; or a column has no value
            at all.
    """
    names = [str(i) for i in range(files.width)] if files.names is None else files.names
    counts = np.zeros(files.width, np.int64)
    lacking: Lacking = {}
    called: list[str] = []
    rows, first = 0, ""
    several = len(files.files) > 1
    for number, block in enumerate(blocks):
        x = files.read(block)
        gaps = np.zeros(block.count, bool)
        for begin in range(0, len(x), AT_ONCE):
            part = x[begin : begin + AT_ONCE]
            refuse_infinite_values(part, files, block, begin, names)
            absent = np.isnan(part)
            counts += absent.sum(0)
            gaps[begin : begin + AT_ONCE] = absent.any(1)
        if not gaps.any():
            continue
        lacking[number] = np.packbits(gaps)
        places = np.flatnonzero(gaps)
        rows += len(places)
        file = files.files[block.file]
        if not first:
            column = names[int(np.isnan(x[places[0]]).argmax())]
            where = files.call_row(block, int(places[0]))
            first = f"{file} has no value in {where}, column {column}"
        for place in places[: SHOWN - len(called)].tolist():
            row = f"row {block.first + place}"
            called.append(f"{file.name} {row}" if several else row)
    if lacking:
        n = sum(block.count for block in blocks)
        found = Gaps(names, counts, n, rows, called, first)
        if files.names is None:
            found = found._replace(remedy="save the files without them")
        settle_gaps(found, missing, path, notes)
    return lacking


def refuse_infinite_values(
    part: NDArray[Any], files: BlockFiles, block: Block, begin: int, names: Sequence[str]
) -> None:
    """Refuse rows (n, features) of a block from one on, in the order of the file, by the first.

    Raises:
        DataError: a value is infinite.
    """
    infinite = np.isinf(part)
    if infinite.any():
        row, column = (int(place[0]) for place in infinite.nonzero())
        where = files.call_row(block, begin + row)
        refuse_infinite(str(files.files[block.file]), where, names[column])
