"""Which nodes are nearest to samples: one matrix product, and the least of every row of it.

Figures, tables, sections and equations by number are those of "Shaping latent representations using
Self-Organizing Maps with Relevance Learning", submitted to ICLR 2022.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

EPS = 1e-7
# Columns among which the least is looked for at once: vectorised, and few enough to look at again.
BLOCK = 64
# Values of a product that a processor keeps near it, on which the search then runs.
CACHED = 2**18


class Product(NamedTuple):
    """A matrix product that gives the inverse activations of samples by nodes, less 1.

    Attributes:
        factors: (2m, columns).
        bias: (columns,), infinite where there is no node.
        slot: (columns,) slot of the node of every column, or None where they are the same.
    """

    factors: Tensor
    bias: Tensor
    slot: Tensor | None


def may_wait(x: Tensor) -> bool:
    """Whether shapes may go by what a tensor holds: on a GPU the host would have to wait for it."""
    return x.device.type == "cpu" and not torch.compiler.is_compiling()


def compute_activations(z: Tensor, centers: Tensor, relevances: Tensor, live: Tensor) -> Tensor:
    """Activations (batch, N) of N nodes by samples, -1 for free slots (eqs. 1, 2).

    Args:
        z: (batch, m) samples in [0, 1].
        centers: (N, m).
        relevances: (N, m).
        live: (N,) mask.
    """
    inverse = compute_inverse_activations(z, _build_product(centers, relevances, live, None))
    return inverse.reciprocal_().masked_fill(~live, -1.0)


def make_product(centers: Tensor, relevances: Tensor, live: Tensor) -> Product:
    """The product with the nodes there are, in whole blocks where slots can be left out.

    Args:
        centers: (N, m).
        relevances: (N, m).
        live: (N,) mask.
    """
    if not may_wait(live) or len(live) <= BLOCK:
        return _build_product(centers, relevances, live, None)
    slot = live.nonzero()[:, 0]
    there = torch.arange(max(-(-len(slot) // BLOCK), 1) * BLOCK) < len(slot)
    if len(there) == len(live):
        return _build_product(centers, relevances, live, None)
    slot = torch.nn.functional.pad(slot, (0, len(there) - len(slot)))
    return _build_product(centers[slot], relevances[slot], there, slot)


def _build_product(
    centers: Tensor, relevances: Tensor, live: Tensor, slot: Tensor | None
) -> Product:
    r"""The product whose values are :math:`(D_w(z, c) + \epsilon) / \sum w` (eq. 1)."""
    # About the middle of the cube the squares are smallest, and so is what cancels.
    center = centers - 0.5
    total = relevances.sum(1, keepdim=True).clamp(min=torch.finfo(center.dtype).tiny)
    share = relevances / total
    weighted = share * center
    bias = (weighted * center).sum(1) + EPS / total[:, 0]
    factors = torch.cat([share, -2 * weighted], 1).T
    return Product(factors, bias.masked_fill(~live, math.inf), slot)


def compute_inverse_activations(z: Tensor, product: Product) -> Tensor:
    """(batch, columns), at least 1, of samples (batch, m)."""
    z = z - 0.5
    ratio = torch.addmm(product.bias, torch.cat([z * z, z], 1), product.factors)
    # In the 1 drowns nearly all that rounding makes of nodes that are the same: these are mostly
    # equally near.
    return ratio.clamp_(min=0).add_(1)


def find_nearest(z: Tensor, product: Product, k: int) -> tuple[Tensor, Tensor]:
    """The k nodes that are activated most, the first the winner, ties by the lower slot.

    Args:
        z: (batch, m) samples in [0, 1].
        product: of the nodes.
        k: at least 1.

    Returns:
        (batch, k) activations in (0, 1], 0 where there are fewer nodes; (batch, k) their slots,
        which mean nothing there.
    """
    columns = len(product.bias)
    k = min(k, columns)
    parts = z.split(max(CACHED // columns, 32)) if may_wait(z) else [z]
    found = [find_smallest(compute_inverse_activations(part, product), k) for part in parts]
    inverse, column = found[0] if len(found) == 1 else map(torch.cat, zip(*found, strict=True))
    slot = column if product.slot is None else product.slot[column]
    return inverse.reciprocal(), slot


def find_smallest(values: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k smallest of the values above 0 of every row, and their columns, both (rows, k).

    Ties go to the lower column. Changes nothing.
    """
    columns = values.shape[1]
    if columns % BLOCK == 0 and columns // BLOCK > k:
        # They lie in the k blocks whose least values are the smallest.
        blocks = values.unflatten(1, (-1, BLOCK))
        block = _find_smallest(blocks.amin(2), k)[1].sort(1).values
        few = blocks.gather(1, block[:, :, None].expand(-1, -1, BLOCK)).flatten(1)
        value, place = _find_smallest(few, k)
        return value, block.gather(1, place // BLOCK) * BLOCK + place % BLOCK
    return _find_smallest(values, k)


def _find_smallest(values: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """As :func:`find_smallest`, of few columns."""
    if k <= 2:
        value, column = values.min(1, keepdim=True)
        if k == 1:
            return value, column
        second, other = values.scatter(1, column, math.inf).min(1, keepdim=True)
        return torch.cat([value, second], 1), torch.cat([column, other], 1)
    if values.dtype != torch.float32:
        value, column = values.sort(dim=1, stable=True)
        return value[:, :k], column[:, :k]
    # topk leaves ties open and a stable sort is eight times slower. Floats above 0 sort as their
    # bits do, so value and column fit one integer key.
    columns = torch.arange(values.shape[1], device=values.device)
    key = (values.view(torch.int32).long() << 32) + columns
    column = key.topk(k, dim=1, largest=False).indices
    return values.gather(1, column), column
