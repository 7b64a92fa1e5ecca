"""A bar on the terminal for what takes a while, where Rich is installed."""

from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from typing import TypeVar

T = TypeVar("T")


def track(items: Sequence[T], description: str, shown: bool) -> Iterable[T]:
    """The same items, with a bar that leaves nothing behind; without one where Rich is absent.

    Args:
        items: that are worked through.
        description: what stands before the bar.
        shown: whether there is to be a bar.
    """
    if not shown or find_spec("rich") is None:
        return items
    from rich import progress

    return progress.track(items, description, transient=True)
