"""A grid of nodes: who is how far from whom on a map of fixed shape."""

from typing import Literal, get_args

import torch
from torch import Tensor, nn

Topology = Literal["rectangular", "hexagonal"]


class Grid(nn.Module):
    """Places of ``rows * columns`` nodes, numbered row by row.

    Args:
        rows: at least 1.
        columns: at least 1.
        topology: ``rectangular``, where a step leads to one of four neighbours and the distance is
            Manhattan's, or ``hexagonal``, with six neighbours and every other row half a place to
            the right.

    Raises:
        ValueError: an argument outside its range.

    Attributes:
        distances: (K, K) least number of steps from node to node, float32.
    """

    distances: Tensor

    def __init__(self, rows: int, columns: int, topology: Topology = "rectangular") -> None:
        super().__init__()
        if rows < 1 or columns < 1 or rows * columns < 2:
            raise ValueError(f"a map needs at least two nodes, got {rows} rows, {columns} columns")
        if topology not in get_args(Topology):
            raise ValueError(f"topology must be one of {get_args(Topology)}, got {topology!r}")
        self.rows, self.columns = rows, columns
        row = torch.arange(rows).repeat_interleave(columns)
        column = torch.arange(columns).repeat(rows)
        if topology == "hexagonal":
            # On axes along the hexagons a row goes half a place to the left.
            column = column - row.div(2, rounding_mode="floor")
        down = row[:, None] - row
        right = column[:, None] - column
        steps = down.abs() + right.abs()
        if topology == "hexagonal":
            steps = torch.maximum((down + right).abs(), torch.maximum(down.abs(), right.abs()))
        self.register_buffer("distances", steps.float(), persistent=False)

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
