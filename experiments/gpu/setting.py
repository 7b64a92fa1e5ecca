"""On what and how large the parts run, and what they share."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig
from pytorch_lightning import seed_everything

from dcsomrl.configuration import compose_config
from dcsomrl.data import ClusterData
from dcsomrl.models import DCSOMRL

# A part's cells: what each measures, by its name.
Cells = Mapping[str, Callable[[], dict[str, Any]]]
# The smallest network and map that do all that the large ones do.
SMALL = ("model.autoencoder.hidden_dims=[16]", "model.som.max_nodes=40")


@dataclass(frozen=True)
class Setting:
    """Where the results go, and whether all is done in miniature.

    Attributes:
        out: folder of the results.
        dry: in miniature on a CPU, to see that every part runs.
    """

    out: Path
    dry: bool

    @property
    def device(self) -> torch.device:
        """What is measured."""
        return torch.device("cpu" if self.dry else "cuda")

    @property
    def runs(self) -> Path:
        """Folder of the runs, which are not kept."""
        return self.out / "runs" if self.dry else Path("runs/gpu").absolute()

    @property
    def machine(self) -> list[str]:
        """What tells a command on what to train."""
        if self.dry:
            return ["trainer=cpu", "num_threads=1"]
        return ["trainer=gpu", "trainer.precision=32-true"]

    @property
    def overrides(self) -> list[str]:
        """What a training of DC-SOMRL is started with."""
        return [*self.machine, *(("dataset=digits", *SMALL) if self.dry else ("dataset=mnist",))]

    @property
    def batches(self) -> tuple[int, ...]:
        """Batch sizes to time."""
        return (64,) if self.dry else (256, 4096)

    def compose(self, *overrides: str) -> DictConfig:
        """The configuration of a training."""
        self.runs.mkdir(parents=True, exist_ok=True)
        return compose_config("train", [*self.overrides, *overrides], self.runs)

    def make(self, *overrides: str) -> tuple[DictConfig, ClusterData, DCSOMRL]:
        """Configuration, data and model of a training, the same at every call."""
        cfg = self.compose(*overrides)
        seed_everything(cfg.seed, verbose=False)
        data = instantiate(cfg.dataset)
        data.setup("fit")
        cfg.input_shape = list(data.shape)
        return cfg, data, instantiate(cfg.model)

    def time_steps(self, steps: Mapping[str, Callable[[], object]]) -> dict[str, float]:
        """Median milliseconds of one call of each, timed in turns in blocks of calls.

        A block ends when the device has done its work, so that what the host hides is not counted.
        """
        rounds, block, warm_up = (3, 2, 1) if self.dry else (15, 20, 10)
        for step in steps.values():
            for _ in range(warm_up):
                step()
        found: dict[str, list[float]] = {name: [] for name in steps}
        for _ in range(rounds):
            for name, step in steps.items():
                self.wait()
                start = time.perf_counter()
                for _ in range(block):
                    step()
                self.wait()
                found[name].append(1e3 * (time.perf_counter() - start) / block)
        return {name: statistics.median(values) for name, values in found.items()}

    def wait(self) -> None:
        """Wait until the device has done its work."""
        if self.device.type == "cuda":
            torch.cuda.synchronize()
