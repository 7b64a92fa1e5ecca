"""What a model clusters with: nodes in the space of its codes, and which of them wins a code."""

import math
from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor

from dcsomrl.maps.grid import Grid, squared_distances


class Assignment(NamedTuple):
    """Where the codes of a batch fall.

    Attributes:
        winner: (batch,) slot of the best-matching unit, int64; -1 where there is no node.
        second: (batch,) slot of the second best, int64; -1 where there is no second node.
        activation: (batch,) activation of the winner in (0, 1]; 0 where there is no node.
        distance: (batch,) squared distance to the winner's centre, weighted by its relevances where
            it has some; differentiable in the codes, infinite where there is no node.
    """

    winner: Tensor
    second: Tensor
    activation: Tensor
    distance: Tensor


class Codebook(ABC):
    """K slots for nodes in the space of the codes, whichever way they learn.

    Attributes:
        centers: (K, m) centres of all slots.
        live: (K,) mask of the slots in use.
        relevances: (K, m) in [0, 1], how much a node minds every dimension; None where all count
            alike.
        bounds: least and greatest value of a code; None where codes are unbounded.
        grid: places of the slots; None where they have none.
    """

    centers: Tensor
    live: Tensor
    relevances: Tensor | None
    bounds: tuple[float, float] | None = None
    grid: Grid | None = None

    @abstractmethod
    def assign(self, z: Tensor) -> Assignment:
        """The best two nodes of codes (batch, m), with the winner's activation and distance."""

    def distance(self, z: Tensor, slot: Tensor) -> Tensor:
        """(batch,) squared distance of codes (batch, m) from the nodes of slots (batch,).

        Weighted by the node's relevances where it has some; differentiable in the codes, infinite
        where the slot is below 0.
        """
        apart = (z - self.centers[slot]).square()
        if self.relevances is not None:
            apart = self.relevances[slot] * apart
        return torch.where(slot >= 0, apart.sum(1), math.inf)

    @abstractmethod
    def adjacency(self) -> Tensor | None:
        """(K, K) mask of neighbouring slots; None where nodes have no neighbours."""

    @torch.no_grad()
    def prototypes(self) -> Tensor:
        """Centres (n_live, m) of the live nodes, in the order of their slots."""
        return self.centers[self.live]

    def live_slots(self) -> Tensor:
        """(n_live,) slots of the live nodes, int64, in order."""
        return self.live.nonzero()[:, 0]

    def progress(self) -> dict[str, Tensor]:
        """Numbers, 0-d each, that are worth logging once an epoch."""
        return {}


class Centers(Codebook):
    """Plain centres, of which the nearest wins; a view of them, without a state of its own.

    The activation of a code at squared distance d from its centre is ``1 / (1 + d)``.

    Args:
        centers: (K, m), K at least 2; the distance is differentiable in them as well.
        grid: places of the centres; None where they have no neighbours.
    """

    relevances = None

    def __init__(self, centers: Tensor, grid: Grid | None = None) -> None:
        self.centers = centers
        self.grid = grid
        self.live = centers.new_ones(len(centers), dtype=torch.bool)

    def assign(self, z: Tensor) -> Assignment:
        """The nearest and the second nearest centre; the distance is the squared one."""
        distances, slots = squared_distances(z, self.centers).topk(2, dim=1, largest=False)
        distance = distances[:, 0]
        return Assignment(slots[:, 0], slots[:, 1], 1 / (1 + distance.detach()), distance)

    def adjacency(self) -> Tensor | None:
        """Neighbours on the grid."""
        return None if self.grid is None else self.grid.adjacency()
