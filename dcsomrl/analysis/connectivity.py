"""How nodes hang together by the samples that lie between them, and the clusters of nodes so."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from torch import Tensor

from dcsomrl.analysis.merging import find_communities

log = logging.getLogger(__name__)

# Resolutions at which communities are looked for: from coarse to fine, evenly by ratio. Above 1
# nodes are parted although more lies between them than chance would put there: any map falls into
# its nodes.
RESOLUTIONS = np.geomspace(0.05, 1, 24)
# A number that holds over a smaller share of the resolutions than this does not stand out.
STANDS_OUT = 0.25
# Share of what chance would put between two nodes that lies between any two: it joins parts of a
# map that share nothing.
BACKGROUND = 1e-4


@dataclass(frozen=True)
class Connectivity:
    """What a training part says of the nodes of a map.

    A sample counts for its winner as far as it is decided, and as far as it is undecided for the
    pair of its winner and its second winner: how far is the ratio of its squared distances to the
    two, 0 on the winner's centre and 1 half way between.

    Attributes:
        wins: (K,) samples that each slot won.
        between: (K, K) symmetric sums of what is undecided between two slots; on the diagonal
            twice the sum of what is decided.

    Source: after Tasdemir & Merenyi 2009, "Exploiting data topology in visualization and clustering
    of self-organizing maps", who count samples whole.
    """

    wins: NDArray[np.int64]
    between: NDArray[np.float64]

    @classmethod
    def count(
        cls,
        first: NDArray[np.int64],
        second: NDArray[np.int64],
        undecided: NDArray[np.floating],
        n_nodes: int,
    ) -> "Connectivity":
        """Count samples.

        Args:
            first: (n,) slot of the winner, below 0 where there is none.
            second: (n,) slot of the second winner, likewise.
            undecided: (n,) in [0, 1].
            n_nodes: K.
        """
        won = first >= 0
        both = won & (second >= 0)
        share = np.where(both, undecided, 0.0)
        between = np.zeros((n_nodes, n_nodes))
        np.add.at(between, (first[both], second[both]), share[both])
        np.add.at(between, (first[won], first[won]), 1 - share[won])
        return cls(np.bincount(first[won], minlength=n_nodes), between + between.T)

    def state(self) -> dict[str, Tensor]:
        """As tensors, of the pairs that share something alone."""
        pairs = np.argwhere(np.triu(self.between))
        weights = self.between[pairs[:, 0], pairs[:, 1]]
        return {
            "wins": torch.from_numpy(self.wins),
            "pairs": torch.from_numpy(pairs),
            "weights": torch.from_numpy(weights),
        }

    @classmethod
    def of_state(cls, state: Mapping[str, Tensor] | None) -> "Connectivity | None":
        """Back from tensors; None from None."""
        if state is None:
            return None
        wins, pairs, weights = (state[name].numpy() for name in ("wins", "pairs", "weights"))
        between = np.zeros((len(wins), len(wins)))
        between[pairs[:, 0], pairs[:, 1]] = weights
        between[pairs[:, 1], pairs[:, 0]] = weights
        return cls(wins, between)

    @property
    def used(self) -> NDArray[np.bool_]:
        """(K,) mask of the slots that won a sample."""
        return self.wins > 0


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


def cut(between: NDArray[np.float64], n_clusters: int, seed: int = 0) -> NDArray[np.int64]:
    """Divide nodes so that little lies between the clusters, against what each of them holds.

    The normalised cut, the sum over the clusters of what leaves one over all that is in it, relaxed
    to eigenvectors, in which weighted k-means divides.

    Args:
        between: (nodes, nodes) symmetric weights, what is decided on the diagonal; every node has
            some, and there are more of them than clusters.
        n_clusters: how many, at least 1.
        seed: starts k-means.

    Returns:
        (nodes,) cluster of every node, from 0.

    Source: Shi & Malik 2000, "Normalized cuts and image segmentation"; Dhillon, Guan & Kulis 2004,
    "Kernel k-means, spectral clustering and normalized cuts".
    """
    held = between.sum(1)
    joined = between + BACKGROUND * np.outer(held, held) / held.sum()
    held = joined.sum(1)
    vectors = np.linalg.eigh(joined / np.sqrt(np.outer(held, held)))[1][:, -n_clusters:]
    embedded = vectors / np.sqrt(held)[:, None]
    found = KMeans(n_clusters, n_init=20, random_state=seed).fit(embedded, sample_weight=held)
    return np.asarray(found.labels_, dtype=np.int64)


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
        n_clusters: how many, by :func:`cut`, at least 1; where the map has fewer nodes that
            won a sample each is a cluster. None for the number that :func:`find_number` finds.
        seed: starts either.

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
        found = cut(between, n_clusters, seed)
    sizes = np.bincount(found, weights=connectivity.wins[used])
    rank = np.empty(len(sizes), dtype=np.int64)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    cluster[used] = rank[found]
    for slot in np.flatnonzero(live & ~used):
        nearest = ((centers[used] - centers[slot]) ** 2).sum(1).argmin()
        cluster[slot] = cluster[used][nearest]
    return cluster
