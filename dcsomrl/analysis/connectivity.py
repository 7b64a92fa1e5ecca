"""How nodes hang together by the samples that lie between them, and the clusters of nodes so."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dcsomrl.analysis.merging import find_communities

log = logging.getLogger(__name__)

# Resolutions at which communities are looked for: from coarse to fine, evenly by ratio. Above 1
# nodes are parted although more lies between them than chance would put there: any map falls into
# its nodes.
RESOLUTIONS = np.geomspace(0.05, 1, 24)
# Up to this ratio of squared distances a sample is its winner's alone: three times as far from the
# second. In many dimensions all samples of tight groups have some ratio, however far the groups are
# from each other, and the sum of it would join them.
DECIDED = 1 / 9
# A number that holds over a smaller share of the resolutions than this does not stand out.
STANDS_OUT = 0.25


@dataclass(frozen=True)
class Connectivity:
    """What a training part says of the nodes of a map.

    A sample counts for its winner as far as it is decided, and as far as it is undecided for the
    pair of its winner and its second winner. That goes by the ratio of its squared distances to the
    two: up to :data:`DECIDED` it is decided, half way between the two it is not at all.

    Attributes:
        wins: (K,) samples that each slot won.
        between: (K, K) symmetric sums of what is undecided between two slots; on the diagonal
            twice the sum of what is decided.
        fence: distance from its node beyond which a sample is an outlier; infinite where it is not
            known.

    Source: after Tasdemir & Merenyi 2009, "Exploiting data topology in visualization and clustering
    of self-organizing maps", who count samples whole.
    """

    wins: NDArray[np.int64]
    between: NDArray[np.float64]
    fence: float = np.inf

    @classmethod
    def count(
        cls,
        first: NDArray[np.int64],
        second: NDArray[np.int64],
        ratio: NDArray[np.floating],
        n_nodes: int,
        distance: NDArray[np.floating] | None = None,
    ) -> "Connectivity":
        """Count samples.

        Args:
            first: (n,) slot of the winner, below 0 where there is none.
            second: (n,) slot of the second winner, likewise.
            ratio: (n,) squared distance from the winner over that from the second, in [0, 1].
            n_nodes: K.
            distance: (n,) of every sample from its winner; None where outliers are of no interest.
        """
        won = first >= 0
        both = won & (second >= 0)
        undecided = ((ratio - DECIDED) / (1 - DECIDED)).clip(min=0)
        share = np.where(both, undecided, 0.0)
        between = np.zeros((n_nodes, n_nodes))
        np.add.at(between, (first[both], second[both]), share[both])
        np.add.at(between, (first[won], first[won]), 1 - share[won])
        fence = np.inf if distance is None else find_fence(distance[won])
        return cls(np.bincount(first[won], minlength=n_nodes), between + between.T, fence)

    def state(self) -> dict[str, Tensor]:
        """As tensors, of the pairs that share something alone."""
        pairs = np.argwhere(np.triu(self.between))
        weights = self.between[pairs[:, 0], pairs[:, 1]]
        return {
            "wins": torch.from_numpy(self.wins),
            "pairs": torch.from_numpy(pairs),
            "weights": torch.from_numpy(weights),
            "fence": torch.tensor(self.fence, dtype=torch.float64),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Tensor] | None) -> "Connectivity | None":
        """Back from tensors; None from None."""
        if state is None:
            return None
        wins, pairs, weights = (state[name].numpy() for name in ("wins", "pairs", "weights"))
        between = np.zeros((len(wins), len(wins)))
        between[pairs[:, 0], pairs[:, 1]] = weights
        between[pairs[:, 1], pairs[:, 0]] = weights
        return cls(wins, between, float(state.get("fence", np.inf)))

    def combine(
        self, later: "Connectivity", same: NDArray[np.bool_], enough: int
    ) -> "Connectivity":
        """Later counts, filled up with these where they are of few samples, as of a stream.

        Args:
            later: counts of the later samples.
            same: (K,) mask of the slots that hold the node that they held before.
            enough: samples up to which earlier ones count beside the later.
        """
        wins, between = np.where(same, self.wins, 0), self.between * np.outer(same, same)
        share = min(1.0, max(enough - later.wins.sum(), 0) / max(wins.sum(), 1))
        wins = np.ceil(share * wins).astype(np.int64)
        before, after = wins.sum(), later.wins.sum()
        known = before and np.isfinite(self.fence)
        fence = (before * self.fence + after * later.fence) / (before + after) if known else None
        return Connectivity(
            wins + later.wins,
            share * between + later.between,
            later.fence if fence is None else float(fence),
        )

    @property
    def used(self) -> NDArray[np.bool_]:
        """(K,) mask of the slots that won a sample."""
        return self.wins > 0


def find_fence(distance: NDArray[np.floating]) -> float:
    """The outer fence of distances (n,): three interquartile ranges above the third quartile.

    Infinite where there is no sample.

    Source: Tukey 1977, "Exploratory Data Analysis".
    """
    if not len(distance):
        return np.inf
    first, third = np.quantile(distance, [0.25, 0.75])
    return float(third + 3 * (third - first))


def find_number(between: NDArray[np.float64], seed: int = 0) -> NDArray[np.int64]:
    """Communities in the number that holds over the widest range of resolutions.

    What a map is made of stays the same when one looks a little closer; what is cut arbitrarily
    does not. Looked at are :data:`RESOLUTIONS`; of the resolutions that give the number, the middle
    one is taken, and of ranges as wide as each other the coarsest. The number may be 1, or that of
    the nodes.

    Args:
        between: (nodes, nodes) symmetric weights, what is decided on the diagonal.
        seed: order in which nodes are visited.

    Returns:
        (nodes,) community of every node, numbered from 0. Where the widest range is narrower than
        :data:`STANDS_OUT` of all resolutions, the log says so.
    """
    found = [find_communities(between, float(one), seed) for one in RESOLUTIONS]
    numbers = np.array([group.max() + 1 for group in found])
    begins = np.flatnonzero(np.diff(numbers, prepend=0))
    widths = np.diff(begins, append=len(numbers))
    widest = int(widths.argmax())
    share = widths[widest] / len(numbers)
    if share < STANDS_OUT:
        log.warning(
            "no number of clusters stands out: %d holds over %.0f %% of the resolutions; the nodes "
            "may be one whole, or give `n_clusters`",
            numbers[begins[widest]],
            100 * share,
        )
    return found[begins[widest] + (widths[widest] - 1) // 2]


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
        n_clusters: how many, by :func:`join`, at least 1; where the map has fewer nodes that
            won a sample each is a cluster. None for the number that :func:`find_number` finds.
        seed: order in which nodes are visited when the number is found.

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
        found = join(centers[used], connectivity.wins[used].astype(float), n_clusters)
    sizes = np.bincount(found, weights=connectivity.wins[used])
    rank = np.empty(len(sizes), dtype=np.int64)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    cluster[used] = rank[found]
    for slot in np.flatnonzero(live & ~used):
        nearest = ((centers[used] - centers[slot]) ** 2).sum(1).argmin()
        cluster[slot] = cluster[used][nearest]
    return cluster
