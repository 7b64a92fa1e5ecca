"""A user's mistakes in one sentence, in the terms of the command line."""

import difflib
import re
import shlex
import traceback
from collections.abc import Sequence

import hydra
import yaml
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException, InstantiationException, MissingConfigException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from dcsomrl.configuration import find_config_dir
from dcsomrl.errors import DcsomrlError, shorten
from dcsomrl.extras import explain_absence
from dcsomrl.kept import list_folders
from dcsomrl.keys import list_keys, name_keys
from dcsomrl.system_errors import explain_system

# Groups that a model takes at a place of its own, as they are typed; NAME is what results call it.
PLACED = {"optimizer": "optimizer@model.optimizer", "loss": "+loss@model.losses.NAME"}


def explain(error: Exception, config_name: str, overrides: list[str]) -> str | None:
    """One sentence for an error that the user can fix, None for any other."""
    if isinstance(error, DcsomrlError):
        return str(error)
    if absent := explain_absence(error):
        return absent
    if isinstance(error, InstantiationException):
        cause = error.__cause__
        if said := explain_system(cause):
            return said
        key = re.search(r"full_key: (\S+)", str(error))
        place = f"{key.group(1)}: " if key else ""
        if isinstance(cause, DcsomrlError):
            return name_keys(str(cause))
        if isinstance(cause, ValueError | TypeError):
            return name_keys(f"{place}{cause}")
        if isinstance(cause, MemoryError) or "can't allocate memory" in str(cause):
            return f"{place}does not fit into memory: make its sizes smaller"
        return _explain_import(place, str(error), cause)
    if "Config group override must be" in str(error) or _is_list_of_a_group(error):
        return _explain_group(overrides)
    if isinstance(error, MissingConfigException):
        return _explain_option(error)
    if isinstance(error, HydraException | OmegaConfBaseException):
        return _explain_override(str(error), config_name, overrides)
    if isinstance(error, yaml.YAMLError | UnicodeDecodeError):
        return _explain_settings(overrides)
    return explain_system(error) or _explain_composition(error, config_name, overrides)


def _explain_composition(error: Exception, config_name: str, overrides: list[str]) -> str | None:
    """Which override Hydra stumbled over, by an error of any kind; None for errors of a task."""
    frames = traceback.walk_tb(error.__traceback__)
    names = [frame.f_globals.get("__name__") for frame, _ in frames]
    if "hydra._internal.config_loader_impl" not in names:
        return None
    for one in overrides:
        GlobalHydra.instance().clear()
        with hydra.initialize_config_dir(str(find_config_dir()), version_base="1.3"):
            try:
                hydra.compose(config_name, overrides=[one])
            except type(error):
                return f"{one} cannot be set ({shorten(error)}): check its key and its value"
            except Exception:  # for want of the others
                continue
    return None


def _explain_import(place: str, message: str, cause: BaseException | None) -> str | None:
    """What keeps a class or function from being found; None where that is not the mistake."""
    target = re.search(r"Error locating target '([^']+)'", message)
    if target is None and (refused := re.search(r"Target '([^']+)' is blocklisted", message)):
        return f"{place}{refused[1]} may run any code, and Hydra does not call it: choose another"
    if target is None:
        return f"{place}{shorten(cause)}" if isinstance(cause, ImportError) else None
    # Hydra has the error as Python writes it, below a line with the name.
    reason = re.search(r"\w+\(([\"'])(.*)\1[^)]*\)", str(cause))
    why = f" ({reason[2]})" if reason else ""
    return (
        f"{place}{target[1]} cannot be imported{why}: check the name, and that PYTHONPATH has the "
        "folder of a module of your own"
    )


def _explain_settings(overrides: list[str]) -> str | None:
    """Which file of settings, in a folder of the command line, is not YAML; None for none."""
    for file in (file for folder in list_folders(overrides) for file in folder.rglob("*.yaml")):
        try:
            OmegaConf.load(file)
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            place = getattr(error, "problem_mark", None)
            line = f", line {place.line + 1}" if place else ""
            why = getattr(error, "problem", None) or shorten(error)
            return f"{file} cannot be read as settings ({why}{line}): fix it, or take another one"
    return None


def _explain_override(message: str, config_name: str, overrides: list[str]) -> str:
    """Hydra's message, with what exists in the place of what was misspelt."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    text = " ".join(lines)
    if lacking := re.search(r"Missing mandatory value: (\S+)", text):
        return f"{lacking.group(1)} is missing: give {lacking.group(1)}=..."
    for override in overrides:
        empty = re.fullmatch(r"\+?([\w/]+)(?:@[\w.]+)?=\[\s*\]", override)
        if empty and (find_config_dir() / empty[1]).is_dir():
            return f"{override} chooses nothing: leave it out, or name what it is to be"
    if removed := _explain_removal(text, overrides):
        return removed
    if there := re.search(r"An item is already at '([^']+)'", text):
        return _explain_plus(there[1])
    # Hydra stumbles over a setting that refers to what is known only later.
    there = re.search(r"Error merging override \+([\w.]+)=", text)
    chosen = [one for one in overrides if not one.startswith("+")]
    if there and there[1] in list_keys(_compose(config_name, chosen)):
        return _explain_plus(there[1])
    if referred := re.search(r"Interpolation key '([^']+)' not found(?: full_key: (\S+))?", text):
        return (
            f"{referred[2] or 'a setting'} refers to {referred[1]}, which is not there: name a key "
            "in full, such as ${seed}"
        )
    if merged := re.search(r"Error merging override (.+)", text):
        return (
            f"{merged[1]} is of another kind than what stands there: --cfg job prints that, or for "
            "what begins with hydra --cfg hydra"
        )
    if bare := re.search(r"Error parsing override '([^']*)' missing EQUAL", text):
        return f"{bare[1]} is not a setting: type KEY=VALUE, such as seed=1"
    unknown = re.search(r"Could not override '([^']+)'", text)
    if unknown is None:
        return _explain_value(overrides) or text
    key = unknown.group(1).split("@")[0]
    if key in PLACED and (given := [one for one in overrides if one.startswith(f"{key}=")]):
        right = PLACED[key] + given[-1].removeprefix(key)
        return f"{given[-1]} has no place at the top: type {right}"
    config = _compose(config_name, [item for item in overrides if f"{key}=" not in item])
    parent, known = _find_deepest(config, key)
    close = difflib.get_close_matches(key.removeprefix(parent), known, n=1)
    intended = _find_namesake(config, key) or (f"{parent}{close[0]}" if close else None)
    meant = f"did you mean {intended}? " if intended else ""
    where = f"in {parent.rstrip('.')}" if parent else "at the top"
    said = f"there is no {key} in the configuration; {meant}{where} exist: {', '.join(known)}"
    further = f"; another argument of Lightning's Trainer takes a plus, +{key}=..."
    return said + further if parent == "trainer." else said


def _explain_plus(key: str) -> str:
    return f"{key} is there already: set it without a plus, {key}=..."


def _find_namesake(config: DictConfig, key: str) -> str | None:
    """The key elsewhere in the configuration whose last part is that of another key."""
    same = [one for one in list_keys(config) if one.rpartition(".")[2] == key.rpartition(".")[2]]
    root = key.partition(".")[0]
    return min(
        same,
        key=lambda one: (
            not one.endswith(f".{key}"),
            one.partition(".")[0] != root,
            one.count("."),
        ),
        default=None,
    )


def _explain_removal(text: str, overrides: list[str]) -> str | None:
    """What is wrong with taking a setting away; None if none is."""
    removed = " ".join(one for one in overrides if one.startswith("~"))
    if "Could not delete" in text:
        return f"{removed} takes away what is not set: leave it out"
    lacking = r"Key '[^']+' is not in struct|Interpolation key '[^']+' not found|\$\{published:"
    if removed and re.search(lacking, text):
        return f"{removed} takes away what is needed: leave it out"
    return None


def _is_list_of_a_group(error: Exception) -> bool:
    """Whether Hydra stumbled over a list of options in which one is not text."""
    if not isinstance(error, TypeError | AttributeError):
        return False
    frames = traceback.extract_tb(error.__traceback__)
    return any(frame.name == "_create_defaults_list" for frame in frames)


def _explain_group(overrides: list[str]) -> str:
    """Why a group is not chosen by a value that is not text."""
    for override in overrides:
        key, _, value = override.partition("=")
        group = key.lstrip("+").partition("@")[0]
        if override.startswith("="):
            return f"{override} names no setting: type its key before it, KEY{override}"
        if not (find_config_dir() / group).is_dir():
            continue
        for one in (item.strip() for item in value.strip("[]").split(",")):
            if re.fullmatch(r"[\d.e+-]+|true|false", one, re.IGNORECASE):
                return _offer(group, one, [])
        if re.search(r"\[.*[\[{]|\bnull\b.*\]", value):
            return f"{override} is not a list of names, as {key}=[NAME,NAME] is"
    return "a group cannot be set to null: leave it out, or take it away, as with ~experiment"


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
        if not swept and value.startswith("[") and not value.endswith("]"):
            closed = _read_as(parser, key, f"{value}]")
            return f"{override} cannot be read, since a bracket is not closed: type {closed}"
        several = value.split(",") if swept else []
        typed = _type_quoted(key, value)
        if several:
            as_list = shlex.quote(f"{key}=[{value}]")
            return (
                f"{override} names several values: type {as_list} for a list of them, {typed} for "
                "one value with a comma in it, or put -m before it to run one after the other"
            )
        return f"{override} cannot be read, since its value needs quotes: type {typed}"
    return None


def _read_as(parser: OverridesParser, key: str, value: str) -> str:
    """How to type a value as it stands, or in quotes if it cannot be read."""
    try:
        parser.parse_override(f"{key}={value}")
    except (HydraException, ValueError):
        return _type_quoted(key, value)
    return shlex.quote(f"{key}={value}")


def _type_quoted(key: str, value: str) -> str:
    """How to type a value, or each item of a list, in quotes of Hydra's grammar."""
    listed = re.fullmatch(r"\[(.*)\]", value)
    items = listed[1].split(",") if listed else []
    quoted = f"[{','.join(map(_quote, items))}]" if listed else _quote(value)
    return shlex.quote(f"{key}={quoted}")


def _quote(value: str) -> str:
    """A value in quotes of Hydra's grammar."""
    escaped = value.strip().replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _explain_option(error: MissingConfigException) -> str:
    """What exists in the place of an option that does not."""
    named = re.findall(r"'([^']+)/([^'/]*)'", shorten(error))
    if not named:
        return shorten(error)
    (group, name), *_ = reversed(named)
    within = f"in {'/'.join(named[0])}: " if len(named) > 1 else ""
    return f"{within}{_offer(group, name, error.options or ())}"


def _offer(group: str, given: str, options: Sequence[str]) -> str:
    """What a group can be, of what it was given in its place."""
    known = [name for name in options if not name.startswith("_")]
    if not known:  # Hydra names none where several options were given
        GlobalHydra.instance().clear()
        with hydra.initialize_config_dir(str(find_config_dir()), version_base="1.3"):
            every = GlobalHydra.instance().config_loader().get_group_options(group)
            known = [name for name in every if not name.startswith("_")]
    close = difflib.get_close_matches(given, known, n=1)
    meant = f"did you mean {group}={close[0]}? " if close else ""
    return f"there is no {group}={given}; {meant}{group} can be {', '.join(known)}"


def _compose(config_name: str, overrides: list[str]) -> DictConfig:
    GlobalHydra.instance().clear()
    groups = [item for item in overrides if re.fullmatch(r"\+?[\w/]+=[\w]+", item)]
    with hydra.initialize_config_dir(str(find_config_dir()), version_base="1.3"):
        try:
            return hydra.compose(config_name, overrides=groups)
        except HydraException:
            return hydra.compose(config_name)


def _find_deepest(config: DictConfig, key: str) -> tuple[str, list[str]]:
    """The longest part of a dotted key that exists, and what lies there."""
    parts, node, found = key.split("."), config, ""
    for part in parts[:-1]:
        child = OmegaConf.to_container(node, resolve=False)
        if not isinstance(child, dict) or not isinstance(child.get(part), dict):
            break
        node, found = node[part], f"{found}{part}."
    return found, sorted(str(name) for name in node if not str(name).startswith("_"))
