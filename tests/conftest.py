import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from multiprocessing import spawn
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest
import torch
import yaml
from omegaconf import DictConfig, OmegaConf

from dcsomrl.configuration import compose_config
from dcsomrl.train import train
from tests.warm import warm_python

# Where the workers find the interpreter that starts warm.
WARM = "WARM_PYTHON"
# Small enough for a second: the digits, a narrow network, two epochs.
SMALL = (
    "trainer=cpu",
    "trainer.max_epochs=2",
    "model.autoencoder.hidden_dims=[16]",
    "model.autoencoder.latent_dim=5",
    "model.som.max_nodes=40",
    "model.som.activation_threshold=0.999",
)
# What lies beside torch, Lightning, torchvision, torchmetrics, scikit-learn, pandas and Hydra.
LACKING = (
    *("dcsomrl", "hydra_plugins", "pyarrow", "rich", "h5py", "statsmodels", "optuna"),
    *("sqlalchemy", "alembic", "matplotlib", "mpl_toolkits", "tensorboard", "hypothesis"),
    *("xdist", "pytest_xdist"),
)


def pytest_configure(config: pytest.Config) -> None:
    """Have all processes of the tests start warm, from one server for all of pytest's workers."""
    # The parser of YAML that is written in C: with Hydra's own a tenth of the suite is parsing.
    yaml.SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    # What numba compiles for pynndescent runs once: without optimisation it is there sooner.
    os.environ.setdefault("NUMBA_OPT", "0")
    if not hasattr(config, "workerinput"):
        folder = tempfile.TemporaryDirectory(prefix="warm-")
        config.add_cleanup(folder.cleanup)
        os.environ[WARM] = warm_python(Path(folder.name))
        if config.getoption("numprocesses", None):  # the workers themselves start from nothing
            return
    sys.executable = os.environ[WARM]
    spawn.set_executable(sys.executable)


@pytest.fixture
def run_small(tmp_path: Path) -> Callable[..., dict]:
    """Train in this process: ``run_small("seed=1", run_dir=...)``; returns the metrics."""

    def run(*overrides: str, run_dir: Path = tmp_path / "run", small: tuple = SMALL) -> dict:
        run_dir.mkdir(parents=True, exist_ok=True)
        return train(compose_config("train", [*small, *overrides], run_dir))

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


class Machine(NamedTuple):
    """An interpreter and the environment that it is to have."""

    python: str
    environment: dict[str, str]


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine without the packages that a training can do without.

    ``python -S`` sees nothing but the paths in its environment.
    """
    installed = Path(torch.__file__).parents[1]
    left = tmp_path_factory.mktemp("packages")
    for entry in installed.iterdir():
        name = entry.name.lower().lstrip("_")
        if not name.startswith(LACKING) and entry.suffix != ".pth":
            (left / entry.name).symlink_to(entry)
    paths = f"{left}{os.pathsep}{Path(__file__).parents[1]}"
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory(prefix="warm-") as folder:
        python = warm_python(Path(folder), ("dcsomrl.train", "torch._dynamo"), ["-S"], environment)
        yield Machine(python, environment)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of the real datasets, for tests marked ``data``."""
    folder = os.environ.get("DCSOMRL_DATA")
    if folder is None:
        pytest.skip("DCSOMRL_DATA is not set: the real datasets are not at hand")
    return Path(folder)


def read_test_split(folder: Path) -> pd.DataFrame:
    """The assignments of a run's test split."""
    table = pd.read_parquet(folder / "assignments.parquet")
    return table[table["split"] == "test"].reset_index(drop=True)


def plain(cfg: DictConfig) -> dict:
    """Resolved, as plain values."""
    container = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(container, dict)
    return container
