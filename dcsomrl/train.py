"""Train a model on a dataset, score it on the test split: ``python -m dcsomrl.train``."""

import logging
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from hydra.conf import HydraConf
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning import seed_everything
from pytorch_lightning.utilities import rank_zero_only

from dcsomrl.app import entry_point, settle_network
from dcsomrl.checkpoints import epochs_done, read_checkpoint
from dcsomrl.errors import ConfigError
from dcsomrl.runs.alone import alone
from dcsomrl.runs.checkpoints import check_same_run, find_checkpoint
from dcsomrl.runs.results import set_aside
from dcsomrl.runs.training import build_trainer, finish, leave_group, warn_of_slow_half

log = logging.getLogger(__name__)


def train(cfg: DictConfig) -> dict[str, Any]:
    """Compose, train and score one run; returns what :func:`finish` does."""
    hydra = HydraConfig.get()
    check_search(hydra)
    run_dir = Path(hydra.runtime.output_dir)
    # A job outlives the search that launched it, which may then be started again.
    searched = hydra.runtime.choices.get("hydra/sweeper") == "search"
    with alone(run_dir) if searched else nullcontext():
        return _train(cfg, run_dir)


def _train(cfg: DictConfig, run_dir: Path) -> dict[str, Any]:
    if cfg.num_threads is not None:
        torch.set_num_threads(cfg.num_threads)
    settle_network(cfg.model)
    seed_everything(cfg.seed, workers=True, verbose=False)
    data = instantiate(cfg.dataset)
    data.setup("fit")
    cfg.input_shape = list(data.shape)
    model = instantiate(cfg.model)

    config: Any = OmegaConf.to_container(cfg, resolve=True)
    resume = find_checkpoint(run_dir, cfg.ckpt_path)
    if resume is not None:
        checkpoint = read_checkpoint(resume)
        check_same_run(checkpoint, config, resume)
        log.info(
            "resuming from %s after epoch %d, step %d",
            resume,
            epochs_done(checkpoint),
            checkpoint["global_step"],
        )
    else:
        aside = rank_zero_only(set_aside)(run_dir)
        log.info("starting afresh%s", f"; the earlier run is kept in {aside}" if aside else "")
    OmegaConf.save(OmegaConf.create(config), run_dir / "config.yaml")

    trainer = build_trainer(
        instantiate(cfg.trainer, _partial_=True),
        config,
        run_dir,
        loggers=list(instantiate(cfg.logger).values()),
        callbacks=list(instantiate(cfg.callbacks).values()),
        validated=data.val_fraction > 0,
    )
    warn_of_slow_half(trainer)
    # The moments of weights that rest fade into denormal numbers, which a CPU handles slowly.
    torch.set_flush_denormal(True)
    try:
        trainer.fit(model, datamodule=data, ckpt_path=resume)
    finally:
        torch.set_flush_denormal(False)  # not the caller's business
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


main = entry_point("train")(train)

if __name__ == "__main__":
    main()
