"""What the entry points share: where the configuration lies, and errors in one sentence."""

import difflib
import inspect
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, InstantiationException, MissingConfigException
from hydra.utils import get_class
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from dcsomrl.errors import ConfigError, DcsomrlError, first_line
from dcsomrl.kept import check_kept
from dcsomrl.migrations import follow_moves

Task = Callable[[DictConfig], Any]


def config_dir() -> Path:
    """Folder of the configuration: inside the installed package, or at the top of a checkout."""
    package = Path(__file__).resolve().parent
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


def published(model: str, dataset: str) -> str:
    """The file in ``conf/settings`` that a model has for a dataset; ``none`` where it has none.

    ``conf/train.yaml`` chooses it as ``${published:<model>,<dataset>}``. A folder given by
    ``--config-dir`` is searched, too.
    """
    found = GlobalHydra.instance().config_loader().get_group_options("settings")
    name = f"{model}_{dataset}"
    return name if name in found else "none"


def stem(path: object) -> str:
    """The last part of a path without its ending, which names the data that lies there."""
    return Path(str(path)).resolve().stem


OmegaConf.register_new_resolver("published", published, replace=True)
OmegaConf.register_new_resolver("stem", stem, replace=True)


def entry_point(config_name: str) -> Callable[[Task], Callable[[], None]]:
    """Turn a task into a command: Hydra composes, and a user's mistake ends in one sentence.

    Args:
        config_name: the file in ``conf``, without its ending.

    Returns:
        A decorator; what it makes takes its arguments from the command line, and exits with
        status 2 after a mistake of the user's.
    """

    def wrap(task: Task) -> Callable[[], None]:
        @wraps(task)
        def updated(cfg: DictConfig) -> Any:
            return task(present(cfg))

        def command() -> None:
            # Hydra would print a mangled traceback of its own; it lets the error through so.
            os.environ.setdefault("HYDRA_FULL_ERROR", "1")
            run = hydra.main(
                version_base="1.3", config_path=str(config_dir()), config_name=config_name
            )(updated)
            try:
                check_kept(sys.argv[1:], config_dir())
                run()
            except Exception as error:
                sentence = explain(error, config_name, sys.argv[1:])
                if sentence is None:
                    raise
                print(f"error: {sentence}", file=sys.stderr)
                sys.exit(2)

        return command

    return wrap


def compose_config(config_name: str, overrides: list[str], run_dir: Path) -> DictConfig:
    """The configuration as ``hydra.main`` hands it to a task, for runs in the caller's process."""
    with hydra.initialize_config_dir(str(config_dir()), version_base="1.3"):
        cfg = hydra.compose(config_name, overrides=overrides, return_hydra_config=True)
    with open_dict(cfg):
        cfg.hydra.runtime.output_dir = str(run_dir)
        HydraConfig.instance().set_config(cfg)
        del cfg.hydra
    return present(cfg)


def present(cfg: DictConfig) -> DictConfig:
    """A configuration that names every class where it lies in this version."""
    given = OmegaConf.to_container(cfg)
    followed = follow_moves(given)
    if followed == given:
        return cfg
    moved = OmegaConf.create(followed)
    OmegaConf.set_struct(moved, True)
    return moved


def settle_dataset(dataset: DictConfig) -> None:
    """Take views and neighbours from a datamodule of one's own that has no use for them.

    Raises:
        ConfigError: they were chosen.
    """
    taken = inspect.signature(get_class(dataset._target_)).parameters
    for key, made in (("augmentation", "views"), ("neighbors", "neighbours")):
        if key in taken:
            continue
        if dataset.get(key) is not None:
            raise ConfigError(f"{dataset._target_} makes no {made}: choose {key}=none")
        with open_dict(dataset):
            dataset.pop(key, None)


def settle_network(model: DictConfig) -> None:
    """Refuse a model that was given no network to train; take it from one that has no use for it.

    Raises:
        ConfigError: ``autoencoder=none`` with a model that cannot do without.
    """
    autoencoder = inspect.signature(get_class(model._target_)).parameters.get("autoencoder")
    if autoencoder is None:
        with open_dict(model):
            model.pop("autoencoder", None)
        return
    network = model.autoencoder
    if autoencoder.default is inspect.Parameter.empty and "_target_" not in (network or {}):
        raise ConfigError(
            f"{model._target_.rpartition('.')[2]} trains a network: choose autoencoder=mlp, conv, "
            "resnet or pooled_conv in place of none"
        )


@contextmanager
def keyed(cfg: DictConfig) -> Iterator[None]:
    """Give errors that are raised inside the keys of a configuration; see :func:`name_keys`."""
    try:
        yield
    except DcsomrlError as error:
        error.args = (name_keys(str(error), cfg),)
        raise


def name_keys(message: str, cfg: DictConfig | None = None) -> str:
    """A message in the terms of the command line.

    What can be set stands in backticks in the messages of classes, which know their arguments and
    not the configuration: an argument such as `batch_size` or `batch_size=7`, or a class. Here it
    gets its key, or the option of a group that chooses it.

    Args:
        message: as it was raised.
        cfg: the configuration; None leaves arguments as they are.
    """
    keys = [] if cfg is None else list(_keys(OmegaConf.to_container(cfg, resolve=False)))

    def named(found: re.Match[str]) -> str:
        name, value = found[1], found[2] or ""
        if name[0].isupper():
            return _option_of(name)
        same = [key for key in keys if key.rpartition(".")[2] == name]
        return min(same, key=lambda key: key.count("."), default=name) + value

    return re.sub(r"`(\w+)(=[^`]*)?`", named, message)


def _keys(node: Any, prefix: str = "") -> Iterator[str]:
    """Every dotted key of a configuration."""
    for key, value in node.items() if isinstance(node, dict) else ():
        yield f"{prefix}{key}"
        yield from _keys(value, f"{prefix}{key}.")


def _option_of(name: str) -> str:
    """The option, as ``autoencoder=mlp``, that makes objects of a class; its name without one."""
    for file in sorted(config_dir().glob("*/*.yaml")):
        if re.search(rf"^_target_: [\w.]+\.{name}$", file.read_text(), re.MULTILINE):
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
        return text
    key = unknown.group(1).split("@")[0]
    config = _composed(config_name, [item for item in overrides if f"{key}=" not in item])
    parent, known = _deepest(config, key)
    close = difflib.get_close_matches(key.removeprefix(parent), known, n=1)
    meant = f"did you mean {parent}{close[0]}? " if close else ""
    where = f"in {parent.rstrip('.')}" if parent else "at the top"
    return f"there is no {key} in the configuration; {meant}{where} exist: {', '.join(known)}"


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
