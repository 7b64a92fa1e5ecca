"""Train a model on a dataset, score it on the test split: ``python -m dcsomrl.train``."""

from pathlib import Path
from typing import Any

import torch
from hydra.conf import HydraConf
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning import seed_everything

from dcsomrl.app import settle_augmentation, settle_network
from dcsomrl.errors import ConfigError
from dcsomrl.locks import hold
from dcsomrl.training.run import run


def train(cfg: DictConfig) -> dict[str, Any]:
    """Compose, train and score one run; returns what :func:`dcsomrl.training.run.run` does."""
    hydra = HydraConfig.get()
    check_search(hydra)
    run_dir = Path(hydra.runtime.output_dir)
    # A job outlives the search that launched it, which may then be started again.
    searched = hydra.runtime.choices.get("hydra/sweeper") == "search"
    with hold(run_dir, wait=searched):
        return _train(cfg, run_dir)


def _train(cfg: DictConfig, run_dir: Path) -> dict[str, Any]:
    """Make the parts of the run that its configuration names."""
    if cfg.num_threads is not None:
        torch.set_num_threads(cfg.num_threads)
    settle_network(cfg.model)
    settle_augmentation(cfg.dataset)
    seed_everything(cfg.seed, workers=True, verbose=False)
    data = instantiate(cfg.dataset)
    data.setup("fit")
    cfg.input_shape = list(data.shape)
    model = instantiate(cfg.model)
    config: Any = OmegaConf.to_container(cfg, resolve=True)
    return run(
        model,
        data,
        config,
        run_dir,
        make_trainer=instantiate(cfg.trainer, _partial_=True),
        loggers=list(instantiate(cfg.logger).values()),
        callbacks=list(instantiate(cfg.callbacks).values()),
    )


def check_search(hydra: HydraConf) -> None:
    """Refuse a search that would train once only, with none of the values that it varies.

    Raises:
        ConfigError: ``search=`` without ``-m``.
    """
    search = hydra.runtime.choices.get("search")
    if search is not None and hydra.mode == RunMode.RUN:
        raise ConfigError(f"a search trains many runs: put -m before search={search}")
