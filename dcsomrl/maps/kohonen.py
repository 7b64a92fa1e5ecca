"""Kohonen's map on a grid, in its batch version."""

import torch
from torch import Tensor, nn

from dcsomrl.hints import check_arguments
from dcsomrl.maps.grid import Grid, Topology, squared_distances
from dcsomrl.ranges import Count


class BatchSOM(nn.Module):
    """A grid of prototypes, each the mean of the samples weighted by their winner's nearness.

    ``gather_`` takes in samples at the prototypes as they are, ``move_`` then moves them all.

    Args:
        n_features: dimensions m of the samples, at least 1.
        rows: rows of the grid.
        columns: columns of the grid.
        topology: ``rectangular`` or ``hexagonal``.
        periodic: whether the map has no rim, as on a torus.

    Raises:
        ValueError: an argument outside its range.

    Attributes:
        centers: (K, m) prototypes.
        sums: (K, m) sums of the samples by winner since the last move.
        counts: (K,) their number.

    Source: Kohonen 1990; the batch map as in Kohonen 2013.
    """

    centers: Tensor
    sums: Tensor
    counts: Tensor

    @check_arguments
    def __init__(
        self,
        n_features: Count,
        rows: Count,
        columns: Count,
        topology: Topology = "rectangular",
        periodic: bool = False,
    ) -> None:
        super().__init__()
        self.grid = Grid(rows, columns, topology, periodic)
        shape = (len(self.grid), n_features)
        self.register_buffer("centers", torch.zeros(shape))
        self.register_buffer("sums", torch.zeros(shape))
        self.register_buffer("counts", torch.zeros(len(self.grid)))

    @torch.no_grad()
    def gather_(self, z: Tensor) -> None:
        """Take in a batch (batch, m)."""
        winner = squared_distances(z, self.centers).argmin(1)
        self.sums.index_add_(0, winner, z.to(self.sums))
        self.counts += winner.bincount(minlength=len(self.counts))

    @torch.no_grad()
    def move_(self, radius: float) -> None:
        """Prototypes to the weighted means, with weights ``exp(-d^2 / (2 radius^2))``.

        A prototype that no sample reaches stays where it is. With several processes, each of them
        moves by the samples of all.
        """
        self._reduce_()
        weight = self.grid.kernel(radius * 2**0.5)
        total = (weight @ self.counts)[:, None]
        self.centers.copy_(torch.where(total > 0, weight @ self.sums / total, self.centers))
        self.sums.zero_()
        self.counts.zero_()

    def _reduce_(self) -> None:
        """Sum what was gathered over all processes."""
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            packed = torch.cat([self.sums, self.counts[:, None]], 1)
            torch.distributed.all_reduce(packed)
            self.sums.copy_(packed[:, :-1])
            self.counts.copy_(packed[:, -1])
