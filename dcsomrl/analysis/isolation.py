"""How far the nodes of a map lie from their neighbours: the heights of a U-matrix."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Isolation(NamedTuple):
    """Distances along the edges of a map.

    Attributes:
        nodes: (K,) mean distance of every node from its neighbours; NaN where it has none.
        edges: (E,) length of every edge.
    """

    nodes: NDArray[np.float64]
    edges: NDArray[np.float64]


def find_isolation(centers: NDArray[np.floating], edges: NDArray[np.integer]) -> Isolation:
    """The U-matrix of a map, of a grid or of any other graph.

    Args:
        centers: (K, m) prototypes.
        edges: (E, 2) pairs of neighbours, each once.

    Source: Ultsch & Siemon 1990, "Kohonen's self organizing feature maps for exploratory data
    analysis".
    """
    lengths = np.linalg.norm(centers[edges[:, 0]] - centers[edges[:, 1]], axis=1)
    total, count = np.zeros(len(centers)), np.zeros(len(centers))
    for end in (0, 1):
        np.add.at(total, edges[:, end], lengths)
        np.add.at(count, edges[:, end], 1)
    nodes = np.divide(total, count, out=np.full(len(centers), np.nan), where=count > 0)
    return Isolation(nodes, lengths)
