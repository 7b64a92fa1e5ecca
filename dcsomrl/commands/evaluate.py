"""Score a trained model on any split or dataset: ``python -m dcsomrl.evaluate ckpt=...``."""

import re
import time
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from torch import Tensor

from dcsomrl.data import ClusterData
from dcsomrl.data.splits import Split
from dcsomrl.errors import ConfigError, DataError, shorten
from dcsomrl.keys import name_keys, name_note
from dcsomrl.kinds import settle_kinds
from dcsomrl.loading import Trained, load, load_data
from dcsomrl.models import ClusteringModule
from dcsomrl.scoring import count_classes, read_number, score
from dcsomrl.training import results
from dcsomrl.training.assignments import describe_clusters, name_samples
from dcsomrl.training.run import describe
from dcsomrl.training.streamed import Scored, write_streamed
from dcsomrl.training.warnings import find_warnings, warn_of_number
from dcsomrl.writing import make_folder, write_json

# What no name of a folder holds here.
NO_NAME = re.compile(r"[^\w.-]+")


def evaluate(cfg: DictConfig) -> dict[str, Any]:
    """Score one checkpoint.

    Args:
        cfg: see ``conf/evaluate.yaml``.

    Returns:
        What stands in the ``metrics.json`` that it writes.

    Raises:
        CheckpointError: the checkpoint is missing, damaged, or not of this package.
        DataError: the dataset is absent or unsound, has other columns or another shape than the
            training's, or the split does not exist or is empty.
    """
    settle_kinds(cfg)
    other = "_target_" in cfg.dataset
    trained = load(cfg.ckpt, cfg.data_dir, cfg.trust, None if other else cfg.dataset.path)
    data = load_other_data(cfg, trained) if other else trained.data
    if other:
        data.setup("test")
    else:
        try:
            load_data(trained)
        except DataError as error:
            raise DataError(f"{error}, or name others by dataset=...") from error
    device = choose_device(cfg.device)
    model = trained.model.to(device)
    if data.shape != trained.shape:
        raise DataError(
            f"{data.name} has samples of shape {data.shape}, but the model was trained on "
            f"{trained.shape}: choose a dataset of that shape"
        )
    data.split_dataloader(cfg.split)  # refuses one that is not there or empty
    # The name comes from the checkpoint: it chooses no folder.
    name = f"evaluate-{NO_NAME.sub('_', data.name)}-{cfg.split}"
    folder = Path(cfg.output) if cfg.output else find_results_folder(Path(cfg.ckpt)) / name
    make_folder(folder)
    start = time.perf_counter()
    merged = model.merged(read_number(choose_number(cfg, trained)))
    scores, wins = write_assigned(model, data, merged, folder, cfg.split)
    metrics = {
        **describe(trained.config, cfg.split),
        "dataset": data.name,
        **scores,
        "seconds": time.perf_counter() - start,
        "epochs": trained.epochs,
        "step": trained.step,
        **results.find_origin(device),
        "warnings": [
            *(name_note(one, cfg) for one in data.notes),
            *warn_of_number(read_number(choose_number(cfg, trained)), scores["clusters"]),
            *(
                name_keys(one, trained.config)
                for one in find_warnings(model, data, scores, wins, cfg.split)
            ),
        ],
    }
    write_json(folder / "metrics.json", metrics)
    title = f"{metrics['model']} on {data.name}, {cfg.split} split"
    results.print_summary(metrics, title, folder)
    return metrics


def write_assigned(
    model: ClusteringModule, data: ClusterData, merged: Tensor, folder: Path, split: Split
) -> Scored:
    """Assign a split and write what every sample and every cluster is."""
    if data.is_streamed:
        return write_streamed(model, data, merged, folder, [split])
    scores, assignments = score(
        model, data.split_dataloader(split), count_classes(data, split), merged
    )
    assigned = name_samples(data, split, assignments)
    results.write_assignments(folder, assigned)
    results.write_clusters(folder, describe_clusters(assigned.assign(split=split), data))
    return Scored(scores, pd.Series(assignments["node"]).value_counts())


def choose_number(cfg: DictConfig, trained: Trained) -> object:
    """The number of clusters that is asked for: by default that of the training."""
    return trained.config.get("n_clusters") if cfg.n_clusters is None else cfg.n_clusters


def find_results_folder(checkpoint: Path) -> Path:
    """Where results of a checkpoint go: its run's folder, or, outside of a run, its own."""
    folder = checkpoint.resolve().parent
    return folder.parent if folder.name == "checkpoints" else folder


def load_other_data(cfg: DictConfig, trained: Trained) -> ClusterData:
    """The dataset of the command line, normalised as the training's was."""
    container: Any = OmegaConf.to_container(cfg, resolve=True)
    given = container["dataset"]
    if given.get("path") is None:
        given.pop("path", None)
    data: ClusterData = instantiate(given)
    data.follow(trained.data)
    return data


def choose_device(name: str) -> torch.device:
    """The device of a name; ``auto`` is the GPU where there is one.

    Raises:
        ConfigError: there is no such device.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).cpu()  # from where results come back
    except (RuntimeError, AssertionError, TypeError) as error:
        reason = shorten(error).partition(". ")[0]
        raise ConfigError(
            f"device {name or 'of no name'} cannot be used here ({reason}): set `device=auto` or "
            "cpu"
        ) from error
    return device
