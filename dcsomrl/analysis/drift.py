"""Clusters of a stream that moves: which of them go on, which are new, and which are gone."""

import numpy as np
from numpy.typing import NDArray


def number_clusters(
    before: NDArray[np.int64],
    after: NDArray[np.int64],
    weight: NDArray[np.floating],
    unused: int,
) -> NDArray[np.int64]:
    """Numbers of clusters that stay the same as long as a cluster lives.

    A cluster goes on as the one from which most of what is in it comes, by weight, and is new where
    most comes from none; of two that come from the same one, as after a split, the heavier one goes
    on, and the other is new.

    Args:
        before: (n,) number of the cluster in which each sample was before, -1 for none.
        after: (n,) cluster in which it is now, from 0 without a gap.
        weight: (n,) above 0.
        unused: a number from which on none was ever given.

    Returns:
        (clusters,) number of every cluster.
    """
    numbers = np.full(int(after.max(initial=-1)) + 1, -1)
    shared = np.zeros((len(numbers), unused + 1))  # the last column: from none
    np.add.at(shared, (after, before), weight)
    known = np.where(shared >= shared[:, -1:], shared, 0)[:, :-1]
    # The heaviest ties first; of equal ones that of the lower numbers.
    for tie in np.argsort(-known, axis=None, kind="stable"):
        cluster, number = divmod(int(tie), unused)
        if known[cluster, number] == 0:
            break
        if numbers[cluster] < 0 and number not in numbers:
            numbers[cluster] = number
    new = np.flatnonzero(numbers < 0)
    numbers[new] = unused + np.arange(len(new))
    return numbers
