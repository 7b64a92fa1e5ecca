"""Whether settings are of the kinds that their classes are annotated with, before any is made."""

import inspect
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from hydra.utils import get_object
from omegaconf import DictConfig, OmegaConf

from dcsomrl.data.files import arrays
from dcsomrl.data.images import images
from dcsomrl.data.roles import Name, Names
from dcsomrl.data.stream_files import stream
from dcsomrl.errors import ConfigError
from dcsomrl.hints import MAPPINGS, UNIONS, describe, fits, format_value
from dcsomrl.keys import find_option
from dcsomrl.migrations import TARGET
from dcsomrl.ranges import (
    Count,
    Natural,
    NonNegative,
    Positive,
    Range,
    Seed,
    ShareAboveZero,
    ShareBelowOne,
)

# More threads than a machine has make it slower, and many more no process can start.
Threads = Annotated[int, Range(1, 1024)]
# Settings of the commands themselves, which no class takes.
COMMANDS: dict[str, Any] = {
    "name": Name,
    "seed": Seed,
    "n_clusters": Count | Literal["auto"] | None,
    "data_dir": str | None,
    "ckpt_path": str | None,
    "init": str | None,
    "num_threads": Threads | None,
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
    "seeds": Sequence[Seed],
    "common": Sequence[str],
    "merged_clusters": Count,
    "against": str,
    "train": bool,
    "runs_dir": str,
    **{
        f"source.{name}": hint | None
        for read in (arrays, images, stream)
        for name, hint in get_type_hints(read, include_extras=True).items()
    },
}
# What a command takes beside what the class does that is made of the settings.
FURTHER: dict[str, Any] = {"trainer.precision": Literal["auto"]}
# Ranges of settings whose classes, of Lightning and torch, do not say them.
RANGES: dict[str, Any] = {
    "trainer.max_epochs": Count | Literal[-1] | None,
    "trainer.max_steps": Count | Literal[-1],
    "trainer.min_epochs": Natural | None,
    "trainer.min_steps": Natural | None,
    "trainer.limit_train_batches": Count | ShareAboveZero | None,
    "trainer.limit_val_batches": Count | ShareAboveZero | None,
    "trainer.accumulate_grad_batches": Count,
    "trainer.check_val_every_n_epoch": Count | None,
    "trainer.val_check_interval": Count | ShareAboveZero | str | None,
    "trainer.reload_dataloaders_every_n_epochs": Natural,
    "trainer.devices": Count | Literal[-1, "auto"] | Sequence[Natural] | str,
    "trainer.gradient_clip_val": NonNegative | None,
    "trainer.num_sanity_val_steps": Natural | Literal[-1] | None,
    "trainer.log_every_n_steps": Natural | None,
    "trainer.num_nodes": Count,
    "model.optimizer.lr": Positive,
    "model.optimizer.weight_decay": NonNegative,
    "model.optimizer.momentum": ShareBelowOne,
}
# Settings that may be null where others refer to them: the shape is filled in from the data, and
# who reads the path says what it should be.
FILLED = ("input_shape", "dataset.path")
# Words of YAML for true and false, which the command line takes for text.
WORDS = {"yes": True, "on": True, "1": True, "no": False, "off": False, "0": False}


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
    for key, value, hint in list(list_annotated(resolved)):
        source = _find_source(key, given)
        if fits(value, hint) or (value is None and source in FILLED):
            continue
        word = WORDS.get(str(value).lower())
        if word is None or not fits(word, hint):
            raise ConfigError(_describe_refusal(source, value, hint))
        OmegaConf.update(cfg, key, word)
    if resolved.get("name") == "":
        raise ConfigError("name is empty: give a name for the folder of the results")


def check_names(cfg: DictConfig) -> None:
    """Refuse settings that the class or function which is made of them does not take.

    Those of the trainer, of which some are called otherwise now, are looked at by
    :func:`dcsomrl.training.limits.check_names`.

    Raises:
        ConfigError: names the setting, and what is taken.
    """
    resolved: Any = OmegaConf.to_container(cfg, resolve=True)
    for place, node in _list_made(resolved):
        known = _read_parameters(node[TARGET])
        if place == "trainer" or known is None:
            continue
        for name in node:
            if name not in known and not str(name).startswith("_"):
                made = str(node[TARGET]).rpartition(".")[2]
                taken = ", ".join(sorted(known)) or "nothing"
                raise ConfigError(f"{place}.{name} is not a setting of {made}, which takes {taken}")


def _list_made(node: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Everything that is made of settings, with its key."""
    for name, value in node.items():
        if isinstance(value, dict):
            key = f"{place}.{name}" if place else str(name)
            if TARGET in value:
                yield key, value
            yield from _list_made(value, key)


@cache
def _read_parameters(path: Any) -> frozenset[str] | None:
    """The arguments of a class or function; None if it cannot be had, or takes any."""
    try:
        parameters = inspect.signature(get_object(path)).parameters
    except Exception:  # whatever the import of a module of the user's raises
        return None
    if any(one.kind is one.VAR_KEYWORD for one in parameters.values()):
        return None
    return frozenset(parameters)


def _name_class(name: str) -> str:
    """How settings of a class are given."""
    option = find_option(name)
    chosen = f"with {TARGET}" if option == name else f"as {option} chooses them"
    return f"settings of class {name} {chosen}"


def list_annotated(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Every setting whose kind is known: its key, its value and its kind."""
    path = node.get(TARGET)
    hints = _read_hints(path) if isinstance(path, str) else {}
    for name, value in node.items():
        key = f"{prefix}{name}"
        hint = hints.get(name) if TARGET in node else COMMANDS.get(key)
        if hint is not None and not str(name).startswith("_"):
            hint = RANGES.get(key, hint | FURTHER[key] if key in FURTHER else hint)
            yield key, value, hint
            yield from _list_items(key, value, hint)
        if isinstance(value, dict):
            yield from list_annotated(value, f"{key}.")


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
        hints = get_type_hints(call, include_extras=True)
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
    typed = shlex.quote(f'{key}="{format_value(value)}"')
    is_other = isinstance(value, int | float) and not fits(value, hint, ranged=False)
    as_text = is_other and fits("", hint)
    further = f": to have it as text type {typed}" if as_text else ""
    return f"{key} must be {describe(value, hint, _name_class)}, got {format_value(value)}{further}"
