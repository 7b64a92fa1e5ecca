"""Hydra finds its plugins here; kept light, since Hydra imports it with every start."""

from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class SearchSweeper(Sweeper):
    """Searches for settings: see :mod:`dcsomrl.search.sweeping`, which does the work."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Take what Hydra hands over."""
        from hydra.core.plugins import Plugins

        self.hydra_context, self.config = hydra_context, config
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Any:
        """Run the search, or what is left of it."""
        from dcsomrl.search.sweeping import sweep

        assert self.config is not None
        assert self.hydra_context is not None
        assert self.launcher is not None
        return sweep(
            arguments,
            config=self.config,
            loader=self.hydra_context.config_loader,
            launch=self.launcher.launch,
            validate=self.validate_batch_is_legal,
            **self.settings,
        )


@dataclass
class SearchSweeperConf:
    """Settings of the sweeper; conf/search/default.yaml explains them."""

    _target_: str = "hydra_plugins.dcsomrl_sweeper.SearchSweeper"
    params: dict[str, Any] = field(default_factory=dict)
    sampler: Any = field(
        default_factory=lambda: {"_target_": "dcsomrl.search.LatinHypercube", "seed": 0}
    )
    n_trials: int = 30
    maximize: list[str] = field(default_factory=list)
    minimize: list[str] = field(default_factory=list)
    seeds: list[int] = field(default_factory=lambda: [0])
    n_jobs: int = 1
    max_failures: float = 0.3
    storage: str | None = None
    retry_failed: bool = False


ConfigStore.instance().store(
    group="hydra/sweeper", name="search", node=SearchSweeperConf, provider="dcsomrl"
)
