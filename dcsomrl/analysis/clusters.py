"""Clusters of the nodes of a map, by how they hang together: their number is found or told."""

import logging

import numpy as np
from numpy.typing import NDArray

from dcsomrl.analysis.connectivity import Connectivity
from dcsomrl.analysis.merging import find_communities

log = logging.getLogger(__name__)

# Resolutions at which communities are looked for: from coarse to fine, evenly by ratio. Above 1
# nodes are parted although more lies between them than chance would put there: any map falls into
# its nodes.
RESOLUTIONS = np.geomspace(0.05, 1, 24)
# A number that holds over a smaller share of the resolutions than this does not stand out.
STANDS_OUT = 0.25


def find_number(between: NDArray[np.float64], seed: int = 0) -> NDArray[np.int64]:
    """Communities in the number that holds over the widest range of resolutions.

    What a map is made of stays the same when one looks a little closer; what is cut arbitrarily
    does not. The number may be 1, or that of the nodes.

    Args:
        between: (nodes, nodes) symmetric weights, what is decided on the diagonal.
        seed: order in which nodes are visited.

    Returns:
        (nodes,) community of every node, numbered from 0. Where the widest range is narrower than
        :data:`STANDS_OUT` of all resolutions, the log says so.
    """
    found = _look_closer(between, seed)
    place, share = _find_widest(found)
    if share < STANDS_OUT:
        log.warning(
            "no number of clusters stands out: %d holds over %.0f %% of the resolutions; the nodes "
            "may be one whole, or give `n_clusters`",
            found[place].max() + 1,
            100 * share,
        )
    return found[place]


def list_numbers(between: NDArray[np.float64], seed: int = 0) -> dict[int, float]:
    """Every number of communities that is found, and over what share of the resolutions it holds.

    Args:
        between: (nodes, nodes) symmetric weights, what is decided on the diagonal.
        seed: order in which nodes are visited.

    Returns:
        By number its widest range of resolutions, as a share of all, in (0, 1].
    """
    numbers, _, widths = _find_ranges(_look_closer(between, seed))
    shares: dict[int, float] = {}
    for number, width in zip(numbers.tolist(), widths.tolist(), strict=True):
        shares[number] = max(shares.get(number, 0.0), width / len(RESOLUTIONS))
    return shares


def divide(
    between: NDArray[np.float64],
    centers: NDArray[np.floating],
    weights: NDArray[np.floating],
    n_clusters: int,
    seed: int = 0,
) -> NDArray[np.int64]:
    """Clusters in a given number, made of communities.

    Those of :func:`find_number`, if they are so many; if there are more of them the ones that lie
    closest are joined by :func:`join`. If they are fewer, communities at the coarsest resolution
    that gives enough are joined, and nodes themselves where none does.

    Args:
        between: (nodes, nodes) symmetric weights, what is decided on the diagonal.
        centers: (nodes, m).
        weights: (nodes,) samples of each, above 0.
        n_clusters: in [1, nodes].
        seed: order in which nodes are visited.

    Returns:
        (nodes,) cluster of every node, from 0.
    """
    found = _look_closer(between, seed)
    group = found[_find_widest(found)[0]]
    if group.max() + 1 < n_clusters:
        finer = [one for one in found if one.max() + 1 >= n_clusters]
        group = finer[0] if finer else np.arange(len(between))
    size = np.bincount(group, weights=weights).astype(np.float64)
    sums = np.stack([np.bincount(group, weights=weights * column) for column in centers.T], 1)
    return join(sums / size[:, None], size, n_clusters)[group]


def _look_closer(between: NDArray[np.float64], seed: int) -> list[NDArray[np.int64]]:
    """Communities at all of :data:`RESOLUTIONS`."""
    return [find_communities(between, float(one), seed) for one in RESOLUTIONS]


def _find_widest(found: list[NDArray[np.int64]]) -> tuple[int, float]:
    """The middle of the widest range of resolutions with one number, and its share of all.

    Of ranges as wide as each other the coarsest is taken.
    """
    _, begins, widths = _find_ranges(found)
    widest = int(widths.argmax())
    return int(begins[widest] + (widths[widest] - 1) // 2), float(widths[widest] / len(found))


def _find_ranges(
    found: list[NDArray[np.int64]],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Number, first place and width of every range of resolutions with one number."""
    numbers = np.array([group.max() + 1 for group in found])
    begins = np.flatnonzero(np.diff(numbers, prepend=0))
    return numbers[begins], begins, np.diff(begins, append=len(numbers))


def join(
    centers: NDArray[np.floating], weights: NDArray[np.floating], n_clusters: int
) -> NDArray[np.int64]:
    """Join nodes, the two that cost least at a time: Ward's method with the samples as weights.

    What joining two groups costs is the sum of squares that their samples are further from the
    common mean than from those of the groups, with every sample on the centre of its node. Fewer
    clusters are made of the same ones.

    Args:
        centers: (nodes, m).
        weights: (nodes,) samples of each, above 0.
        n_clusters: how many are left, in [1, nodes].

    Returns:
        (nodes,) cluster of every node, from 0.

    Source: Ward 1963, "Hierarchical grouping to optimize an objective function".
    """
    mean, size = centers.astype(np.float64), weights.astype(np.float64)
    group = np.arange(len(mean))
    left = len(mean)
    while left > n_clusters:
        apart = ((mean[:, None] - mean) ** 2).sum(2)
        cost = apart * size[:, None] * size / (size[:, None] + size)
        np.fill_diagonal(cost, np.inf)
        one, other = sorted(divmod(int(cost.argmin()), left))
        mean[one] = np.average(mean[[one, other]], 0, size[[one, other]])
        size[one] += size[other]
        mean, size = np.delete(mean, other, 0), np.delete(size, other)
        group[group == other] = one
        group[group > other] -= 1
        left -= 1
    return group


def find_clusters(
    connectivity: Connectivity,
    centers: NDArray[np.floating],
    live: NDArray[np.bool_],
    n_clusters: int | None = None,
    seed: int = 0,
) -> NDArray[np.int64]:
    """Merge the nodes of a map into clusters.

    Args:
        connectivity: of the training part.
        centers: (K, m) of the slots: a live node that won no sample goes with the nearest one
            that did.
        live: (K,) mask of the slots in use.
        n_clusters: how many, by :func:`divide`, at least 1; where the map has fewer nodes that
            won a sample each is a cluster. None for the number that :func:`find_number` finds.
        seed: order in which nodes are visited.

    Returns:
        (K,) cluster of every slot, numbered from 0 by the samples it has, the largest first; -1
        for slots that are not in use.

    Raises:
        ValueError: n_clusters below 1.
    """
    if n_clusters is not None and n_clusters < 1:
        raise ValueError(f"n_clusters must be at least 1, got {n_clusters}")
    used = connectivity.used & live
    cluster = np.full(len(live), -1, dtype=np.int64)
    if not used.any():
        cluster[live] = 0
        return cluster
    between = connectivity.between[np.ix_(used, used)]
    if n_clusters is None:
        found = find_number(between, seed)
    elif n_clusters >= len(between):
        found = np.arange(len(between))
    else:
        weights = connectivity.wins[used].astype(float)
        found = divide(between, centers[used].astype(float), weights, n_clusters, seed)
    sizes = np.bincount(found, weights=connectivity.wins[used])
    rank = np.empty(len(sizes), dtype=np.int64)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    cluster[used] = rank[found]
    for slot in np.flatnonzero(live & ~used):
        nearest = ((centers[used] - centers[slot]) ** 2).sum(1).argmin()
        cluster[slot] = cluster[used][nearest]
    return cluster
