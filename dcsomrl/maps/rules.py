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
    even = slope <= smoothness * 8 * torch.finfo(high.dtype).eps * high
    offset = distances.mean(1, keepdim=True) - distances
    return torch.sigmoid(offset / slope.masked_fill(even, 1.0)).masked_fill_(even, 1.0)


def compute_push(centers: Tensor, middle: Tensor, rate: float, mode: RepelMode) -> Tensor:
    """(nodes, m) push of centres (nodes, m) away from the middle (m,) of the map (eqs. 3, 4).

    Args:
        centers: of any nodes.
        middle: mean of the live centres.
        rate: its strength.
        mode: see ``SOMRL``.
    """
    u = centers - middle
    if mode == "signed":
        return u.sign() * (rate * (1 - 2 * u.abs())).clamp_(min=0)
    if mode == "proportional":
        return u * (rate * (1 - 2 * u.abs())).clamp_(min=0)
    norm = torch.linalg.vector_norm(u, dim=1, keepdim=True)
    force = (norm * (-2 * rate)).add_(rate).clamp_(min=0)
    return u.div_(norm.clamp_(min=torch.finfo(u.dtype).tiny)).mul_(force)
