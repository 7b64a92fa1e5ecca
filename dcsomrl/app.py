"""What the entry points share: they compose, run a task, and end a mistake in one sentence."""

import inspect
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

import hydra
from hydra.conf import HydraConf
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from hydra.utils import get_class
from omegaconf import DictConfig, OmegaConf, open_dict

from dcsomrl.configuration import find_config_dir, update_config, update_overrides
from dcsomrl.errors import ConfigError
from dcsomrl.inputs import check_inputs
from dcsomrl.kept import check_kept
from dcsomrl.mistakes import PLACED, explain
from dcsomrl.typed import check_numbers

Task = Callable[[DictConfig], Any]
# Of ANSI terminals.
RED = 31


def entry_point(config_name: str) -> Callable[[Task], Callable[[], None]]:
    """Turn a task into a command: Hydra composes, and a user's mistake ends in one sentence.

    Args:
        config_name: the file in ``conf``, without its ending.

    Returns:
        A decorator; what it makes takes its arguments from the command line, and exits with
        status 2 after a mistake of the user's.
    """

    def wrap(task: Task) -> Callable[[], None]:
        def check_and_run(cfg: DictConfig) -> Any:
            for group in set(PLACED) & {str(key) for key in cfg}:
                raise ConfigError(f"+{group}=... has no place at the top: type {PLACED[group]}=...")
            updated_cfg = update_config(cfg)
            check_inputs(config_name, updated_cfg)
            check_numbers(config_name, updated_cfg, HydraConfig.get().overrides.task)
            return task(updated_cfg)

        def command() -> None:
            # Hydra would print a mangled traceback of its own; it lets the error through so.
            os.environ.setdefault("HYDRA_FULL_ERROR", "1")
            runs: list[list[str]] = []
            failed: dict[int, Exception] = {}

            @wraps(task)
            def run_job(cfg: DictConfig) -> Any:
                runs.append(list(HydraConfig.get().overrides.task))
                try:
                    return check_and_run(cfg)
                except Exception as error:
                    if not _ends_here(HydraConfig.get()):
                        raise
                    # Hydra would write the overrides over its sentence; under -m others go on.
                    failed[len(runs) - 1] = error
                    return None

            run = hydra.main(
                version_base="1.3", config_path=str(find_config_dir()), config_name=config_name
            )(run_job)
            try:
                sys.argv[1:] = update_overrides(config_name, _gather(sys.argv[1:]))
                check_kept(sys.argv[1:], find_config_dir())
                run()
                for error in failed.values():
                    raise error
            except BrokenPipeError:
                if not {"--help", "-h", "--cfg", "-c", "--info", "-i"} & set(sys.argv[1:]):
                    raise
                # Who reads, as `head`, has seen enough; nor is there one for what is left to write.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            except Exception as error:
                sentence = explain(error, config_name, sys.argv[1:])
                if sentence is None:
                    raise
                told = f"{_tell_apart(runs, list(failed))}{sentence}"
                print(f"{_color('error:', RED)} {told}", file=sys.stderr)
                sys.exit(2)

        return command

    return wrap


def _color(label: str, code: int) -> str:
    """A label in colour where a terminal reads the errors and ``NO_COLOR`` is not set."""
    shown = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    return f"\033[1;{code}m{label}\033[0m" if shown else label


def _gather(arguments: list[str]) -> list[str]:
    """Arguments with ``-m`` before them: argparse wants overrides in one piece."""
    several = [one for one in arguments if one in ("-m", "--multirun")]
    return several + [one for one in arguments if one not in several]


def _ends_here(hydra: HydraConf) -> bool:
    """Whether nobody but the command itself deals with what a run could not do.

    A search counts the runs that failed, and a launcher with processes of its own hands over what
    they raised.
    """
    if hydra.mode is not RunMode.MULTIRUN:
        return True
    return all(
        str(part.get("_target_")).endswith(("BasicSweeper", "BasicLauncher"))
        for part in (hydra.sweeper, hydra.launcher)
    )


def _tell_apart(runs: Sequence[Sequence[str]], failed: Sequence[int]) -> str:
    """How many of several runs failed, and what the first of them has alone; empty for one run.

    Args:
        runs: overrides of each.
        failed: numbers of those that did.
    """
    if not failed or len(runs) < 2:
        return ""
    shared = set.intersection(*map(set, runs))
    own = " ".join(one for one in runs[failed[0]] if one not in shared)
    return f"{len(failed)} of {len(runs)} runs failed; the first, {own}: "


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
    if "passes" not in taken:
        with open_dict(dataset):
            dataset.pop("passes", None)


def settle_clusters(model: DictConfig, samples: int) -> str | None:
    """Lower the clusters or nodes of a model to the samples that it is trained on.

    Args:
        model: its configuration.
        samples: of the training part.

    Returns:
        What was changed; None for nothing.

    Raises:
        ConfigError: there is but one sample.
    """
    if samples < 2:
        raise ConfigError("there is one training sample, and nothing to tell apart: give more")
    changed = []
    for place, key in ((model, "n_clusters"), (model.get("som") or {}, "max_nodes")):
        if isinstance(place.get(key), int) and place[key] > samples:
            changed.append(f"{key} from {place[key]} to {samples}")
            place[key] = samples
    rows, columns = model.get("rows"), model.get("columns")
    if isinstance(rows, int) and isinstance(columns, int) and rows * columns > samples:
        model.rows = max(1, min(rows, int(samples**0.5)))
        model.columns = min(columns, samples // model.rows)
        changed.append(f"the grid from {rows} x {columns} to {model.rows} x {model.columns}")
    if not changed:
        return None
    return f"there are {samples} training samples, fewer than nodes: {', '.join(changed)}"


def settle_size(model: DictConfig, before: Mapping[str, Any]) -> str | None:
    """Lower the clusters or nodes of a model to those of the training that it begins from.

    A training on few samples has lowered them by itself; see :func:`settle_clusters`.

    Args:
        model: its configuration.
        before: that of the model of the training.

    Returns:
        What was changed; None for nothing.
    """
    trained, changed = OmegaConf.create(dict(before)), []
    for key in ("n_clusters", "som.max_nodes", "rows", "columns"):
        now, was = OmegaConf.select(model, key), OmegaConf.select(trained, key)
        if isinstance(now, int) and isinstance(was, int) and was < now:
            changed.append(f"model.{key} from {now} to {was}")
            OmegaConf.update(model, key, was)
    return f"the map that is begun from is smaller: {', '.join(changed)}" if changed else None


def settle_losses(model: DictConfig, overrides: Sequence[str]) -> None:
    """Have ``alpha`` say what the weight of the clustering term is, where that has one of its own.

    Args:
        model: its configuration.
        overrides: of the command line.

    Raises:
        ConfigError: the model takes no terms, or ``model.alpha`` was typed and would not count.
    """
    if "losses" not in model:
        return
    made = get_class(model._target_)
    taken = inspect.signature(made).parameters
    if "losses" not in taken and not any(one.kind is one.VAR_KEYWORD for one in taken.values()):
        raise ConfigError(
            f"{model._target_.rpartition('.')[2]} takes no terms of a loss: leave model.losses "
            "out, or choose model=dcsomrl or neighbor_somrl"
        )
    weight = OmegaConf.select(model, "losses.clustering.weight")
    from dcsomrl.models import DCSOMRL  # late: help needs no torch

    if not issubclass(made, DCSOMRL) or "alpha" not in model or model.alpha == weight:
        return
    if any(one.lstrip("+").startswith("model.alpha=") for one in overrides):
        clash = "is not there" if weight is None else f"has model.losses.clustering.weight={weight}"
        raise ConfigError(
            f"model.alpha={model.alpha} is the weight of the clustering term, which {clash}: "
            "leave one of them out"
        )
    model.alpha = weight


def settle_shape(cfg: DictConfig, shape: list[int]) -> None:
    """Fill in the shape of a sample.

    Args:
        cfg: of a training; its ``input_shape`` is set, to which others refer.
        shape: of the data.

    Raises:
        ConfigError: another shape was set for the model.
    """
    cfg.input_shape = shape
    for key in ("model.input_shape", "model.autoencoder.input_shape"):
        given = OmegaConf.select(cfg, key)
        if given is not None and list(given) != shape:
            raise ConfigError(
                f"{key}={list(given)} is not the shape of the samples, {shape}: leave it out, and "
                "it is filled in from the data"
            )


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
