"""Clusters of a stream that moves: which of them go on, which are new, and which are gone."""

import numpy as np
from numpy.typing import NDArray


def number_clusters(
    before: NDArray[np.int64],
    weight: NDArray[np.floating],
    after: NDArray[np.int64],
    unused: int,
) -> NDArray[np.int64]:
    """Numbers of clusters that stay the same as long as a cluster lives.

    A cluster goes on as the one from which most of its nodes come that were there before, by their
    weight; of two that come from the same one, as after a split, the heavier one does. All others
    are new.

    Args:
        before: (K,) number of the cluster of every node that is still there, -1 for the others.
        weight: (K,) of the nodes, as the samples that they won, at least 0.
        after: (K,) cluster of every node now, from 0 without a gap; -1 for what is no node.
        unused: a number from which on none was ever given.

    Returns:
        (clusters,) number of every cluster.
    """
    numbers = np.full(int(after.max(initial=-1)) + 1, -1)
    both = (before >= 0) & (after >= 0)
    shared = np.zeros((len(numbers), unused))
    np.add.at(shared, (after[both], before[both]), np.asarray(weight)[both] + 1e-9)
    # The heaviest ties first; of equal ones that of the lower numbers.
    for tie in np.argsort(-shared, axis=None, kind="stable"):
        cluster, number = divmod(int(tie), max(unused, 1))
        if shared[cluster, number] == 0:
            break
        if numbers[cluster] < 0 and number not in numbers:
            numbers[cluster] = number
    new = np.flatnonzero(numbers < 0)
    numbers[new] = unused + np.arange(len(new))
    return numbers
