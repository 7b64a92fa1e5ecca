"""How much runs of other seeds agree: a criterion for settings that needs no label."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from omegaconf import OmegaConf
from torch import Tensor

from dcsomrl.construction import OWN, Trust
from dcsomrl.loading import load
from dcsomrl.metrics import ami, count_contingency
from dcsomrl.migrations import TARGET

STABILITY = "stability"


@torch.no_grad()
def measure_stability(run_dirs: Sequence[Path], trust: Trust = ()) -> float:
    """Adjusted mutual information of the clusterings of runs, mean over pairs; at most 1.

    Two runs are compared on the training samples that both were trained on.

    Args:
        run_dirs: two run directories or more, of the same model and dataset.
        trust: see :func:`dcsomrl.loading.load`.

    Returns:
        0, as by chance, where a run has put all samples into one cluster.
    """
    clusterings = [_find_training_clusters(run, trust) for run in run_dirs]
    if any(len(by_row[by_row >= 0].unique()) < 2 for by_row, _ in clusterings):
        return 0.0
    return fmean(_measure_agreement(a, b) for a, b in combinations(clusterings, 2))


def _find_training_clusters(run_dir: Path, trust: Trust) -> tuple[Tensor, int]:
    """Cluster of every sample by its row, -1 outside the training part, and their number."""
    trained = load(run_dir / "checkpoints" / "last.ckpt", trust=trust)
    trained.data.setup("fit")
    batches = trained.data.split_dataloader("train")
    rows = trained.data.rows("train")
    rows = rows[torch.arange(len(rows))]
    by_row = torch.full((int(rows.max()) + 1,), -1)
    by_row[rows] = torch.cat([trained.model.cluster(batch.x).winner for batch in batches])
    return by_row, trained.model.n_clusters


def _measure_agreement(one: tuple[Tensor, int], other: tuple[Tensor, int]) -> float:
    n = min(len(one[0]), len(other[0]))
    a, b = one[0][:n], other[0][:n]
    both = (a >= 0) & (b >= 0)
    return float(ami(count_contingency(a[both], b[both], one[1], other[1])))


def list_packages(config: Mapping[str, Any]) -> set[str]:
    """Packages of the user's own that a run's model and data come from, by its configuration."""
    made: Any = OmegaConf.create(config)  # type: ignore[call-overload]
    plain: Any = OmegaConf.to_container(made)  # unresolved: Hydra's own part may be gone
    paths = _list_targets([plain.get("model"), plain.get("dataset")])
    return {str(path).partition(".")[0] for path in paths} - {OWN, "torch"}


def _list_targets(config: Any) -> Iterator[Any]:
    if isinstance(config, Mapping):
        if TARGET in config:
            yield config[TARGET]
        for part in config.values():
            yield from _list_targets(part)
    elif isinstance(config, list | tuple):
        for part in config:
            yield from _list_targets(part)
