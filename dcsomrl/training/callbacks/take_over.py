"""The moment in which a training takes its folder over."""

import logging
from pathlib import Path
from typing import Any

import yaml
from pytorch_lightning import Callback, LightningModule, Trainer

from dcsomrl.training.results import set_aside
from dcsomrl.writing import write_text

log = logging.getLogger(__name__)


class TakeOver(Callback):
    """Moves what an earlier run left out of the way when the first batch is there, not before.

    What fails earlier, as a wrong setting does, leaves the folder as it was. A run that goes on
    keeps its checkpoints and its tables, but results of before, which would no longer be those of
    the checkpoint, are moved.

    Args:
        run_dir: the run's folder.
        config: the resolved configuration, written there as ``config.yaml``.
        goes_on: whether a checkpoint of this folder is continued.
    """

    def __init__(self, run_dir: Path, config: dict[str, Any], goes_on: bool) -> None:
        self._run_dir, self._config, self._goes_on = run_dir, config, goes_on
        self._begun = False

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Before the first step."""
        if self._begun or not trainer.is_global_zero:
            return
        self._begun = True
        if aside := set_aside(self._run_dir, results_only=self._goes_on):
            log.info("what was there of an earlier run is kept in %s", aside)
        text = yaml.safe_dump(self._config, sort_keys=False, allow_unicode=True)
        write_text(self._run_dir / "config.yaml", text)
