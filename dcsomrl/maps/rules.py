"""The formulas of the map, as functions of its state.

Numbered figures, tables, sections and equations are those of "Shaping latent representations using
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
    even = slope <= smoothness * 8 * torch.finfo(high.dtype).eps * high
    offset = distances.mean(1, keepdim=True) - distances
    return torch.sigmoid(offset / slope.masked_fill(even, 1.0)).masked_fill_(even, 1.0)


def compute_push(centers: Tensor, middle: Tensor, mode: RepelMode) -> Tensor:
    """(nodes, m) push of centres (nodes, m) away from the middle (m,) of the map (eqs. 3, 4).

    Args:
        centers: of any nodes.
        middle: mean of the live centres.
        mode: see ``SOMRL``.
    """
    u = centers - middle
    if mode == "signed":
        return u.sign() * (1 - 2 * u.abs()).clamp(min=0)
    if mode == "proportional":
        return u * (1 - 2 * u.abs()).clamp(min=0)
    norm = torch.linalg.vector_norm(u, dim=1, keepdim=True)
    u /= norm.clamp(min=torch.finfo(u.dtype).tiny)
    return u.mul_((1 - 2 * norm).clamp_(min=0))
