"""Which samples of a cluster stand for it."""

import numpy as np
from numpy.typing import NDArray


def order_typical(nodes: NDArray[np.integer], distance: NDArray[np.floating]) -> NDArray[np.int64]:
    """Places of the samples of a cluster, the most typical first: one of each node in turn.

    The nearest of all would be of the tightest node alone.

    Args:
        nodes: (n,) node of every sample.
        distance: (n,) from it, or whatever is less for samples that are more typical.

    Returns:
        (n,) places: the nearest sample of every node, by distance, then the second of each.
    """
    order = np.lexsort((distance, nodes))
    begins = np.flatnonzero(np.diff(nodes[order], prepend=-1 - abs(nodes).max(initial=0)))
    sizes = np.diff(begins, append=len(order))
    turn = np.empty(len(nodes), dtype=np.int64)
    turn[order] = np.arange(len(order)) - np.repeat(begins, sizes)
    return np.lexsort((distance, turn))
