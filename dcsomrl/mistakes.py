"""A user's mistakes in one sentence, in the terms of the command line."""

import difflib
import re
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException, InstantiationException, MissingConfigException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from dcsomrl.configuration import config_dir
from dcsomrl.errors import DcsomrlError, first_line

# What YAML calls the constants of Python.
CONSTANTS = {"None": "null", "True": "true", "False": "false"}
# Groups that a model takes at a place of its own, as they are typed; NAME is what results call it.
PLACED = {"optimizer": "optimizer@model.optimizer", "loss": "+loss@model.losses.NAME"}
# Keys of commands whose functions call them otherwise.
RENAMED = {"data_path": "dataset.path"}


@contextmanager
def keyed(cfg: DictConfig) -> Iterator[None]:
    """Give errors that are raised inside the keys of a configuration; see :func:`name_keys`."""
    try:
        yield
    except DcsomrlError as error:
        error.args = (name_keys(str(error), cfg),)
        raise


def name_keys(message: str, cfg: DictConfig | Mapping[str, Any] | None = None) -> str:
    """A message in the terms of the command line.

    What can be set stands in backticks in the messages of classes, which know their arguments and
    not the configuration: an argument such as `batch_size` or `batch_size=7`, or a class. Here it
    gets its key, or the option of a group that chooses it. A function, such as
    `dcsomrl.data.images.images`, is named with its module, and `None` becomes null.

    Args:
        message: as it was raised.
        cfg: the configuration; None leaves arguments as they are.
    """
    plain = OmegaConf.to_container(cfg, resolve=False) if isinstance(cfg, DictConfig) else cfg
    keys = list(_keys(plain))

    def named(found: re.Match[str]) -> str:
        name, value = found[1], (found[2] or "").removeprefix("=")
        if name in CONSTANTS:
            return CONSTANTS[name]
        if "." in name or name[0].isupper():
            return _option_of(name)
        same = [key for key in keys if key.rpartition(".")[2] == name]
        other = RENAMED[name] if RENAMED.get(name) in keys else name
        key = min(same, key=lambda key: key.count("."), default=other)
        return f"{key}={CONSTANTS.get(value, value)}" if value else key

    return re.sub(r"`(\w+(?:\.\w+)*)(=[^`]+)?`", named, message)


def _keys(node: Any, prefix: str = "") -> Iterator[str]:
    """Every dotted key of a configuration."""
    for key, value in node.items() if isinstance(node, dict) else ():
        yield f"{prefix}{key}"
        yield from _keys(value, f"{prefix}{key}.")


def _option_of(name: str) -> str:
    """The option, as ``autoencoder=mlp``, that makes objects of a class or calls a function.

    The name itself where there is none.

    What an option gives to another group, as ``neighbors=nearest`` does to the dataset, stands
    below the name of its own.
    """
    for file in sorted(config_dir().glob("*/*.yaml")):
        own = rf"^(?:{file.parent.name}:\n  )?_target_: [\w.]+\.{name}$"
        made = rf"^ *_target_: {name}$" if "." in name else own
        if re.search(made, file.read_text(), re.MULTILINE):
            return f"{file.parent.name}={file.stem}"
    return name


def explain(error: Exception, config_name: str, overrides: list[str]) -> str | None:
    """One sentence for an error that the user can mend, None for any other."""
    if isinstance(error, DcsomrlError):
        return str(error)
    if isinstance(error, InstantiationException):
        cause = error.__cause__
        key = re.search(r"full_key: (\S+)", str(error))
        place = f"{key.group(1)}: " if key else ""
        if isinstance(cause, DcsomrlError):
            return name_keys(str(cause))
        if isinstance(cause, ValueError | TypeError):
            return name_keys(f"{place}{cause}")
        missing = isinstance(cause, ImportError) or "Error locating target" in str(error)
        return f"{place}{first_line(cause or error)}" if missing else None
    if "Config group override must be" in str(error):
        return "a group cannot be set to null: leave it out, or take it away, as with ~experiment"
    if isinstance(error, MissingConfigException):
        return _explain_option(error)
    if isinstance(error, HydraException | OmegaConfBaseException):
        return _explain_override(str(error), config_name, overrides)
    return None


def _explain_override(message: str, config_name: str, overrides: list[str]) -> str:
    """Hydra's message, with what exists in the place of what was misspelt."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    text = " ".join(lines)
    if lacking := re.search(r"Missing mandatory value: (\S+)", text):
        return f"{lacking.group(1)} is missing: give {lacking.group(1)}=..."
    unknown = re.search(r"Could not override '([^']+)'", text)
    if unknown is None:
        return _explain_value(overrides) or text
    key = unknown.group(1).split("@")[0]
    if key in PLACED and (given := [one for one in overrides if one.startswith(f"{key}=")]):
        right = PLACED[key] + given[-1].removeprefix(key)
        return f"{given[-1]} has no place at the top: type {right}"
    config = _composed(config_name, [item for item in overrides if f"{key}=" not in item])
    parent, known = _deepest(config, key)
    close = difflib.get_close_matches(key.removeprefix(parent), known, n=1)
    meant = f"did you mean {parent}{close[0]}? " if close else ""
    where = f"in {parent.rstrip('.')}" if parent else "at the top"
    said = f"there is no {key} in the configuration; {meant}{where} exist: {', '.join(known)}"
    further = f"; another argument of Lightning's Trainer takes a plus, +{key}=..."
    return said + further if parent == "trainer." else said


def _explain_value(overrides: list[str]) -> str | None:
    """How to type a value that Hydra's grammar cannot read as it stands; None for none such."""
    parser = OverridesParser.create()
    for override in overrides:
        key, sign, value = override.partition("=")
        if not sign or key.startswith("-"):
            continue
        try:
            swept = parser.parse_override(override).is_sweep_override()
        except (HydraException, ValueError):
            swept = False
        else:
            if not swept:
                continue
        if swept and "," not in value:
            continue
        several = value.split(",") if swept else []
        listed = re.fullmatch(r"\[(.*)\]", value)
        items = listed[1].split(",") if listed else []
        quoted = f"[{','.join(map(_quoted, items))}]" if listed else _quoted(value)
        typed = shlex.quote(f"{key}={quoted}")
        if several:
            as_list = shlex.quote(f"{key}=[{value}]")
            return (
                f"{override} names several values: type {as_list} for a list of them, {typed} for "
                "one value with a comma in it, or put -m before it to run one after the other"
            )
        return f"{override} cannot be read, since its value needs quotes: type {typed}"
    return None


def _quoted(value: str) -> str:
    """A value in quotes of Hydra's grammar."""
    escaped = value.strip().replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _explain_option(error: MissingConfigException) -> str:
    """What exists in the place of an option that does not."""
    named = re.search(r"'([^']+)/([^'/]*)'", first_line(error))
    if named is None:
        return first_line(error)
    group, given = named.groups()
    known = [name for name in error.options or () if not name.startswith("_")]
    if not known:  # Hydra names none where several options were given
        GlobalHydra.instance().clear()
        with hydra.initialize_config_dir(str(config_dir()), version_base="1.3"):
            every = GlobalHydra.instance().config_loader().get_group_options(group)
            known = [name for name in every if not name.startswith("_")]
    close = difflib.get_close_matches(given, known, n=1)
    meant = f"did you mean {group}={close[0]}? " if close else ""
    return f"there is no {group}={given}; {meant}{group} can be {', '.join(known)}"


def _composed(config_name: str, overrides: list[str]) -> DictConfig:
    GlobalHydra.instance().clear()
    groups = [item for item in overrides if re.fullmatch(r"\+?[\w/]+=[\w]+", item)]
    with hydra.initialize_config_dir(str(config_dir()), version_base="1.3"):
        try:
            return hydra.compose(config_name, overrides=groups)
        except HydraException:
            return hydra.compose(config_name)


def _deepest(config: DictConfig, key: str) -> tuple[str, list[str]]:
    """The longest part of a dotted key that exists, and what lies there."""
    parts, node, found = key.split("."), config, ""
    for part in parts[:-1]:
        child = OmegaConf.to_container(node, resolve=False)
        if not isinstance(child, dict) or not isinstance(child.get(part), dict):
            break
        node, found = node[part], f"{found}{part}."
    return found, sorted(str(name) for name in node if not str(name).startswith("_"))
