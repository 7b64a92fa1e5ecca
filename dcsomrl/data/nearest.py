"""The nearest neighbours of samples among themselves, exactly, in bounded memory."""

from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import normalize

from dcsomrl.data.progress import track

Metric = Literal["euclidean", "cosine"]
# Rows whose neighbours are found at once, and rows that they are compared with at once: 64 MiB.
ROWS, COLUMNS = 1024, 16384
# So many more than the neighbours are looked at closely, of so many numbers at once.
SPARE, LOOKED_AT = 16, 2**22
# Distances that differ by a smaller share are equal: what is between them is rounding.
EQUAL = 1e-9
# What a product in single and in double precision gets wrong, as a share of the squares in it.
ROUGH, FINE = 2.0**-20, 2.0**-40


def find_nearest(x: Tensor, k: int, metric: Metric = "euclidean", progress: bool = False) -> Tensor:
    """Rows of the k nearest neighbours of every sample, nearest first, of equals the lowest row.

    A sample is not a neighbour of itself; a duplicate of it is one. The same on every machine and
    with any number of threads: a product in single precision, whose rounding differs, only finds
    candidates, which are compared in double precision, and where it may have missed one all are.

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
    exact = x.double() - x.double().mean(0) if metric == "euclidean" else normalize(x.double())
    single = exact.float()
    half_square = single.square().sum(1) / 2
    blocks = track(torch.arange(len(x)).split(ROWS), "nearest neighbours", progress)
    found = []
    for rows in blocks:
        near = _find_candidates(single, half_square, rows, min(k + SPARE, len(x) - 1))
        found.append(_choose(exact, half_square, rows.to(x.device), near, k))
    return torch.cat(found)


def _find_candidates(x: Tensor, half_square: Tensor, rows: Tensor, k: int) -> Tensor:
    """Rows (rows, k) that seem nearest to some: those of the greatest ``x @ y - |y|^2 / 2``."""
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


def _choose(x: Tensor, half_square: Tensor, rows: Tensor, near: Tensor, k: int) -> Tensor:
    """The nearest (rows, k) among candidates, or among all where these may lack one.

    Args:
        x: (n, features) in double precision.
        half_square: (n,) half of the square of every sample.
        rows: (rows,) whose neighbours are looked for.
        near: (rows, candidates), what seemed nearest first.
        k: neighbours.
    """
    at_once = max(1, LOOKED_AT // (near.shape[1] * x.shape[1]))
    distance = torch.cat(
        [
            (x[some][:, None] - x[beside]).square().sum(2)
            for some, beside in zip(rows.split(at_once), near.split(at_once), strict=True)
        ]
    )
    found, farthest = _take_nearest(distance, near, k)
    if near.shape[1] == len(x) - 1:
        return found
    slack = ROUGH * (2 * half_square[rows] + farthest)
    unsure = (distance[:, -1] <= farthest * (1 + EQUAL) + slack).nonzero()[:, 0]
    for places in unsure.split(max(1, LOOKED_AT // len(x))) if len(unsure) else ():
        found[places] = _choose_of_all(x, rows[places], farthest[places], k)
    return found


def _choose_of_all(x: Tensor, rows: Tensor, farthest: Tensor, k: int) -> Tensor:
    """The nearest (rows, k) of all samples.

    Args:
        x: (n, features) in double precision.
        rows: (rows,) whose neighbours are looked for.
        farthest: (rows,) squared distances within which they are.
        k: neighbours.
    """
    half_square = x.square().sum(1) / 2
    own = half_square[rows, None]
    seeming = 2 * (own + torch.addmm(half_square, x[rows], x.T, alpha=-1))
    within = farthest[:, None] * (1 + 2 * EQUAL) + FINE * (own + farthest[:, None])
    inside = (seeming <= within).scatter_(1, rows[:, None], False)
    found = []
    for row, close in zip(rows, inside, strict=True):
        near = close.nonzero()[:, 0]
        distance = (x[near] - x[row]).square().sum(1)
        found.append(_take_nearest(distance[None], near[None], k)[0])
    return torch.cat(found)


def _take_nearest(distance: Tensor, near: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The nearest (rows, k) of some by distance, then by row, and how far the last one is (rows,).

    Args:
        distance: (rows, candidates).
        near: (rows, candidates) their rows.
        k: how many.
    """
    distance, order = distance.sort(dim=1)
    near = near.gather(1, order)
    farther = distance[:, 1:] > distance[:, :-1] * (1 + EQUAL)
    group = torch.nn.functional.pad(farther.cumsum(1), (1, 0))
    order = (group * (near.max() + 1) + near).argsort(dim=1)[:, :k]
    return near.gather(1, order), distance[:, k - 1]
