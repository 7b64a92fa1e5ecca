"""Settings of a training that others decide: the data, the model, or what was typed."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from hydra.utils import get_class
from omegaconf import DictConfig, OmegaConf, open_dict

from dcsomrl.errors import ConfigError
from dcsomrl.models import DCSOMRL


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
