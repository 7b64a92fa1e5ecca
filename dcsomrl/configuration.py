"""The configuration: where it lies, what it computes, and how it is composed."""

from pathlib import Path

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict

from dcsomrl.migrations import follow_moves


def config_dir() -> Path:
    """Folder of the configuration: inside the installed package, or at the top of a checkout."""
    package = Path(__file__).resolve().parent
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


def published(model: str, dataset: str) -> str:
    """The file in ``conf/settings`` that a model has for a dataset; ``none`` where it has none.

    ``conf/train.yaml`` chooses it as ``${published:<model>,<dataset>}``. A folder given by
    ``--config-dir`` is searched, too.
    """
    found = GlobalHydra.instance().config_loader().get_group_options("settings")
    name = f"{model}_{dataset}"
    return name if name in found else "none"


def stem(path: object) -> str:
    """The last part of a path without its ending, which names the data that lies there."""
    return Path(str(path)).resolve().stem


OmegaConf.register_new_resolver("published", published, replace=True)
OmegaConf.register_new_resolver("stem", stem, replace=True)


def compose_config(config_name: str, overrides: list[str], run_dir: Path) -> DictConfig:
    """The configuration as ``hydra.main`` hands it to a task, for runs in the caller's process."""
    with hydra.initialize_config_dir(str(config_dir()), version_base="1.3"):
        cfg = hydra.compose(config_name, overrides=overrides, return_hydra_config=True)
    with open_dict(cfg):
        cfg.hydra.runtime.output_dir = str(run_dir)
        HydraConfig.instance().set_config(cfg)
        del cfg.hydra
    return present(cfg)


def present(cfg: DictConfig) -> DictConfig:
    """A configuration that names every class where it lies in this version."""
    given = OmegaConf.to_container(cfg)
    followed = follow_moves(given)
    if followed == given:
        return cfg
    moved = OmegaConf.create(followed)
    OmegaConf.set_struct(moved, True)
    return moved
