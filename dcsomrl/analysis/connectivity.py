"""How nodes hang together, by the samples that lie between them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

# Up to this ratio of squared distances a sample is its winner's alone: three times as far from the
# second. In many dimensions all samples of tight groups have some ratio, however far the groups are
# from each other, and the sum of it would join them.
DECIDED = 1 / 9


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
