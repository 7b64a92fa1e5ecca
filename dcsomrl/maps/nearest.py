"""Which nodes are nearest to samples: one matrix product, and the least of every row of it.

Numbered figures, tables, sections and equations are those of "Shaping latent representations using
Self-Organizing Maps with Relevance Learning", submitted to ICLR 2022.
"""

import math
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

EPS = 1e-7
# Columns among which the least is looked for at once: vectorised, and few enough to look at again.
BLOCK = 64
# Values of a product that a processor keeps near it, on which the search then runs.
CACHED = 2**19
# So many of the smallest a processor finds faster one by one than by sorting.
FEW = 16


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


def use_full_precision(x: Tensor) -> AbstractContextManager[object]:
    """Turns autocast off, where it is on: to enter it anew costs as much as several small sums."""
    on = torch.is_autocast_enabled(x.device.type)
    return torch.autocast(x.device.type, enabled=False) if on else nullcontext()


def compute_activations(z: Tensor, centers: Tensor, relevances: Tensor, live: Tensor) -> Tensor:
    """Activations (batch, N) of N nodes by samples, -1 for free slots (eqs. 1, 2).

    Args:
        z: (batch, m) samples in [0, 1].
        centers: (N, m).
        relevances: (N, m).
        live: (N,) mask.
    """
    inverse = compute_inverse_activations(z, _build_product(centers, relevances, live, None))
    return inverse.clamp_(min=1).reciprocal_().masked_fill(~live, -1.0)


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
    centers, relevances = centers.index_select(0, slot), relevances.index_select(0, slot)
    return _build_product(centers, relevances, there, slot)


def _build_product(
    centers: Tensor, relevances: Tensor, live: Tensor, slot: Tensor | None
) -> Product:
    r"""The product whose values are :math:`(D_w(z, c) + \epsilon) / \sum w` (eq. 1)."""
    # About the middle of the cube the squares are smallest, and so is what cancels.
    center = centers - 0.5
    total = relevances.sum(1, keepdim=True).clamp_(min=torch.finfo(center.dtype).tiny)
    share = relevances / total
    weighted = share * center
    bias = (weighted * center).sum(1) + EPS / total[:, 0]
    factors = torch.cat([share, weighted.mul_(-2)], 1).T
    return Product(factors, bias.masked_fill_(~live, math.inf), slot)


def compute_inverse_activations(z: Tensor, product: Product, out: Tensor | None = None) -> Tensor:
    """(batch, columns), at least 1 but for rounding, of samples (batch, m); in ``out`` if given."""
    z = z - 0.5
    ratio = torch.addmm(product.bias, torch.cat([z * z, z], 1), product.factors, out=out)
    # In the 1 drowns nearly all that rounding makes of nodes that are the same: these are mostly
    # equally near.
    return ratio.add_(1)


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
    k, rows = min(k, columns), max(CACHED // columns, 32)
    if may_wait(z) and len(z) > rows:
        # One place for all: what is freed here and there would not fit the next.
        values, found = z.new_empty(rows, columns), []
        for part in z.split(rows):
            own = compute_inverse_activations(part, product, out=values[: len(part)])
            found.append(find_smallest_(own, k))
        inverse, column = map(torch.cat, zip(*found, strict=True))
    else:
        inverse, column = find_smallest_(compute_inverse_activations(z, product), k)
    slot = column if product.slot is None else product.slot[column]
    return inverse.clamp_(min=1).reciprocal_(), slot


def find_smallest_(values: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k smallest of the values above 0 of every row, and their columns, both (rows, k).

    Ties go to the lower column. The values may be changed.
    """
    columns = values.shape[1]
    if may_wait(values) and k <= FEW:
        return _find_one_by_one_(values, k)
    if columns % BLOCK == 0 and columns // BLOCK > k:
        # They lie in the k blocks whose least values are the smallest.
        blocks = values.unflatten(1, (-1, BLOCK))
        block = _find_smallest(blocks.amin(2), k)[1].sort(1).values
        few = blocks.gather(1, block[:, :, None].expand(-1, -1, BLOCK)).flatten(1)
        value, place = _find_smallest(few, k)
        return value, block.gather(1, place // BLOCK) * BLOCK + place % BLOCK
    return _find_smallest(values, k)


def _find_one_by_one_(values: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """As :func:`find_smallest_` on a processor: NumPy's argmin is ten times faster than torch's."""
    rows, columns = values.shape
    table = values.numpy()
    flat, start = table.reshape(-1), np.arange(0, rows * columns, columns)
    place, value = np.empty((k, rows), np.int64), np.empty((k, rows), table.dtype)
    for i in range(k):
        if i > 0:
            flat.put(place[i - 1], math.inf)
        np.add(table.argmin(1), start, out=place[i])
        flat.take(place[i], out=value[i], mode="clip")  # the other modes copy what they take
    return torch.from_numpy(value).T, torch.from_numpy(place - start).T


def _find_smallest(values: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """As :func:`find_smallest_`, of few columns."""
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
