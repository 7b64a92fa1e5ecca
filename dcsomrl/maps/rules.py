"""The formulas of the map, as functions of its state.

Figures, tables, sections and equations by number are those of "Shaping latent representations using
Self-Organizing Maps with Relevance Learning", submitted to ICLR 2022.
"""

import torch
from torch import Tensor

from dcsomrl.maps.settings import RepelMode

EPS = 1e-7


def activations(z: Tensor, centers: Tensor, relevances: Tensor, live: Tensor) -> Tensor:
    """Activations (batch, N) of N nodes by samples, -1 for free slots (eqs. 1, 2).

    Args:
        z: (batch, m) samples in [0, 1].
        centers: (N, m).
        relevances: (N, m).
        live: (N,) mask.
    """
    # About the middle of the cube the squares are smallest, and so is what cancels.
    z, center = z - 0.5, centers - 0.5
    total = relevances.sum(1)
    weighted = relevances * center
    # One matrix product: nothing of shape (batch, N, m) is ever there.
    activation = torch.addmm(
        (weighted * center).sum(1),
        torch.cat([z * z, z], 1),
        torch.cat([relevances, -2 * weighted], 1).T,
    )
    activation.clamp_(min=0).add_(total + EPS).reciprocal_().mul_(total)
    return activation.masked_fill_(~live, -1.0)


def relevances_of(distances: Tensor, smoothness: float) -> Tensor:
    """Relevances in [0, 1] from moving-average distances, both (N, m) (eq. 6).

    The dimensions in which a node's samples lie close matter to it; 1 where all lie equally far.
    """
    low, high = distances.aminmax(dim=1, keepdim=True)
    slope = smoothness * (high - low)
    # Equal but for rounding is equal: eq. 6 would blow the difference up to full relevances.
    even = (high - low <= 8 * torch.finfo(high.dtype).eps * high) | (slope <= 0)
    offset = distances.mean(1, keepdim=True) - distances
    return torch.sigmoid(offset / slope.masked_fill(even, 1.0)).masked_fill(even, 1.0)


def push(centers: Tensor, live: Tensor, mode: RepelMode) -> Tensor:
    """(N, m) push away from the mean of the live centres (eqs. 3, 4); see ``SOMRL``."""
    if mode == "none":
        return torch.zeros_like(centers)
    weight = live.to(centers)[:, None]
    u = centers - (centers * weight).sum(0) / weight.sum().clamp(min=1)
    if mode == "signed":
        return u.sign() * (1 - 2 * u.abs()).clamp(min=0)
    if mode == "proportional":
        return u * (1 - 2 * u.abs()).clamp(min=0)
    norm = u.norm(dim=1, keepdim=True)
    return u / norm.clamp(min=torch.finfo(u.dtype).tiny) * (1 - 2 * norm).clamp(min=0)


def strongest(activation: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k largest values of every row and their columns, ties by the lower column."""
    if activation.dtype != torch.float32:
        value, column = torch.sort(activation, dim=1, descending=True, stable=True)
        return value[:, :k], column[:, :k]
    # topk leaves ties open and a stable sort is eight times slower. Positive floats sort as their
    # bits do, so value and column fit one integer key.
    columns = torch.arange(activation.shape[1], device=activation.device)
    key = (activation.view(torch.int32).long() << 32) - columns
    column = key.topk(k, dim=1).indices
    return activation.gather(1, column), column
