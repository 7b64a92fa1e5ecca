"""Lines above a table of text that begin with ``#``, of which the last may name the columns."""

import csv
from collections.abc import Sequence
from dataclasses import replace

from dcsomrl.data.constant import list_some
from dcsomrl.data.notes import note
from dcsomrl.data.separators import is_numeric
from dcsomrl.data.text_files import Text


def split_comments(text: Text) -> tuple[Text, list[str]]:
    """The text below its first lines that begin with ``#``, and these; none where all lines do."""
    comments: list[str] = []
    lines = 0
    with text.open() as file:
        for number, line in enumerate(file, start=1):
            if line.startswith("#"):
                comments.append(line.rstrip("\r\n"))
                lines = number
            elif line.strip():
                return replace(text, skipped=text.skipped + lines), comments
    return text, []


def find_heading(
    text: Text, comments: Sequence[str], separator: str, first: Sequence[str], notes: list[str]
) -> list[str] | None:
    """Names of the columns in the last comment, as NumPy's ``savetxt`` writes them.

    None where it has other fields than the rows, or the first row names the columns itself.

    Args:
        text: what messages call the table.
        comments: lines above it, at least one.
        separator: between fields.
        first: fields of its first row.
        notes: gets a sentence on what became of the comments.
    """
    line = comments[-1].lstrip("#").strip()
    if separator == " ":
        names = line.split()
    else:
        names = next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    over_samples = any(is_numeric([field]) for field in first)
    if len(names) != len(first) or any(is_numeric([name]) for name in names) or not over_samples:
        note(notes, f"{text.path}: lines above the table are left out: {list_some(list(comments))}")
        return None
    if comments[1:]:
        above = list_some(list(comments[:-1]))
        note(notes, f"{text.path}: lines above the table are left out: {above}")
    return [names[0].strip() or "#", *names[1:]]
