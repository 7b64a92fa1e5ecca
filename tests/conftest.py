import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict

from dcsomrl.app import config_dir
from dcsomrl.train import train

# Small enough for a second: the digits, a narrow network, two epochs.
SMALL = (
    "trainer=cpu",
    "trainer.max_epochs=2",
    "model.autoencoder.hidden_dims=[16]",
    "model.autoencoder.latent_dim=5",
    "model.som.max_nodes=40",
    "model.som.activation_threshold=0.999",
)


def composed(config_name: str, overrides: list[str], run_dir: Path) -> DictConfig:
    """The configuration as hydra.main would hand it to the task."""
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        cfg = compose(config_name, overrides=overrides, return_hydra_config=True)
    with open_dict(cfg):
        cfg.hydra.runtime.output_dir = str(run_dir)
        HydraConfig.instance().set_config(cfg)
        del cfg.hydra
    return cfg


@pytest.fixture
def run_small(tmp_path: Path) -> Callable[..., dict]:
    """Train in this process: ``run_small("seed=1", run_dir=...)``; returns the metrics."""

    def run(*overrides: str, run_dir: Path = tmp_path / "run", small: tuple = SMALL) -> dict:
        run_dir.mkdir(parents=True, exist_ok=True)
        return train(composed("train", [*small, *overrides], run_dir))

    return run


@pytest.fixture
def cli(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess]:
    """Run ``python -m dcsomrl.<command>`` in an empty folder, on one thread."""

    def run(command: str, *overrides: str, **environment: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", f"dcsomrl.{command}", *overrides],
            cwd=tmp_path,
            env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
            capture_output=True,
            text=True,
            timeout=280,
        )

    return run


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of the real datasets, for tests marked ``data``."""
    folder = os.environ.get("DCSOMRL_DATA")
    if folder is None:
        pytest.skip("DCSOMRL_DATA is not set: the real datasets are not at hand")
    return Path(folder)


def plain(cfg: DictConfig) -> dict:
    """Resolved, as plain values."""
    container = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(container, dict)
    return container
