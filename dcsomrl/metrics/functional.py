"""Measures of a clustering as pure functions on tensors.

The scores against labels all read a contingency matrix (n_clusters, n_classes) of sample counts.
They compute on the CPU in float64, where the matrix is small and every backend has the type, and
return 0-d tensors there. Clusters and classes without a sample change no score. Degenerate
labelings follow scikit-learn, but where there is no sample every score is NaN: scikit-learn's 1
would be the best of all.

Numbered figures, tables, sections and equations are those of "Shaping latent representations using
Self-Organizing Maps with Relevance Learning", submitted to ICLR 2022.
"""

from typing import Literal

import torch
from scipy.optimize import linear_sum_assignment
from sklearn.metrics.cluster import expected_mutual_information
from torch import Tensor

from dcsomrl.errors import DataError


def count_contingency(clusters: Tensor, labels: Tensor, n_clusters: int, n_classes: int) -> Tensor:
    """Count the samples of every class in every cluster, without a host synchronisation on a GPU.

    Args:
        clusters: (batch,) integers below ``n_clusters``; a sample below 0 has no node and is
            dropped.
        labels: (batch,) integers in [0, ``n_classes``).
        n_clusters: rows of the matrix.
        n_classes: columns of the matrix.

    Returns:
        (n_clusters, n_classes) int64 counts, on the device of ``clusters``.

    Raises:
        ValueError: the two are not integer vectors of one length.
        DataError: a cluster or label out of range. On a GPU the kernel's own assertion says so.
    """
    if clusters.ndim != 1 or clusters.shape != labels.shape:
        raise ValueError(
            "clusters and labels must be vectors of one length, got shapes "
            f"{tuple(clusters.shape)} and {tuple(labels.shape)}"
        )
    if clusters.is_floating_point() or labels.is_floating_point():
        raise ValueError(
            f"clusters and labels must be integers, got {clusters.dtype} and {labels.dtype}"
        )
    clusters, labels = clusters.long(), labels.long()
    valid = (clusters < n_clusters) & (labels >= 0) & (labels < n_classes)
    if valid.device.type == "cpu" and not valid.all():
        raise DataError(
            f"clusters must be below {n_clusters} and labels in 0..{n_classes - 1}, got clusters "
            f"up to {clusters.max()} and labels in {labels.min()}..{labels.max()}: give the number "
            "of clusters and classes that the data has"
        )
    # bincount would wait for the largest index, and a boolean mask for the number of hits. The
    # index -1 makes a GPU, which cannot be asked above without waiting, stop at a bad sample.
    cell = torch.where(valid, clusters.clamp(min=0) * n_classes + labels, -1)
    counts = torch.zeros(n_clusters * n_classes, dtype=torch.int64, device=clusters.device)
    return counts.scatter_add_(0, cell, (clusters >= 0).long()).view(n_clusters, n_classes)


def purity(contingency: Tensor) -> Tensor:
    """Share of samples that belong to the majority class of their cluster (eq. 9), in (0, 1]."""
    counts = _as_float64(contingency)
    return counts.amax(dim=1).sum() / counts.sum()


def accuracy(contingency: Tensor) -> Tensor:
    """Share of samples right under the best one-to-one matching of clusters to classes.

    Samples of clusters left without a class are wrong, so with more clusters than classes it
    stays below 1. Matching by the Hungarian method (Kuhn 1955; Xie et al. 2016, eq. 10).
    """
    counts = _as_float64(contingency)
    rows, columns = linear_sum_assignment(counts.numpy(), maximize=True)
    return counts[rows, columns].sum() / counts.sum()


def count_classes(contingency: Tensor) -> Tensor:
    """Number of classes with a sample, 0-d int64; with one, scores against labels say nothing."""
    return (contingency.sum(dim=0) > 0).sum()


def clustering_error(contingency: Tensor) -> Tensor:
    """Share of samples wrong under the best one-to-one matching of clusters to classes, in [0, 1).

    The measure of the subspace-clustering literature, with a class's samples as its true cluster
    in all dimensions (Patrikainen and Meila 2006); some tables give 1 minus it under this name.
    """
    return 1 - accuracy(contingency)


def nmi(contingency: Tensor, average: Literal["arithmetic", "geometric"] = "arithmetic") -> Tensor:
    """Mutual information over a mean of the two entropies, in [0, 1].

    Args:
        contingency: (n_clusters, n_classes) counts.
        average: the mean; ``arithmetic`` is eq. 8, ``geometric`` that of Strehl and Ghosh 2002.

    Raises:
        ValueError: another mean.
    """
    if average not in ("arithmetic", "geometric"):
        raise ValueError(f"average must be 'arithmetic' or 'geometric', got {average!r}")
    counts = _as_float64(contingency)
    if _is_perfect(counts):
        return _score_perfect(counts)
    mutual, clusters, classes = _measure_information(counts)
    if clusters == 0 or classes == 0:
        return counts.new_zeros(())
    if average == "geometric":
        return mutual / (clusters * classes).sqrt()
    return mutual / ((clusters + classes) / 2)


def ari(contingency: Tensor) -> Tensor:
    """Rand index adjusted for chance, in [-0.5, 1] (Hubert and Arabie 1985)."""
    counts = _as_float64(contingency)
    if _is_perfect(counts):
        return _score_perfect(counts)
    together, clusters, classes, total = (
        (size * (size - 1) / 2).sum()
        for size in (counts, counts.sum(1), counts.sum(0), counts.sum())
    )
    expected = clusters * classes / total
    return (together - expected) / ((clusters + classes) / 2 - expected)


def ami(contingency: Tensor) -> Tensor:
    """Mutual information adjusted for chance, arithmetic mean, at most 1 (Vinh et al. 2010)."""
    counts = _as_float64(contingency)
    if _is_perfect(counts):
        return _score_perfect(counts)
    mutual, clusters, classes = _measure_information(counts)
    if clusters == 0 or classes == 0:
        return counts.new_zeros(())
    used = counts[counts.sum(1) > 0][:, counts.sum(0) > 0].long().numpy()
    expected = expected_mutual_information(used, int(used.sum()))
    return (mutual - expected) / ((clusters + classes) / 2 - expected)


def homogeneity(contingency: Tensor) -> Tensor:
    """Share of the classes' entropy that the clusters explain, in [0, 1].

    It is 1 where every cluster holds one class (Rosenberg and Hirschberg 2007).
    """
    counts = _as_float64(contingency)
    mutual, _, classes = _measure_information(counts)
    return mutual / classes if classes > 0 else _score_perfect(counts)


def completeness(contingency: Tensor) -> Tensor:
    """Share of the clusters' entropy that the classes explain, in [0, 1].

    It is 1 where every class lies in one cluster (Rosenberg and Hirschberg 2007).
    """
    return homogeneity(contingency.T)


def quantization_error(
    x: Tensor, centers: Tensor, winners: Tensor, relevances: Tensor | None = None
) -> Tensor:
    """Mean Euclidean distance, not squared, of samples to their winner's centre (Kohonen 2001).

    Leave out ``relevances`` for a relevance map too: the plain distance is the one that compares
    maps, since small relevances alone make the weighted one small.

    Args:
        x: (batch, m) samples.
        centers: (N, m) centres.
        winners: (batch,) index of the winner; a sample below 0 has none and is dropped.
        relevances: (N, m) relevances ``w`` for the weighted form ``sqrt(sum w (x - c)^2)``.

    Returns:
        0-d tensor in the type of ``x``; NaN where no sample has a winner.

    Raises:
        ValueError: shapes that do not fit.
    """
    if winners.shape != x.shape[:1] or x.shape[1:] != centers.shape[1:]:
        raise ValueError(
            "expected samples (batch, m), centers (N, m) and winners (batch,), got shapes "
            f"{tuple(x.shape)}, {tuple(centers.shape)} and {tuple(winners.shape)}"
        )
    squares = (x - centers[winners]).square()
    if relevances is not None:
        squares = relevances[winners] * squares
    return squares.sum(dim=1).sqrt()[winners >= 0].mean()


def topographic_error(first: Tensor, second: Tensor, adjacency: Tensor) -> Tensor:
    """Share of samples whose two best-matching units are not adjacent, in [0, 1].

    Source: Kiviluoto 1996. NaN where no sample has two best-matching units.

    Args:
        first: (batch,) index of the best-matching unit; below 0 where there is none.
        second: (batch,) index of the second best; below 0 where there is none.
        adjacency: (N, N) bool, True where two nodes are neighbours.

    Raises:
        ValueError: an adjacency that is not a square bool matrix.
    """
    errors, samples = count_topographic_errors(first, second, adjacency)
    return errors / samples


def count_topographic_errors(
    first: Tensor, second: Tensor, adjacency: Tensor
) -> tuple[Tensor, Tensor]:
    """Number of topographic errors and of samples with two best-matching units, 0-d int64.

    Arguments and errors are those of :func:`topographic_error`.
    """
    if adjacency.dtype != torch.bool or adjacency.shape != adjacency.shape[:1] * 2:
        raise ValueError(
            "adjacency must be a square bool matrix, got shape "
            f"{tuple(adjacency.shape)} of {adjacency.dtype}"
        )
    counted = (first >= 0) & (second >= 0)
    adjacent = adjacency[first.clamp(min=0), second.clamp(min=0)]
    return (counted & ~adjacent).sum(), counted.sum()


def count_used(counts: Tensor) -> Tensor:
    """Number of nodes that won a sample, from (N,) counts."""
    return (counts > 0).sum()


def perplexity(counts: Tensor) -> Tensor:
    """Exponential of the entropy of the nodes' shares, from (N,) counts; NaN without a sample.

    It is the number of nodes in even use: N if all win equally often, 1 if one wins always.
    """
    counts = _as_float64(counts)
    return torch.special.entr(counts / counts.sum()).sum().exp()


def _as_float64(counts: Tensor) -> Tensor:
    return counts.detach().cpu().double()


def _score_perfect(counts: Tensor) -> Tensor:
    """The highest score; NaN without a sample."""
    return counts.sum() / counts.sum()


def _is_perfect(counts: Tensor) -> bool:
    """Whether clusters and classes are one partition; so where there is no sample."""
    filled = counts > 0
    return bool((filled.sum(0) <= 1).all() and (filled.sum(1) <= 1).all())


def _measure_information(counts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mutual information and the entropies of clusters and classes, in nats."""
    # Sums of counts are exact, sums of shares are not: the entropy of one class must be 0.
    total = counts.sum().clamp(min=1)
    joint, clusters, classes = (
        torch.special.entr(sizes / total).sum() for sizes in (counts, counts.sum(1), counts.sum(0))
    )
    return (clusters + classes - joint).clamp(min=0), clusters, classes
