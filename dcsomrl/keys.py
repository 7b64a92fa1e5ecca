"""Messages of classes, which know their arguments alone, in the keys of a configuration."""

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from omegaconf import DictConfig, OmegaConf

from dcsomrl.configuration import find_config_dir
from dcsomrl.errors import DataError, DcsomrlError

# The keys of what messages on data speak of.
DATA = "dataset."
# The module that logs what is guessed of data, which is not imported here: it takes seconds.
NOTES = "dcsomrl.data.notes"
# What YAML calls the constants of Python.
CONSTANTS = {"None": "null", "True": "true", "False": "false"}
# Keys of commands whose functions call them otherwise.
RENAMED = {"data_path": "dataset.path"}


@contextmanager
def keyed(cfg: DictConfig) -> Iterator[None]:
    """Give errors and notes on data that are raised inside the keys of a configuration.

    See :func:`name_keys` and :func:`name_note`.
    """
    logger = logging.getLogger(NOTES)

    def name(record: logging.LogRecord) -> bool:
        record.msg = name_note(record.msg, cfg)
        return True

    logger.addFilter(name)
    try:
        yield
    except DcsomrlError as error:
        section = DATA if isinstance(error, DataError) else ""
        error.args = (name_keys(str(error), cfg, section),)
        raise
    finally:
        logger.removeFilter(name)


def name_note(note: str, cfg: DictConfig) -> str:
    """A note on data in the keys of a command, without a remedy that only others can take.

    Args:
        note: a sentence; its remedy, if any, stands behind a semicolon.
        cfg: of the command.
    """
    said, _, remedy = note.rpartition("; ")
    known = {key.rpartition(".")[2] for key in list_keys(cfg)}
    can = known.issuperset(re.findall(r"`(\w+)", remedy))
    return name_keys(note if can or not said else said, cfg, DATA)


def name_keys(
    message: str, cfg: DictConfig | Mapping[str, Any] | None = None, section: str = ""
) -> str:
    """A message in the terms of the command line.

    What can be set stands in backticks in the messages of classes, which know their arguments and
    not the configuration: an argument such as `batch_size` or `batch_size=7`, or a class. Here it
    gets its key, or the option of a group that chooses it. A function, such as
    `dcsomrl.data.images.images`, is named with its module, and `None` becomes null.

    Args:
        message: as it was raised.
        cfg: the configuration; None leaves arguments as they are.
        section: whose keys are meant where several end so; else the shortest is.
    """
    plain = OmegaConf.to_container(cfg, resolve=False) if isinstance(cfg, DictConfig) else cfg
    keys = list(_list_keys(plain))

    def named(found: re.Match[str]) -> str:
        name, value = found[1], (found[2] or "").removeprefix("=")
        if name in CONSTANTS:
            return CONSTANTS[name]
        if "." in name or name[0].isupper():
            return find_option(name)
        same = [key for key in keys if key.rpartition(".")[2] == name]
        within = [key for key in same if key.startswith(section)]
        other = RENAMED[name] if RENAMED.get(name) in keys else name
        key = min(within or same, key=lambda key: key.count("."), default=other)
        return f"{key}={CONSTANTS.get(value, value)}" if value else key

    return re.sub(r"`(\w+(?:\.\w+)*)(=[^`]+)?`", named, message)


def list_keys(cfg: DictConfig) -> Iterator[str]:
    """Every dotted key of a configuration."""
    return _list_keys(OmegaConf.to_container(cfg))


def _list_keys(node: Any, prefix: str = "") -> Iterator[str]:
    """Every dotted key of plain settings."""
    for key, value in node.items() if isinstance(node, dict) else ():
        yield f"{prefix}{key}"
        yield from _list_keys(value, f"{prefix}{key}.")


def find_option(name: str) -> str:
    """The option, as ``autoencoder=mlp``, that makes objects of a class or calls a function.

    The name itself where there is none.

    What an option gives to another group, as ``neighbors=nearest`` does to the dataset, stands
    below the name of its own.
    """
    for file in sorted(find_config_dir().glob("*/[!_]*.yaml")):
        if file.parent.name == "trainer":  # all options make a Trainer: none is chosen for it
            continue
        own = rf"^(?:{file.parent.name}:\n  )?_target_: [\w.]+\.{name}$"
        made = rf"^ *_target_: {name}$" if "." in name else own
        if re.search(made, file.read_text(), re.MULTILINE):
            return f"{file.parent.name}={file.stem}"
    return name
