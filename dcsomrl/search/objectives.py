"""Whether the runs of a search will have the results that it goes by, before one is trained."""

import difflib
from collections.abc import Iterable
from typing import Any

import torch
from hydra.core.config_loader import ConfigLoader
from hydra.core.hydra_config import HydraConfig
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from dcsomrl.configuration import split_hydra, update_config
from dcsomrl.data import ClusterData
from dcsomrl.data.batches import EVALUATION_BATCH
from dcsomrl.data.splits import FEWEST_VALIDATED
from dcsomrl.errors import ConfigError
from dcsomrl.keys import DATA, name_keys
from dcsomrl.kinds import settle_kinds
from dcsomrl.models import ClusteringModule
from dcsomrl.scoring import list_scores
from dcsomrl.search.request import Request
from dcsomrl.search.stability import STABILITY
from dcsomrl.settling import settle_dataset, settle_network

# What a training returns beside its scores, and what the search adds.
ALWAYS = ("epochs", "seconds", STABILITY)
VALIDATED = "val/"
# The one score that models without a map have not.
OF_A_MAP = f"{VALIDATED}topographic_error"
# Settings of a dataset on which its labels and its splits do not depend.
OF_BATCHES = ("batch_size", "passes", "num_workers", "normalization", "augmentation", "neighbors")


def check_objectives(
    goals: Iterable[str], asked: Request, config: DictConfig, loader: ConfigLoader
) -> None:
    """Refuse objectives that the runs of a search would not have, and settings they would refuse.

    Every choice is looked at, since each comes up sooner or later; the data of each is loaded. What
    a task returns that is not a training, and so has no dataset, is known by its first run alone.

    Raises:
        ConfigError: names them, why there are none, and what there is.
        DataError: the data is absent or unsound.
    """
    goals, seen = list(goals), []
    for sample in asked.list_samples():
        job = update_config(loader.load_sweep_config(config, [line for line in sample if line]))
        if "dataset" not in job or "model" not in job:
            return
        _check_names(goals)
        settle_dataset(job.dataset)
        _check_kinds(job)
        dataset: Any = OmegaConf.to_container(job.dataset, resolve=True)
        needed = {name: value for name, value in dataset.items() if name not in OF_BATCHES}
        used = (needed, job.model if OF_A_MAP in goals else None)
        if used in seen or all(goal in ALWAYS for goal in goals):
            continue
        seen.append(used)
        data: ClusterData = instantiate(dataset)
        data.setup("test")
        _check_data(goals, data, job)
        if OF_A_MAP in goals:
            _check_map(job, data)


def _check_kinds(job: DictConfig) -> None:
    """Refuse settings that every run of this choice would refuse; raises ConfigError."""
    known = HydraConfig.instance().cfg
    plain = split_hydra(job, job.hydra.sweep.dir)
    try:
        settle_network(plain.model)
        settle_kinds(plain)
    finally:
        HydraConfig.instance().cfg = known


def list_results(classes: int) -> list[str]:
    """Results of a run that a search may go by, with so many classes in the validation part."""
    return sorted([*ALWAYS, *(f"{VALIDATED}{name}" for name in list_scores(classes))])


def _check_names(goals: list[str]) -> None:
    """Refuse what no run has, whatever its data; raises ConfigError."""
    known = list_results(classes=2)
    for goal in goals:
        if goal not in known:
            close = difflib.get_close_matches(goal, known, n=1, cutoff=0.8)
            close = close or [name for name in known if name == f"{VALIDATED}{goal}"]
            meant = f"did you mean {close[0]}? " if close else ""
            raise ConfigError(
                f"objective {goal} is not among the results of a run; {meant}a search may go by "
                f"{', '.join(known)}"
            )


def _check_data(goals: list[str], data: ClusterData, job: DictConfig) -> None:
    """Refuse scores for which the data lacks labels or a validation part; raises ConfigError."""
    rows, labels = data.rows("val"), data.arrays.train_y
    if not len(rows):
        absent = [goal for goal in goals if goal.startswith(VALIDATED)]
        said = (
            f"a validation part of {FEWEST_VALIDATED} samples or more, and {data.name} has none: "
            "raise `val_fraction`, give more samples, or search by other results, as by "
            "hydra.sweeper.maximize=[stability] hydra.sweeper.seeds=[0,1]"
        )
    else:
        classes = 0
        if labels is not None:
            parts = rows.split(EVALUATION_BATCH)
            classes = len(torch.cat([labels[part].unique() for part in parts]).unique())
        absent = [goal for goal in goals if goal not in list_results(classes)]
        said = (
            f"labels of two classes or more, and the validation part of {data.name} has {classes}: "
            "name their column by `target`, or search without labels, as by "
            "hydra.sweeper.maximize=[val/silhouette]"
        )
    if absent:
        raise ConfigError(f"{', '.join(absent)} needs {name_keys(said, job, DATA)}")


def _check_map(job: DictConfig, data: ClusterData) -> None:
    """Refuse the topographic error of a model without a map; raises ConfigError."""
    settle_network(job.model)
    job.input_shape = list(data.shape)
    model: ClusteringModule = instantiate(job.model)
    if model.codebook.adjacency() is None:
        raise ConfigError(
            f"{OF_A_MAP} needs a map, and {job.model._target_.rpartition('.')[2]} has none: "
            "search by others, as by hydra.sweeper.minimize=[val/quantization_error]"
        )
