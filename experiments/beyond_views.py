"""How strong views may be before they are nearer to other images than to their own.

A choice without labels and without training: taken is the strongest of some strengths at which at
least half of the views have their own image as the nearest of the training split.
"""

from typing import Any

import torch
from hydra.utils import instantiate
from torch import Tensor

from dcsomrl.configuration import compose_config
from dcsomrl.data import Augmentation
from experiments.runs import RUNS

# Furthest shift, turn in degrees, factors of the size and shear, from the strongest on.
STRENGTHS: dict[str, dict[str, Any]] = {
    "whole": {"shift": 0.07, "rotate": 10, "scale": [0.9, 1.1], "shear": 0.1},
    "half": {"shift": 0.035, "rotate": 5, "scale": [0.95, 1.05], "shear": 0.05},
    "third": {"shift": 0.025, "rotate": 3, "scale": [0.97, 1.03], "shear": 0.03},
}
# Images whose views are looked at.
SAMPLES = 1000


def score_views(dataset: str) -> dict[str, Any]:
    """Share of the views of every strength whose own image is the nearest to them.

    Args:
        dataset: a name of ``conf/dataset``.

    Returns:
        ``own_<strength>`` in [0, 1], of one view each of :data:`SAMPLES` training images.
    """
    data = instantiate(compose_config("train", [f"dataset={dataset}"], RUNS).dataset)
    data.prepare_data()
    data.setup("fit")
    images = data.arrays.train_x.float()
    rows = torch.arange(0, len(images), max(1, len(images) // SAMPLES))[:SAMPLES]
    found: dict[str, Any] = {"dataset": dataset, "images": len(images)}
    for name, strength in STRENGTHS.items():
        (views,) = Augmentation(views=1, **strength)(images[rows], rows, 0, 0)
        found[f"own_{name}"] = measure_own(images, rows, views)
    return found


def measure_own(images: Tensor, rows: Tensor, views: Tensor) -> float:
    """Share of views whose own image is the nearest by Euclidean distance.

    Args:
        images: (n, ...).
        rows: (k,) of the images that the views are of.
        views: (k, ...).
    """
    apart = torch.cdist(views.flatten(1), images.flatten(1))
    return float((apart.argmin(1) == rows).float().mean())
