"""The graph of a map: its parts, its paths, and whether neighbours agree (Fig. 5).

Numbered figures, tables, sections and equations are those of "Shaping latent representations using
Self-Organizing Maps with Relevance Learning", submitted to ICLR 2022.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

Edges = NDArray[np.integer]


class Agreement(NamedTuple):
    """How often the two ends of an edge have the same class.

    Attributes:
        share: of the edges whose ends both have a class.
        chance: mean share when the classes are dealt to the nodes at random.
        p: share of such deals that agree as much or more, one-sided; the deal that was found
            counts as one of them.
        edges: how many edges were counted.
    """

    share: float
    chance: float
    p: float
    edges: int


def make_matrix(
    edges: Edges, n_nodes: int, weights: NDArray[np.floating] | None = None
) -> csr_array:
    """(n_nodes, n_nodes) symmetric sparse matrix of edges (E, 2), each of weight 1 by default."""
    weight = np.ones(len(edges)) if weights is None else np.asarray(weights, dtype=np.float64)
    i, j = edges.reshape(-1, 2).T
    both = (np.concatenate([weight, weight]), (np.concatenate([i, j]), np.concatenate([j, i])))
    return csr_array(coo_array(both, shape=(n_nodes, n_nodes)))


def count_degrees(edges: Edges, n_nodes: int) -> NDArray[np.int64]:
    """(n_nodes,) neighbours of every node."""
    return np.bincount(edges.ravel(), minlength=n_nodes)


def find_components(edges: Edges, n_nodes: int) -> NDArray[np.int64]:
    """(n_nodes,) part of the graph that each node is in, numbered from 0, the largest first."""
    _, part = connected_components(make_matrix(edges, n_nodes), directed=False)
    size = np.bincount(part)
    rank = np.empty(len(size), dtype=np.int64)
    rank[np.argsort(-size, kind="stable")] = np.arange(len(size))
    return rank[part]


def measure_paths(
    edges: Edges, n_nodes: int, weights: NDArray[np.floating] | None = None
) -> NDArray[np.float64]:
    """(n_nodes, n_nodes) length of the shortest path, infinite between parts of the graph.

    Args:
        edges: (E, 2) pairs of nodes.
        n_nodes: number of nodes.
        weights: (E,) length of every edge, > 0; 1 if none is given.
    """
    return np.asarray(dijkstra(make_matrix(edges, n_nodes, weights), directed=False))


def find_shortest_path(
    edges: Edges, n_nodes: int, weights: NDArray[np.floating], start: int, end: int
) -> list[int]:
    """Nodes of the shortest path from start to end, both included; empty where there is none."""
    _, before = dijkstra(
        make_matrix(edges, n_nodes, weights),
        directed=False,
        indices=[start],
        return_predecessors=True,
    )
    path = [end]
    while path[-1] != start:
        if before[0, path[-1]] < 0:
            return []
        path.append(int(before[0, path[-1]]))
    return path[::-1]


def compare_classes(
    edges: Edges, node_class: NDArray[np.integer], deals: int = 2000, seed: int = 0
) -> Agreement | None:
    """Whether neighbours share their class more often than chance would have it.

    Args:
        edges: (E, 2) pairs of nodes.
        node_class: (n_nodes,) class, below 0 where there is none.
        deals: random deals of the classes to the nodes that have one.
        seed: draws them.

    Returns:
        None where no edge has a class at both ends.
    """
    known = node_class >= 0
    counted = edges[known[edges].all(1)] if len(edges) else edges.reshape(0, 2)
    if len(counted) == 0:
        return None
    rng = np.random.default_rng(seed)

    def share(classes: NDArray[np.integer]) -> float:
        return float((classes[counted[:, 0]] == classes[counted[:, 1]]).mean())

    found = share(node_class)
    dealt = np.empty(deals)
    for i in range(deals):
        classes = node_class.copy()
        classes[known] = rng.permutation(node_class[known])
        dealt[i] = share(classes)
    p = (1 + (dealt >= found - 1e-12).sum()) / (1 + deals)
    return Agreement(found, float(dealt.mean()), float(p), len(counted))
