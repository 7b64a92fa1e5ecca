"""Train a model on a dataset, score it on the test split: ``python -m dcsomrl.train``."""

import logging
from collections.abc import Mapping
from functools import partial
from glob import has_magic
from pathlib import Path
from typing import Any

import torch
from hydra.conf import HydraConf
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from hydra.utils import instantiate
from omegaconf import DictConfig, ListConfig, OmegaConf
from pytorch_lightning import seed_everything

from dcsomrl.configuration import find_config_dir, list_overrides
from dcsomrl.data.constant import list_some
from dcsomrl.errors import ConfigError, DataError, shorten
from dcsomrl.inputs import find_checkpoint as find_file
from dcsomrl.keys import name_keys, name_note
from dcsomrl.kinds import check_names, settle_kinds
from dcsomrl.loading import Trained, load
from dcsomrl.locks import hold
from dcsomrl.models import ClusteringModule
from dcsomrl.settling import (
    settle_clusters,
    settle_dataset,
    settle_losses,
    settle_network,
    settle_shape,
    settle_size,
)
from dcsomrl.training.checkpoints import find_checkpoint
from dcsomrl.training.run import run
from dcsomrl.training.trainer import check_trainer

log = logging.getLogger(__name__)


def train(cfg: DictConfig) -> dict[str, Any]:
    """Compose, train and score one run; returns what :func:`dcsomrl.training.run.run` does."""
    hydra = HydraConfig.get()
    check_search(hydra)
    check_processes(hydra, cfg.trainer)
    run_dir = Path(hydra.runtime.output_dir)
    # A job outlives the search that launched it, which may then be started again.
    searched = hydra.runtime.choices.get("hydra/sweeper") == "search"
    announce_settings(hydra, cfg.trainer.max_epochs)
    with hold(run_dir, wait=searched):
        return _train(cfg, run_dir)


def settle(cfg: DictConfig) -> None:
    """Settle what can be before any data is read.

    Raises:
        ConfigError: a setting is of another kind than it must be, outside its range, unknown to
            what takes it, or at odds with another.
    """
    check_parts(cfg)
    settle_network(cfg.model)
    settle_dataset(cfg.dataset)
    settle_kinds(cfg)
    settle_losses(cfg.model, list_overrides())
    check_names(cfg)
    settings: Any = OmegaConf.to_container(cfg.trainer, resolve=True)
    check_trainer(settings, instantiate(cfg.trainer, _partial_=True))
    check_optimizer(cfg.model.get("optimizer"))


def _train(cfg: DictConfig, run_dir: Path) -> dict[str, Any]:
    """Make the parts of the run that its configuration names."""
    settle(cfg)
    if cfg.num_threads is not None:
        torch.set_num_threads(cfg.num_threads)
    seed_everything(cfg.seed, workers=True, verbose=False)
    data = instantiate(cfg.dataset)
    fresh = find_checkpoint(run_dir, cfg.ckpt_path) is None
    before = load(cfg.init, trust=cfg.trust) if cfg.init is not None and fresh else None
    if before is not None:
        data.follow(before.data)
        cfg.init = str(Path(cfg.init).absolute())  # the report, from wherever, asks for it again
    data.setup("fit")
    settle_shape(cfg, list(data.shape))
    data.notes = [name_note(one, cfg) for one in data.notes]
    lowered = (
        settle_clusters(cfg.model, len(data.rows("train")))
        if before is None
        else settle_size(cfg.model, before.config["model"])
    )
    if lowered is not None:
        log.warning(lowered)
        data.notes.append(lowered)
    model = instantiate(cfg.model)
    config: Any = OmegaConf.to_container(cfg, resolve=True)
    if before is not None:
        begin_from(model, before, cfg.init, config["model"])
    return run(
        model,
        data,
        config,
        run_dir,
        make_trainer=instantiate(cfg.trainer, _partial_=True),
        loggers=make_parts(cfg.get("logger")),
        callbacks=make_parts(cfg.get("callbacks")),
        named=partial(name_keys, cfg=config),
    )


def check_ahead(cfg: DictConfig) -> None:
    """Refuse a run of several before the first one begins: its settings, and paths to nothing.

    Raises:
        ConfigError: of a setting; see :func:`settle`.
        CheckpointError: there is no checkpoint to go on with or to begin from.
        DataError: there is no data.
    """
    check_processes(HydraConfig.get(), cfg.trainer)
    settle(cfg)
    if cfg.ckpt_path is None and cfg.init is not None:
        find_file(cfg.init)
    elif cfg.ckpt_path is not None:
        find_checkpoint(Path(), cfg.ckpt_path)
    path = cfg.dataset.get("path")
    if isinstance(path, str) and not has_magic(path) and not Path(path).exists():
        raise DataError(f"there is no file or folder {path}: check `path`")


def check_parts(cfg: DictConfig) -> None:
    """Refuse a configuration in which a part is not settings, as a file of one's own may leave it.

    Raises:
        ConfigError: names it.
    """
    for name in ("dataset", "model", "trainer"):
        if not isinstance(cfg[name], DictConfig) or not isinstance(cfg[name].get("_target_"), str):
            raise ConfigError(f"{name} must be settings with _target_, got {cfg[name]}")


def make_parts(settings: DictConfig | None) -> list[Any]:
    """What is set by name, made; nothing of what was taken away or is null."""
    made = [instantiate(one) for one in (settings or {}).values()]
    return [one for one in made if one is not None]


def check_optimizer(settings: DictConfig | None) -> None:
    """Refuse settings that no optimiser can be made with, before any data is read.

    Args:
        settings: those of the model's; None for a model that has none.

    Raises:
        ConfigError: torch refuses one of them.
    """
    if settings is None:
        return
    make = instantiate(settings)
    try:
        make([torch.nn.Parameter(torch.zeros(1))])
    except (TypeError, ValueError, RuntimeError) as error:
        raise ConfigError(
            f"model.optimizer cannot be made of its settings ({shorten(error)}): set them as "
            "its documentation says"
        ) from error


def begin_from(
    model: ClusteringModule, before: Trained, path: str, given: Mapping[str, Any]
) -> None:
    """Take over the network and the map of a checkpoint, in a model of a given configuration.

    Raises:
        ConfigError: the model is another one.
    """
    try:
        model.load_state_dict(before.model.state_dict())
    except RuntimeError as error:
        was = before.config["model_name"]
        settings = list_some(_list_differing(before.config["model"], given))
        raise ConfigError(
            f"init={path} is of model={was} with other parts or sizes: give the model the settings "
            f"of that training{', as ' if settings else ''}{settings}"
        ) from error


def _list_differing(before: Any, now: Any, key: str = "model") -> list[str]:
    """Sizes ``key=value`` of before that are others now."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        return [
            said
            for name, value in before.items()
            for said in _list_differing(value, now.get(name), f"{key}.{name}")
        ]
    is_size = isinstance(before, int | list) and not isinstance(before, bool)
    return [f"{key}={before}".replace(" ", "")] if is_size and before != now else []


def announce_settings(hydra: HydraConf, epochs: int | None) -> None:
    """Say in the log where published settings, chosen by model and dataset, change the epochs.

    Args:
        hydra: what was composed, and of which folders.
        epochs: those of the run.
    """
    name = hydra.runtime.choices.get("settings")
    folders = [Path(one.path) for one in hydra.runtime.config_sources if one.provider != "schema"]
    file = next((f for d in folders if (f := d / "settings" / f"{name}.yaml").is_file()), None)
    usual = OmegaConf.load(find_config_dir() / "trainer" / "auto.yaml").max_epochs
    published = OmegaConf.select(OmegaConf.load(file), "trainer.max_epochs") if file else None
    if published not in (None, usual) and epochs == published:
        log.info(
            "settings=%s, published for this model on this dataset, trains for %d epochs in place "
            "of %d: set trainer.max_epochs to have others, or settings=none for none of them",
            name,
            published,
            usual,
        )


def check_processes(hydra: HydraConf, trainer: DictConfig) -> None:
    """Refuse several processes a run under ``-m``: each would start the whole multirun again.

    A launcher that gives every run processes of its own, as SLURM's, is free to.

    Raises:
        ConfigError: names the remedy.
    """
    launcher = str(hydra.launcher.get("_target_", ""))
    here = launcher.endswith(("BasicLauncher", "JoblibLauncher"))
    devices = trainer.get("devices", 1)
    number = count_devices(devices, trainer.get("accelerator"))
    if hydra.mode == RunMode.MULTIRUN and here and number > 1:
        means = "" if str(number) == str(devices) else f" (trainer.devices={devices})"
        raise ConfigError(
            f"-m cannot train on {number} devices{means} at once, since every further process "
            "would start all runs again: give every run a command of its own, set "
            "trainer.devices=1, or launch through SLURM (hydra/launcher=submitit_slurm)"
        )


def count_devices(devices: Any, accelerator: Any) -> int:
    """How many devices Lightning's trainer takes, each with a process of its own.

    Args:
        devices: a number, also as text; a list of them, also as text with commas; or all that
            there are, ``auto`` and -1.
        accelerator: where these are, such as ``auto``, ``gpu`` or ``cpu``.
    """
    if isinstance(devices, ListConfig | list):
        return len(devices)
    said = str(devices).strip()
    if "," in said:
        return len([one for one in said.split(",") if one.strip()])
    if said in ("auto", "-1"):
        return max(1, torch.cuda.device_count()) if accelerator in ("auto", "gpu", "cuda") else 1
    return int(said) if said.isdecimal() else 1


def check_search(hydra: HydraConf) -> None:
    """Refuse a search that would train once only, with none of the values that it varies.

    Raises:
        ConfigError: ``search=`` without ``-m``.
    """
    search = hydra.runtime.choices.get("search")
    if search is not None and hydra.mode == RunMode.RUN:
        raise ConfigError(f"a search trains many runs: put -m before search={search}")
