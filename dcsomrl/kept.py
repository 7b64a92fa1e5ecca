"""Whether the settings that a search has kept are settings only, before Hydra reads them."""

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import yaml

from dcsomrl.errors import ConfigError, shorten
from dcsomrl.migrations import TARGET

# What a search's folder is known by.
MEANING = "search.json"
# The flags as Hydra takes them, shortened ones too.
FLAG = re.compile(r"(?:--config-(?:d|di|dir|p|pa|pat|path)|-cd|-cp)(?:=(.*))?")
PATHS = re.compile(r"\+*hydra\.searchpath=(.*)")
TRUST = re.compile(r"\+*trust=(.*)")
# What Hydra makes of a run beside its settings: a search keeps none of it.
HYDRA = re.compile(r"/?(override +)?/?hydra(/|$|\.|@)")
# Where a file puts its content stands in a comment, which YAML does not see.
PACKAGE = re.compile(r"@package\s+(\S+)")
# An interpolation that calls a resolver, or whose name is made of another one.
RESOLVER = re.compile(r"\$\{[^}]*(:|\$\{)")
# A search leaves the configuration of its runs there; no experiment refers to it.
OTHERS = ("multirun.yaml", "config.yaml")


def check_kept(arguments: Sequence[str], groups: Path) -> None:
    """Refuse a command line that reads the folder of a search with more than settings in it.

    A folder of one's own is not looked into: it is a search's if it holds ``search.json``.

    Args:
        arguments: of the command.
        groups: folder of the package's configuration, whose groups a search may refer to.

    Raises:
        ConfigError: a file there names a class that is not trusted, refers to Hydra's own
            configuration or to another file's, or asks for an environment variable.
    """
    trust = [name for one in arguments if (m := TRUST.fullmatch(one)) for name in _split_list(m[1])]
    for folder in list_folders(arguments):
        if (folder / MEANING).is_file():
            for file in sorted(folder.rglob("*")):
                if file.is_symlink() and (file.is_dir() or file.suffix == ".yaml"):
                    raise ConfigError(f"{file} is a link, which no search makes: remove it")
                read = (groups / file.relative_to(folder).parts[0]).is_dir()
                if file.suffix == ".yaml" and (read or file.name not in OTHERS):
                    _check_file(file, trust, groups)


def list_folders(arguments: Sequence[str]) -> Iterator[Path]:
    """Folders of configuration that a command line names."""
    for one, following in zip_longest(arguments, arguments[1:], fillvalue=""):
        if flag := FLAG.fullmatch(one):
            yield Path(following if flag[1] is None else flag[1])
        elif paths := PATHS.fullmatch(one):
            yield from (Path(path.removeprefix("file://")) for path in _split_list(paths[1]))


def _split_list(text: str) -> list[str]:
    """The items of a list as it is written on the command line."""
    return [one.strip().strip("'\"") for one in text.strip().strip("'\"").strip("[]").split(",")]


def _check_file(file: Path, trust: Sequence[str], groups: Path) -> None:
    try:
        text = file.read_text(encoding="utf-8")
        for package in PACKAGE.findall(text):
            if package != "_global_":
                raise ValueError(f"it goes into {package}")
        content = yaml.safe_load(text)
        _check_defaults(content.get("defaults", []), groups)
        _check(content, trust)
    except (OSError, AttributeError, TypeError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(
            f"{file} holds more than the settings of a search: {shorten(error)}; nothing of it "
            "was used"
        ) from error


def _check_defaults(entries: list[Any], groups: Path) -> None:
    """Refuse files other than options of the package's own groups."""
    for entry in entries:
        if isinstance(entry, str):
            group, option = "experiment", entry
        else:
            ((key, option),) = entry.items()
            key = key.removeprefix("override ").removeprefix("optional ").strip().strip("/")
            group, _, package = key.partition("@")
            if package.split(".")[0] in ("hydra", "_global_"):
                raise ValueError(f"it puts {group} into {package}")
        option = str(option)
        known = group.split("/")[0] != "hydra" and (groups / group).is_dir()
        if option != "_self_" and not (known and re.fullmatch(r"\w+", option)):
            raise ValueError(f"it refers to {group}/{option}")


def _check(node: Any, trust: Sequence[str]) -> None:
    if isinstance(node, dict):
        for key, value in node.items():
            if HYDRA.match(str(key)):
                raise ValueError(f"it sets {key}")
            if key == TARGET:
                # Late: most command lines name no search, and need no torch.
                from dcsomrl.construction import find

                find(value, trust)
            _check(value, trust)
    elif isinstance(node, list):
        for one in node:
            _check(one, trust)
    elif isinstance(node, str) and RESOLVER.search(node):
        raise ValueError(f"it asks for {node}")
