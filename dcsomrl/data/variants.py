"""Values that are written in several ways, as Red and red, and so are several."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from dcsomrl.data.constant import list_some
from dcsomrl.data.notes import note


def warn_of_variants(values: Iterable[str], what: str, path: str | Path, notes: list[str]) -> None:
    """Note values that differ in capitals and blanks alone.

    Args:
        values: each once.
        what: what messages call them, in the plural.
        path: what they call the data.
        notes: gets a sentence on them.
    """
    alike: dict[str, list[str]] = defaultdict(list)
    for value in values:
        alike[" ".join(value.casefold().split())].append(value)
    if several := [" and ".join(map(repr, group)) for group in alike.values() if len(group) > 1]:
        note(
            notes,
            f"{path}: {what} differ in capitals or blanks alone and are told apart: "
            f"{list_some(several)}; write them alike if they are the same",
        )
