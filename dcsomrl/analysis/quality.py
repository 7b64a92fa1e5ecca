"""How faithfully a map keeps the neighbourhoods of the data, by distances along its graph."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

Array = NDArray[np.floating]


class MapQuality(NamedTuple):
    """Measures of a map on a set of samples.

    Attributes:
        trustworthiness: in [0, 1]; 1 where neighbours on the map are neighbours in the data.
        preservation: in [0, 1]; 1 where neighbours in the data are neighbours on the map.
        distortion: mean over the samples of the squared distance to every node, each weighted by
            ``exp(-d^2)`` of its distance d on the map from the winner.
        unreachable: share of the pairs of samples whose nodes no path on the map connects.
    """

    trustworthiness: float
    preservation: float
    distortion: float
    unreachable: float


def judge_map(
    z: Array, winner: NDArray[np.integer], centers: Array, paths: Array, k: int = 10
) -> MapQuality:
    """Judge a map on samples.

    Args:
        z: (n, m) samples or their codes; the cost grows with the square of n.
        winner: (n,) node of every sample.
        centers: (nodes, m) prototypes.
        paths: (nodes, nodes) distance on the map, infinite where there is no path.
        k: neighbours that count, below n / 2.

    Raises:
        ValueError: too few samples for k.

    Source: Venna & Kaski 2001 for trustworthiness and preservation; nodes that no path connects
    are all equally far, and farther than any other. Ties, of which a map is full, count by their
    mean over all orders, as there.
    """
    in_data, on_map = cdist(z, z), paths[winner[:, None], winner]
    pull = np.exp(-np.square(paths))[winner]
    distortion = (pull * cdist(z, centers, "sqeuclidean")).sum(1).mean()
    off_diagonal = ~np.eye(len(z), dtype=bool)
    return MapQuality(
        trustworthiness(in_data, on_map, k),
        trustworthiness(on_map, in_data, k),
        float(distortion),
        float(np.isinf(on_map[off_diagonal]).mean()),
    )


def trustworthiness(original: Array, shown: Array, k: int) -> float:
    r"""Whether the k neighbours that are shown are neighbours.

    ``1 - 2 / (n k (2n - 3k - 1)) * sum_i sum_{j in U_k(i)} (r(i, j) - k)``, where U_k(i) are the k
    nearest of sample i by the distances shown, and r the rank by the original ones, from 1.

    Args:
        original: (n, n) distances.
        shown: (n, n) distances; with the two exchanged this is the preservation.
        k: neighbours, below n / 2.

    Raises:
        ValueError: k out of range.
    """
    n = len(original)
    # Beyond it another worst case holds, and another factor would bring it to 0.
    if not 1 <= k < n / 2:
        raise ValueError(f"k must be at least 1 and below half of the {n} samples, got {k}")
    penalty = sum(
        float(
            _compute_probability(np.delete(shown[i], i), k)
            @ _compute_excess(np.delete(original[i], i), k)
        )
        for i in range(n)
    )
    return 1 - 2 * penalty / (n * k * (2 * n - 3 * k - 1))


def _count_ties(distances: Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of every value: how many are smaller, and how many equal, itself included."""
    _, group, count = np.unique(distances, return_inverse=True, return_counts=True)
    before = np.concatenate([[0], count.cumsum()[:-1]])
    return before[group], count[group]


def _compute_probability(distances: Array, k: int) -> Array:
    """Probability of being among the k nearest, equal distances in any order."""
    before, equal = _count_ties(distances)
    return ((k - before) / equal).clip(0, 1)


def _compute_excess(distances: Array, k: int) -> Array:
    """Mean of ``max(rank - k, 0)`` over the orders of equal distances."""
    before, equal = _count_ties(distances)
    last = before + equal
    # Ranks before + 1 to last are equally likely; those up to k cost nothing.
    first = np.maximum(before, k)
    count = (last - first).clip(min=0)
    return count * ((first + 1 + last) / 2 - k) / equal
