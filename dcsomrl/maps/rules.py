"""The formulas of the map, as functions of its state.

Figures, tables, sections and equations by number are those of "Shaping latent representations using
Self-Organizing Maps with Relevance Learning", submitted to ICLR 2022.
"""

import torch
from torch import Tensor

from dcsomrl.maps.settings import RepelMode


def compute_relevances(distances: Tensor, smoothness: float) -> Tensor:
    """Relevances in [0, 1] from moving-average distances, both (N, m) (eq. 6).

    The dimensions in which a node's samples lie close matter to it; 1 where all lie equally far.
    """
    low, high = distances.aminmax(dim=1, keepdim=True)
    slope = smoothness * (high - low)
    # Equal but for rounding is equal: eq. 6 would blow the difference up to full relevances.
    even = (high - low <= 8 * torch.finfo(high.dtype).eps * high) | (slope <= 0)
    offset = distances.mean(1, keepdim=True) - distances
    return torch.sigmoid(offset / slope.masked_fill(even, 1.0)).masked_fill(even, 1.0)


def compute_push(centers: Tensor, live: Tensor, mode: RepelMode) -> Tensor:
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
