"""What clusters are called over the parts of a stream, and how many samples each has in them."""

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from dcsomrl.analysis.drift import number_clusters
from dcsomrl.maps import SOMRL

# How much a sample of the part before counts beside one of a part.
FADED = 1e-6


class Drift:
    """Numbers of clusters that stay the same as long as a cluster lives.

    Attributes:
        numbers: (clusters,) number of every cluster of the last part.
        table: a row a cluster and part: ``part`` from 0, ``number``, ``samples`` and ``nodes``.
    """

    def __init__(self) -> None:
        self.numbers = np.empty(0, np.int64)
        self.table = pd.DataFrame(columns=["part", "number", "samples", "nodes"], dtype=np.int64)
        # By slot, after the last part: numbers of clusters, and samples that were won.
        self._by_slot = self._wins = np.empty(0, np.int64)
        self._unused = 0

    def follow(
        self, kept: NDArray[np.bool_], cluster: NDArray[np.int64], wins: NDArray[np.int64]
    ) -> None:
        """Take in a part.

        Args:
            kept: (K,) slots whose node was there before the part; see :func:`find_kept`.
            cluster: (K,) cluster of every slot, -1 for none.
            wins: (K,) samples of the part that every slot won.
        """
        if not len(self._by_slot):
            self._by_slot, self._wins = np.full(len(kept), -1), np.zeros_like(wins)
        before = np.where(kept, self._by_slot, -1)
        # A node that wins nothing any more lends its number only where no other does.
        weight = wins + FADED * self._wins
        self.numbers = number_clusters(before, weight, cluster, self._unused)
        self._unused = max(self._unused, int(self.numbers.max(initial=-1)) + 1)
        live = cluster >= 0
        self._by_slot = np.where(live, self.numbers[cluster], -1) if live.any() else cluster
        self._wins = wins
        part = int(self.table["part"].max()) + 1 if len(self.table) else 0
        rows = {
            "part": part,
            "number": self.numbers,
            "samples": np.bincount(cluster[live], wins[live], len(self.numbers)).astype(np.int64),
            "nodes": np.bincount(cluster[live], minlength=len(self.numbers)),
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
