"""Hydra's sweeper of plain ``-m``, which checks every run before the first one begins."""

from dataclasses import dataclass
from itertools import chain
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper, BasicSweeperConf
from hydra.core.config_store import ConfigStore
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class CheckingSweeper(BasicSweeper):
    """Runs every combination of what was typed, once the settings of all have been checked.

    The check is the attribute ``check`` of the task's function: it takes a composed configuration,
    with Hydra's own in it, and raises what the run would.
    """

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Take what Hydra hands over."""
        super().setup(hydra_context=hydra_context, task_function=task_function, config=config)
        self.check = getattr(task_function, "check", None)

    def validate_batch_is_legal(self, batch: Any) -> None:
        """With the first batch, compose every run of all, and check those with a new setting."""
        assert self.config is not None
        assert self.hydra_context is not None
        assert self.overrides is not None
        if self.batch_index > 1:
            return
        seen: set[str] = set()
        for overrides in chain.from_iterable(self.overrides):
            cfg = self.hydra_context.config_loader.load_sweep_config(self.config, list(overrides))
            if self.check is not None and not seen.issuperset(overrides):
                self.check(cfg)
            seen.update(overrides)


@dataclass
class CheckingSweeperConf(BasicSweeperConf):
    """Settings of Hydra's own sweeper, whose name this one takes."""

    _target_: str = "hydra_plugins.dcsomrl_basic.CheckingSweeper"


ConfigStore.instance().store(
    group="hydra/sweeper", name="basic", node=CheckingSweeperConf, provider="dcsomrl"
)
