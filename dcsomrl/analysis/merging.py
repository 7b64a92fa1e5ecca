"""From many nodes to few clusters, by what the map says of its own neighbourhood.

Numbered figures, tables, sections and equations are those of "Shaping latent representations using
Self-Organizing Maps with Relevance Learning", submitted to ICLR 2022.
"""

import networkx
import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import AgglomerativeClustering, KMeans, SpectralClustering

# Weight between nodes that share no sample, against the mean of those that do: it joins the parts
# of a map, of which a spectral division can make nothing otherwise.
BACKGROUND = 1e-4


def count_winners(
    first: NDArray[np.int64], second: NDArray[np.int64], n_nodes: int
) -> NDArray[np.float64]:
    """How often two nodes are the first and the second winner of one sample, either way round.

    Args:
        first: (n,) slot of the winner; below 0 where there is none.
        second: (n,) slot of the second winner; likewise.
        n_nodes: slots of the map.

    Returns:
        (n_nodes, n_nodes) symmetric counts.

    Source: Tasdemir & Merenyi 2009, the connectivity of a map.
    """
    both = (first >= 0) & (second >= 0)
    counts = np.zeros((n_nodes, n_nodes))
    np.add.at(counts, (first[both], second[both]), 1)
    return counts + counts.T


def merge(counts: NDArray[np.float64], n_clusters: int, seed: int = 0) -> NDArray[np.int64]:
    """Merge nodes into clusters by spectral clustering of their connectivity.

    Args:
        counts: (N, N) symmetric, from :func:`count_winners`.
        n_clusters: how many clusters, at least 1.
        seed: starts the k-means of the spectral embedding.

    Returns:
        (N,) cluster of every node, from 0; 0 for a node that shares no sample. Where no more than
        ``n_clusters`` nodes share one, each is its own cluster.

    Raises:
        ValueError: n_clusters below 1.
    """
    _check(n_clusters)
    used = counts.sum(1) > 0
    labels = np.zeros(len(counts), dtype=np.int64)
    if used.sum() <= n_clusters:
        labels[used] = np.arange(used.sum())
        return labels
    shared = counts[np.ix_(used, used)]
    affinity = shared + BACKGROUND * shared[shared > 0].mean()
    spectral = SpectralClustering(n_clusters, affinity="precomputed", random_state=seed)
    labels[used] = spectral.fit_predict(affinity)
    return labels


def merge_by_linkage(counts: NDArray[np.float64], n_clusters: int) -> NDArray[np.int64]:
    """Merge nodes by agglomeration of their connectivity, average linkage.

    How near two nodes are is the number of samples they share over the geometric mean of what each
    shares with all others.

    Args:
        counts: (N, N) symmetric, from :func:`count_winners`.
        n_clusters: how many clusters, at least 1.

    Raises:
        ValueError: n_clusters below 1.
    """
    _check(n_clusters)
    if len(counts) <= n_clusters:
        return np.arange(len(counts))
    total = np.sqrt(counts.sum(1)).clip(min=1)
    apart = 1 - counts / np.outer(total, total)
    np.fill_diagonal(apart, 0)
    found = AgglomerativeClustering(n_clusters, metric="precomputed", linkage="average")
    return np.asarray(found.fit_predict(apart), dtype=np.int64)


def merge_by_distance(centers: NDArray[np.floating], n_clusters: int) -> NDArray[np.int64]:
    """Merge nodes by Ward's agglomeration of their centres (nodes, m), blind to the map.

    Raises:
        ValueError: n_clusters below 1.
    """
    _check(n_clusters)
    if len(centers) <= n_clusters:
        return np.arange(len(centers))
    found = AgglomerativeClustering(n_clusters, linkage="ward").fit_predict(centers)
    return np.asarray(found, dtype=np.int64)


def merge_by_kmeans(
    centers: NDArray[np.floating], n_clusters: int, seed: int = 0
) -> NDArray[np.int64]:
    """Merge nodes by k-means of their centres (nodes, m); Appendix A.3 of the paper.

    Raises:
        ValueError: n_clusters below 1.
    """
    _check(n_clusters)
    if len(centers) <= n_clusters:
        return np.arange(len(centers))
    fitted = KMeans(n_clusters, n_init=20, random_state=seed).fit(centers)
    return np.asarray(fitted.labels_, dtype=np.int64)


def find_communities(
    counts: NDArray[np.float64], resolution: float = 1.0, seed: int = 0
) -> NDArray[np.int64]:
    """Merge nodes into as many clusters as their connectivity has, by the Louvain method.

    Args:
        counts: (N, N) symmetric weights, such as those of :func:`count_winners`.
        resolution: above 0; more of it gives more communities.
        seed: order in which nodes are visited.

    Returns:
        (N,) cluster of every node, from 0, the one of most nodes first.

    Source: Blondel et al. 2008; the resolution of Reichardt & Bornholdt 2006.
    """
    graph = networkx.from_numpy_array(counts)
    found = networkx.community.louvain_communities(
        graph, weight="weight", resolution=resolution, seed=seed
    )
    group = np.empty(len(counts), dtype=np.int64)
    for number, nodes in enumerate(sorted(found, key=lambda nodes: (-len(nodes), min(nodes)))):
        group[list(nodes)] = number
    return group


def prune(wins: NDArray[np.integer], share: float) -> NDArray[np.bool_]:
    """Nodes (N,) to keep: those that won at least a share in [0, 1] of what a mean node wins.

    The node with the most wins always stays. Source: Appendix A.3.
    """
    kept = wins >= share * wins.mean()
    kept[wins.argmax()] = True
    return kept


def _check(n_clusters: int) -> None:
    if n_clusters < 1:
        raise ValueError(f"n_clusters must be at least 1, got {n_clusters}")
