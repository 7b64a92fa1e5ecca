"""A grid of nodes: who is how far from whom on a map of fixed shape."""

from typing import Literal

import torch
from torch import Tensor, nn

from dcsomrl.hints import check_arguments
from dcsomrl.ranges import Count

Topology = Literal["rectangular", "hexagonal"]


class Grid(nn.Module):
    """Places of ``rows * columns`` nodes, numbered row by row.

    Args:
        rows: at least 1.
        columns: at least 1.
        topology: ``rectangular``, where a step leads to one of four neighbours and the distance is
            Manhattan's, or ``hexagonal``, with six neighbours and every other row half a place to
            the right.
        periodic: whether the map has no rim, as on a torus: the last row touches the first, and the
            last column; a hexagonal one then has an even number of rows.

    Raises:
        ValueError: an argument outside its range.

    Attributes:
        distances: (K, K) least number of steps from node to node, float32.
    """

    distances: Tensor

    @check_arguments
    def __init__(
        self,
        rows: Count,
        columns: Count,
        topology: Topology = "rectangular",
        periodic: bool = False,
    ) -> None:
        super().__init__()
        if rows * columns < 2:
            raise ValueError(f"a map needs at least two nodes, got {rows} rows, {columns} columns")
        if periodic and topology == "hexagonal" and rows % 2:
            raise ValueError(
                f"a hexagonal map without a rim needs an even number of rows, got {rows}"
            )
        self.rows, self.columns, self.topology = rows, columns, topology
        row = torch.arange(rows).repeat_interleave(columns)
        column = torch.arange(columns).repeat(rows)
        if topology == "hexagonal":
            # On axes along the hexagons a row goes half a place to the left.
            column = column - row.div(2, rounding_mode="floor")
        down = row[:, None] - row
        right = column[:, None] - column
        # Once around the map and back, either way.
        around = (-1, 0, 1) if periodic else (0,)
        steps = torch.stack(
            [
                self._count_steps(
                    down + r * rows, right + c * columns - self._count_slant(r * rows)
                )
                for r in around
                for c in around
            ]
        )
        self.register_buffer("distances", steps.amin(0).float(), persistent=False)

    def _count_steps(self, down: Tensor, right: Tensor) -> Tensor:
        """Steps that so many rows and columns take, (K, K)."""
        if self.topology == "rectangular":
            return down.abs() + right.abs()
        return torch.maximum((down + right).abs(), torch.maximum(down.abs(), right.abs()))

    def _count_slant(self, rows: int) -> int:
        """Columns that so many rows, an even number, go to the left on axes along the hexagons."""
        return rows // 2 if self.topology == "hexagonal" else 0

    def places(self) -> Tensor:
        """(K, 2) places on a plane, to the right and down, where neighbours are 1 apart."""
        row = torch.arange(self.rows).repeat_interleave(self.columns).float()
        column = torch.arange(self.columns).repeat(self.rows).float()
        if self.topology == "hexagonal":
            return torch.stack([column + 0.5 * (row % 2), row * 3**0.5 / 2], 1)
        return torch.stack([column, row], 1)

    def __len__(self) -> int:
        """Number of nodes K."""
        return self.rows * self.columns

    def adjacency(self) -> Tensor:
        """(K, K) mask of the nodes that are one step apart."""
        return self.distances == 1

    def kernel(self, radius: Tensor | float) -> Tensor:
        """Gaussian neighbourhood ``exp(-d^2 / radius^2)``, (K, K)."""
        return torch.exp(-(self.distances.square()) / radius**2)


def squared_distances(z: Tensor, centers: Tensor) -> Tensor:
    """Squared Euclidean distances (batch, K) of samples (batch, m) from centres (K, m), in float32.

    Differentiable in both.
    """
    with torch.autocast(z.device.type, enabled=False):
        z, centers = z.to(centers.dtype), centers
        # Far from the origin the squares would cancel; a shift changes no distance.
        middle = centers.detach().mean(0)
        z, centers = z - middle, centers - middle
        squares = z.square().sum(1, keepdim=True) + centers.square().sum(1)
        return torch.addmm(squares, z, centers.T, alpha=-2).clamp(min=0)
