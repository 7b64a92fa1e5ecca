"""Train a model on a dataset, score it on the test split: ``python -m dcsomrl.train``."""

import logging
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
from dcsomrl.checkpoints import epochs_done, read_checkpoint
from dcsomrl.errors import ConfigError
from dcsomrl.runs.alone import alone
from dcsomrl.runs.checkpoints import check_same_run, find_checkpoint
from dcsomrl.runs.training import build_trainer, finish, fit, leave_group, warn_of_slow_half

log = logging.getLogger(__name__)


def train(cfg: DictConfig) -> dict[str, Any]:
    """Compose, train and score one run; returns what :func:`finish` does."""
    hydra = HydraConfig.get()
    check_search(hydra)
    run_dir = Path(hydra.runtime.output_dir)
    # A job outlives the search that launched it, which may then be started again.
    searched = hydra.runtime.choices.get("hydra/sweeper") == "search"
    with alone(run_dir, wait=searched):
        return _train(cfg, run_dir)


def _train(cfg: DictConfig, run_dir: Path) -> dict[str, Any]:
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
    resume = find_checkpoint(run_dir, cfg.ckpt_path)
    if resume is None:
        log.info("starting afresh")
    else:
        checkpoint = read_checkpoint(resume)
        check_same_run(checkpoint, config, resume)
        data.check_same(checkpoint.get(type(data).__qualname__))
        log.info(
            "resuming from %s after epoch %d, step %d",
            resume,
            epochs_done(checkpoint),
            checkpoint["global_step"],
        )
    trainer = build_trainer(
        instantiate(cfg.trainer, _partial_=True),
        config,
        run_dir,
        loggers=list(instantiate(cfg.logger).values()),
        callbacks=list(instantiate(cfg.callbacks).values()),
        validated=data.val_fraction > 0,
        goes_on=resume is not None and resume.resolve().is_relative_to(run_dir.resolve()),
    )
    warn_of_slow_half(trainer)
    fit(trainer, model, data, resume)
    leave_group()
    return finish(trainer, model, data, config, run_dir) if trainer.is_global_zero else {}


def check_search(hydra: HydraConf) -> None:
    """Refuse a search that would train once only, with none of the values that it varies.

    Raises:
        ConfigError: ``search=`` without ``-m``.
    """
    search = hydra.runtime.choices.get("search")
    if search is not None and hydra.mode == RunMode.RUN:
        raise ConfigError(f"a search trains many runs: put -m before search={search}")
