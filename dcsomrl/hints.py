"""What an annotation says of a value: whether it fits, and in words what would."""

import collections.abc
import inspect
import math
import types
from collections.abc import Callable, Iterator, Sequence
from functools import cache, wraps
from typing import (
    Annotated,
    Any,
    Literal,
    ParamSpec,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from dcsomrl.ranges import Range

P = ParamSpec("P")
R = TypeVar("R")
LISTS = {
    *(list, tuple, set, frozenset),
    *(collections.abc.Sequence, collections.abc.Iterable, collections.abc.Collection),
}
# A truth value is not a number, though Python has it as one.
PLAIN: dict[Any, Callable[[Any], bool]] = {
    Any: lambda _: True,
    types.NoneType: lambda value: value is None,
    bool: lambda value: isinstance(value, bool),
    int: lambda value: isinstance(value, int) and not isinstance(value, bool),
    float: lambda value: _is_number(value) and not math.isnan(value),
    str: lambda value: isinstance(value, str),
}
NUMBERS_OR_TEXT = (bool, int, float, str)
UNIONS = (Union, types.UnionType)
MAPPINGS = (dict, collections.abc.Mapping)
NAMES = {types.NoneType: "null", int: "a whole number", float: "a number", str: "text"}
ITEMS = {int: "whole numbers", float: "numbers", str: "texts"}


def fits(value: Any, hint: Any, ranged: bool = True) -> bool:
    """Whether a plain value, or what a dict with ``_target_`` makes, is of an annotated kind.

    Args:
        value: of numbers, texts, lists and dicts.
        hint: the annotation.
        ranged: whether a number must lie in its range, too.
    """
    kind, parts = get_origin(hint) or hint, get_args(hint)
    if isinstance(value, dict) and "_target_" in value:
        return True
    if kind in UNIONS:
        return any(fits(value, one, ranged) for one in _list_alternatives(parts))
    if kind is Literal:
        return any(value == one and type(value) is type(one) for one in parts)
    if kind is Annotated:
        ranges = [one for one in parts[1:] if isinstance(one, Range)] if ranged else []
        return fits(value, parts[0], ranged) and all(value in one for one in ranges)
    if kind in PLAIN:
        return PLAIN[kind](value)
    if kind in LISTS:
        kinds = [one for one in parts if one is not ...] or [Any]
        return isinstance(value, list) and all(
            any(fits(x, one, ranged) for one in kinds) for x in value
        )
    if kind in MAPPINGS:  # what stands in it is looked at by itself
        return isinstance(value, dict)
    return value is not None and is_foreign(hint)


def _list_alternatives(parts: Sequence[Any]) -> Sequence[Any]:
    """Those of a union that can be typed: beside a number or text no class, such as a tensor."""
    plain = any(_strip(one) in NUMBERS_OR_TEXT for one in parts)
    return [one for one in parts if not (plain and is_foreign(one))]


def _strip(hint: Any) -> Any:
    """An annotation without its range."""
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def is_foreign(hint: Any) -> bool:
    """Whether it is not known which plain values are of a kind."""
    kind = get_origin(hint) or hint
    known = (*PLAIN, *UNIONS, *LISTS, *MAPPINGS, Literal, Annotated, collections.abc.Callable)
    module = str(getattr(kind, "__module__", ""))
    return kind not in known and module.partition(".")[0] != "dcsomrl"


def describe(value: Any, hint: Any, name_class: Callable[[str], str] = str) -> str:
    """What a value that does not fit must be, in words.

    Args:
        value: where its kind is right the range alone is told.
        hint: the annotation.
        name_class: says how settings of a class, by its name, are given.
    """
    short = fits(value, hint, ranged=False)
    words = list(dict.fromkeys(_list_words(hint, name_class, short)))
    if NAMES[float] in words:
        words = [word for word in words if word != NAMES[int]]
    return " or ".join([*filter(None, [", ".join(words[:-1])]), words[-1]])


def _list_words(hint: Any, name_class: Callable[[str], str], short: bool) -> Iterator[str]:
    """The alternatives of an annotated kind."""
    kind, parts = get_origin(hint) or hint, get_args(hint)
    if kind in UNIONS:
        for one in sorted(_list_alternatives(parts), key=lambda one: one is types.NoneType):
            yield from _list_words(one, name_class, short)
    elif kind is Literal:
        yield from map(format_value, parts)
    elif kind is Annotated:
        for word in _list_words(parts[0], name_class, short):
            ranged = _describe_range(parts[1:])
            yield ranged.removeprefix(" of").strip() if short else f"{word}{ranged}"
    elif kind is bool:
        yield from ("true", "false")
    elif kind in LISTS:
        item = ITEMS.get(_strip(parts[0])) if parts else None
        ranged = _describe_range(get_args(parts[0])[1:]) if parts else ""
        yield f"a list of {item}{ranged}" if item else "a list"
    elif kind in MAPPINGS:
        yield "settings by name"
    elif kind is collections.abc.Callable:
        yield "settings with _target_"
    else:
        yield NAMES.get(kind) or name_class(getattr(kind, "__name__", str(kind)))


def _describe_range(given: Sequence[Any]) -> str:
    """The range in the further arguments of an annotation; empty for none."""
    found = next((str(one) for one in given if isinstance(one, Range)), "")
    return f"{' of' if found.startswith('at least') else ''} {found}" if found else ""


def format_value(value: Any) -> str:
    """A value as it is typed on the command line."""
    if isinstance(value, list):
        return f"[{','.join(map(format_value, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{name}:{format_value(one)}' for name, one in value.items())}}}"
    return "null" if value is None else str(value).lower() if value in (True, False) else str(value)


def check_arguments(call: Callable[P, R]) -> Callable[P, R]:
    """A function or constructor whose numbers and choices are checked before it begins.

    Checked are arguments annotated with a :class:`dcsomrl.ranges.Range` or a ``Literal``, which are
    refused by a ValueError that names the argument. Numbers of NumPy, and arrays and tensors of
    one, arrive as Python's.
    """
    signature = inspect.signature(call)

    @wraps(call)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError:
            return call(*args, **kwargs)  # says it in Python's own words
        for name, hint in _list_checked(call):
            if name in bound.arguments:
                value = bound.arguments[name] = unpack(bound.arguments[name])
                if not fits(_make_plain(value), hint):
                    said = describe(_make_plain(value), hint).replace("null", "`None`")
                    raise ValueError(f"{name} must be {said}, got {value!r}")
        return call(*bound.args, **bound.kwargs)

    return checked


@cache
def _list_checked(call: Callable[..., Any]) -> list[tuple[str, Any]]:
    """Arguments with a range or with choices, and what they may be."""
    parameters = inspect.signature(call).parameters
    return [
        (name, hint | None if parameters[name].default is None else hint)
        for name, hint in get_type_hints(call, include_extras=True).items()
        if name in parameters and any(map(_is_narrow, _walk(hint)))
    ]


def _walk(hint: Any) -> Iterator[Any]:
    yield hint
    if get_origin(hint) not in (Literal, Annotated, collections.abc.Callable):
        for part in get_args(hint):
            yield from _walk(part)


def _is_narrow(hint: Any) -> bool:
    return get_origin(hint) in (Literal, Annotated)


def unpack(given: Any) -> Any:
    """The number in a scalar of NumPy or an array or tensor without axes; all else as it is."""
    return given.item() if getattr(given, "ndim", None) == 0 else given


def _make_plain(value: Any) -> Any:
    """Sequences and arrays as lists."""
    is_text = isinstance(value, str | bytes)
    is_list = isinstance(value, collections.abc.Sequence | set | frozenset) and not is_text
    is_array = getattr(value, "ndim", 0) > 0
    return [_make_plain(unpack(one)) for one in value] if is_list or is_array else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
