"""Whether settings are of the kinds that their classes are annotated with, before any is made."""

import collections.abc
import inspect
import math
import re
import shlex
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from hydra.utils import get_object
from omegaconf import DictConfig, OmegaConf

from dcsomrl.data.files import arrays
from dcsomrl.data.images import images
from dcsomrl.data.roles import Name, Names
from dcsomrl.data.stream_files import stream
from dcsomrl.errors import ConfigError
from dcsomrl.migrations import TARGET
from dcsomrl.mistakes import find_option

# Settings of the commands themselves, which no class takes.
COMMANDS: dict[str, Any] = {
    "name": Name,
    "n_clusters": int | Literal["auto"] | None,
    "data_dir": str | None,
    "ckpt_path": str | None,
    "init": str | None,
    "num_threads": int | None,
    "compile": Literal[False, "default", "reduce-overhead"],
    "trust": str | Sequence[str],
    "ckpt": str | None,
    "run": str | Sequence[str] | None,
    "dataset.path": str | None,
    "input": str,
    "output": str | None,
    "id": Name | None,
    "keep": Names | None,
    "soft": bool,
    "device": str,
    "split": str,
    "format": str,
    "embedding": str,
    "folder": str,
    "metrics": Sequence[str] | None,
    "methods": Mapping[str, Sequence[str]],
    "datasets": Sequence[str],
    "seeds": Sequence[int],
    "common": Sequence[str],
    "merged_clusters": int,
    "against": str,
    "train": bool,
    "runs_dir": str,
    **{
        f"source.{name}": hint | None
        for read in (arrays, images, stream)
        for name, hint in get_type_hints(read).items()
    },
}
# What a command takes beside what the class does that is made of the settings.
FURTHER: dict[str, Any] = {"trainer.precision": Literal["auto"]}
# Settings that may be null where others refer to them: the shape is filled in from the data, and
# who reads the path says what it should be.
FILLED = ("input_shape", "dataset.path")
# Words of YAML for true and false, which the command line takes for text.
WORDS = {"yes": True, "on": True, "1": True, "no": False, "off": False, "0": False}
LISTS = {
    *(list, tuple, set, frozenset),
    *(collections.abc.Sequence, collections.abc.Iterable, collections.abc.Collection),
}
# A truth value is no number, though Python has it as one.
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


def settle_kinds(cfg: DictConfig) -> None:
    """Refuse settings that are of another kind than what takes them; make truth values of words.

    What takes them are the classes and functions that ``_target_`` names, by their annotations, and
    the command itself; what has no annotation is left alone.

    Args:
        cfg: of a command; ``yes``, ``on``, 1 and so on become true where a truth value is wanted.

    Raises:
        ConfigError: names the setting, what it must be, and what it is.
    """
    given: Any = OmegaConf.to_container(cfg)
    resolved: Any = OmegaConf.to_container(cfg, resolve=True)
    for key, value, hint in list(_list_annotated(resolved)):
        source = _find_source(key, given)
        if fits(value, hint) or (value is None and source in FILLED):
            continue
        word = WORDS.get(str(value).lower())
        if word is None or not fits(word, hint):
            raise ConfigError(_describe_refusal(source, value, hint))
        OmegaConf.update(cfg, key, word)
    if resolved.get("name") == "":
        raise ConfigError("name is empty: give a name for the folder of the results")


def fits(value: Any, hint: Any) -> bool:
    """Whether a plain value, or what a dict with ``_target_`` makes, is of an annotated kind."""
    kind, parts = get_origin(hint) or hint, get_args(hint)
    if isinstance(value, dict) and TARGET in value:
        return True
    if kind in UNIONS:
        return any(fits(value, one) for one in _list_alternatives(parts))
    if kind is Literal:
        return any(value == one and type(value) is type(one) for one in parts)
    if kind is Annotated:
        return fits(value, parts[0])
    if kind in PLAIN:
        return PLAIN[kind](value)
    if kind in LISTS:
        kinds = [one for one in parts if one is not ...] or [Any]
        return isinstance(value, list) and all(any(fits(x, one) for one in kinds) for x in value)
    if kind in MAPPINGS:  # what stands in it is looked at by itself
        return isinstance(value, dict)
    return value is not None and _is_foreign(hint)


def _list_alternatives(parts: Sequence[Any]) -> Sequence[Any]:
    """Those of a union that can be typed: beside a number or text no class, such as a tensor."""
    plain = any(one in NUMBERS_OR_TEXT for one in parts)
    return [one for one in parts if not (plain and _is_foreign(one))]


def _is_foreign(hint: Any) -> bool:
    """Whether it is not known which plain values are of a kind."""
    kind = get_origin(hint) or hint
    known = (*PLAIN, *UNIONS, *LISTS, *MAPPINGS, Literal, Annotated, collections.abc.Callable)
    module = str(getattr(kind, "__module__", ""))
    return kind not in known and module.partition(".")[0] != "dcsomrl"


def describe(hint: Any) -> str:
    """What a value of an annotated kind is, in words."""
    words = list(dict.fromkeys(_list_words(hint)))
    if NAMES[float] in words:
        words = [word for word in words if word != NAMES[int]]
    return " or ".join([*filter(None, [", ".join(words[:-1])]), words[-1]])


def _list_words(hint: Any) -> Iterator[str]:
    """The alternatives of an annotated kind."""
    kind, parts = get_origin(hint) or hint, get_args(hint)
    if kind in UNIONS:
        for one in sorted(_list_alternatives(parts), key=lambda one: one is types.NoneType):
            yield from _list_words(one)
    elif kind is Literal:
        yield from map(_format, parts)
    elif kind is Annotated:
        yield from _list_words(parts[0])
    elif kind is bool:
        yield from ("true", "false")
    elif kind in LISTS:
        yield f"a list of {ITEMS[parts[0]]}" if parts and parts[0] in ITEMS else "a list"
    elif kind in MAPPINGS:
        yield "settings by name"
    elif kind is collections.abc.Callable:
        yield f"settings with {TARGET}"
    else:
        name = getattr(kind, "__name__", str(kind))
        option = find_option(name)
        chosen = f"with {TARGET}" if option == name else f"as {option} chooses them"
        yield NAMES.get(kind, f"settings of class {name} {chosen}")


def _list_annotated(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Every setting whose kind is known: its key, its value and its kind."""
    path = node.get(TARGET)
    hints = _read_hints(path) if isinstance(path, str) else {}
    for name, value in node.items():
        key = f"{prefix}{name}"
        hint = hints.get(name) if TARGET in node else COMMANDS.get(key)
        if hint is not None and not str(name).startswith("_"):
            hint = hint | FURTHER[key] if key in FURTHER else hint
            yield key, value, hint
            yield from _list_items(key, value, hint)
        if isinstance(value, dict):
            yield from _list_annotated(value, f"{key}.")


def _list_items(key: str, value: Any, hint: Any) -> Iterator[tuple[str, Any, Any]]:
    """What stands in settings by name: likewise."""
    for one in get_args(hint) if get_origin(hint) in UNIONS else [hint]:
        if get_origin(one) in MAPPINGS and isinstance(value, dict) and TARGET not in value:
            yield from ((f"{key}.{name}", item, get_args(one)[-1]) for name, item in value.items())


@cache
def _read_hints(path: str) -> dict[str, Any]:
    """Kinds of the arguments of a class or function; of none if it cannot be had.

    What cannot be imported is refused where it is made.
    """
    try:
        made = get_object(path)
        call = made.__init__ if inspect.isclass(made) else made
        hints = get_type_hints(call)
        parameters = inspect.signature(call).parameters
    except Exception:  # whatever the import of a module of the user's raises
        return {}
    return {
        name: hint | None if parameters[name].default is None else hint
        for name, hint in hints.items()
        if name in parameters
    }


def _find_source(key: str, given: Mapping[str, Any]) -> str:
    """The key that a value was set by, where another one takes it by ``${...}``."""
    node: Any = given
    for part in key.split("."):
        node = node.get(part) if isinstance(node, Mapping) else None
    found = re.fullmatch(r"\$\{(\.*)([\w.]+)\}", node) if isinstance(node, str) else None
    if found is None:
        return key
    above = key.split(".")[: -len(found[1])] if found[1] else []
    return _find_source(".".join([*above, found[2]]), given)


def _describe_refusal(key: str, value: Any, hint: Any) -> str:
    """One sentence on a value that is not of its kind."""
    typed = shlex.quote(f'{key}="{_format(value)}"')
    as_text = isinstance(value, int | float) and fits("", hint)
    further = f": to have it as text type {typed}" if as_text else ""
    return f"{key} must be {describe(hint)}, got {_format(value)}{further}"


def _format(value: Any) -> str:
    """A value as it is typed on the command line."""
    if isinstance(value, list):
        return f"[{','.join(map(_format, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{name}:{_format(one)}' for name, one in value.items())}}}"
    return "null" if value is None else str(value).lower() if value in (True, False) else str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
