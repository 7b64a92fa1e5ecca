"""What clusters are called over the parts of a stream, and how many samples each has in them."""

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from dcsomrl.analysis.drift import number_clusters
from dcsomrl.maps import SOMRL, Assignment

# How much a node counts beside a sample: it decides of clusters without samples alone.
OF_A_NODE = 1e-6


class Drift:
    """Numbers of clusters that stay the same as long as a cluster lives.

    Args:
        n_slots: of the map.

    Attributes:
        numbers: (clusters,) number of every cluster of the last part.
        table: a row a cluster and part: ``part`` from 0, ``number``, ``samples`` and ``nodes``.
    """

    def __init__(self, n_slots: int) -> None:
        self.numbers = np.empty(0, np.int64)
        self.table = pd.DataFrame(columns=["part", "number", "samples", "nodes"], dtype=np.int64)
        self._by_slot = np.full(n_slots, -1)  # numbers of clusters after the last part
        self._unused = 0

    def recall(self, som: SOMRL, found: Assignment) -> Tensor:
        """(batch,) number of the cluster of samples before a part, -1 for those out of reach.

        Args:
            som: the map before it.
            found: where it puts the samples.
        """
        numbers = torch.from_numpy(self._by_slot)[found.winner]
        return torch.where(found.activation >= som.threshold, numbers, -1)

    def follow(
        self,
        before: NDArray[np.int64],
        after: NDArray[np.int64],
        kept: NDArray[np.bool_],
        cluster: NDArray[np.int64],
        won: NDArray[np.bool_],
    ) -> None:
        """Take in a part.

        Args:
            before: (n,) what :meth:`recall` says of its samples; -1 of the first part.
            after: (n,) their clusters now.
            kept: (K,) slots whose node was there before the part; see :func:`find_kept`.
            cluster: (K,) cluster of every slot now, -1 for none.
            won: (K,) slots that have samples of the part.
        """
        slots, nodes = np.flatnonzero(kept & (cluster >= 0)), cluster[cluster >= 0]
        self.numbers = number_clusters(
            np.concatenate([before, self._by_slot[slots], np.full(len(nodes), -1)]),
            np.concatenate([after, cluster[slots], nodes]),
            # A node that is there as well as one that was, the latter a little more.
            np.repeat([1.0, 2 * OF_A_NODE, OF_A_NODE], [len(before), len(slots), len(nodes)]),
            self._unused,
        )
        self._unused = max(self._unused, int(self.numbers.max()) + 1)
        # A node without samples is merged with others, and is what it was once it has some again.
        rests = kept & ~won & (self._by_slot >= 0)
        now = np.where(cluster >= 0, self.numbers[cluster], -1)
        self._by_slot = np.where(rests, self._by_slot, now)
        part = int(self.table["part"].max()) + 1 if len(self.table) else 0
        rows = {
            "part": part,
            "number": self.numbers,
            "samples": np.bincount(after, minlength=len(self.numbers)),
            "nodes": np.bincount(nodes, minlength=len(self.numbers)),
        }
        self.table = pd.concat([self.table, pd.DataFrame(rows)], ignore_index=True)


@torch.no_grad()
def find_kept(som: SOMRL, centers: Tensor, live: Tensor) -> NDArray[np.bool_]:
    """(K,) slots that hold the node that they held before, though it may have moved.

    A node that dies leaves its slot to another: it is the same one if it would win what stood where
    it was, and has that in its reach.

    Args:
        som: the map as it is now.
        centers: (K, m) its centres before.
        live: (K,) mask of the slots that were in use then.
    """
    found = som.assign(centers)
    same = (found.winner == torch.arange(len(live))) & (found.activation >= som.threshold)
    return (live & som.live & same).numpy()
