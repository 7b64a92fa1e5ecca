"""The nearest neighbours of samples among themselves, exactly, in bounded memory."""

from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import normalize

from dcsomrl.data.progress import track

Metric = Literal["euclidean", "cosine"]
# Rows whose neighbours are found at once, and rows that they are compared with at once: 64 MiB.
ROWS, COLUMNS = 1024, 16384


def find_nearest(x: Tensor, k: int, metric: Metric = "euclidean", progress: bool = False) -> Tensor:
    """Rows of the k nearest neighbours of every sample, nearest first.

    A sample is no neighbour of itself; a duplicate of it is one.

    Args:
        x: (n, features) samples, finite.
        k: how many, in [1, n - 1].
        metric: ``euclidean``, or ``cosine`` for directions alone; a sample of zeros has the same
            cosine, 0, with all.
        progress: whether a bar is shown; needs rich.

    Returns:
        (n, k) rows, int64, on the device of x.

    Raises:
        ValueError: k is out of its range.
    """
    if not 1 <= k < len(x):
        raise ValueError(f"each of {len(x)} samples has 1 to {len(x) - 1} neighbours, not {k}")
    # About the mean the squares are smallest, and so is what cancels in the product.
    exact = x.double() if x.dtype == torch.float64 else x.float()
    x = (exact - exact.mean(0)).float() if metric == "euclidean" else normalize(x.float(), dim=1)
    half_square = x.square().sum(1) / 2
    blocks = track(torch.arange(len(x)).split(ROWS), "nearest neighbours", progress)
    return torch.cat([_find_nearest_of_rows(x, half_square, block, k) for block in blocks])


def _find_nearest_of_rows(x: Tensor, half_square: Tensor, rows: Tensor, k: int) -> Tensor:
    """Neighbours (rows, k) of some rows: those of the greatest ``x @ y - |y|^2 / 2``."""
    some = x[rows.to(x.device)]
    best = some.new_full((len(rows), 0), 0.0)
    found = torch.zeros(len(rows), 0, dtype=torch.int64, device=x.device)
    for first in range(0, len(x), COLUMNS):
        part = slice(first, first + COLUMNS)
        near = torch.addmm(-half_square[part], some, x[part].T)
        own = (rows - first).to(x.device)
        inside = (own >= 0) & (own < near.shape[1])
        near[inside.nonzero()[:, 0], own[inside]] = -torch.inf
        value, column = near.topk(min(k, near.shape[1]), dim=1)
        best, found = torch.cat([best, value], 1), torch.cat([found, column + first], 1)
        best, order = best.topk(min(k, best.shape[1]), dim=1)
        found = found.gather(1, order)
    return found
