"""Soft assignment to centres, its sharpened target, and how far one is from the other."""

import torch
from torch import Tensor


def soft_assignment(distance: Tensor) -> Tensor:
    r"""Q (batch, K), proportional to :math:`(1 + d)^{-1}` of the squared distances (batch, K).

    Source: Xie et al. 2016 (DEC), Student's t with one degree of freedom.
    """
    q = 1 / (1 + distance)
    return q / q.sum(1, keepdim=True)


def sharpen(q: Tensor) -> Tensor:
    r"""Target p, proportional to :math:`q_{bk}^2 / \sum_b q_{bk}`; both (batch, K).

    Source: Xie et al. 2016 (DEC).
    """
    p = q.square() / q.sum(0)
    return p / p.sum(1, keepdim=True)


def divergence(p: Tensor, q: Tensor) -> Tensor:
    """Kullback-Leibler divergence of q (batch, K) from the target p (batch, K), batch mean, 0-d.

    Source: Xie et al. 2016 (DEC), which divides the sum by the samples in its code.
    """
    return (torch.special.xlogy(p, p) - torch.special.xlogy(p, q)).sum(1).mean()
