"""What the relevances of a map say: how many dimensions each node uses, and which (Fig. 2).

Numbered figures, tables, sections and equations are those of "Shaping latent representations using
Self-Organizing Maps with Relevance Learning", submitted to ICLR 2022.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Relevances count as near 0 below the first and as near 1 from the second on.
NEAR_ZERO, NEAR_ONE = 0.2, 0.8
# From this relevance on a dimension matters to a node; the paper's bound in Fig. 3.
MATTERS = 0.6


def find_learned(relevances: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Nodes (nodes,) that have learned their relevances (nodes, m): a new one has 1 everywhere."""
    return np.asarray(np.ptp(relevances, axis=1) > 0)


class RelevanceProfile(NamedTuple):
    """Relevances of a map in numbers.

    Attributes:
        near_zero: share of the relevances near 0; ``moderate`` and ``near_one`` likewise.
        entropy: (nodes,) in [0, 1]: 1 where all dimensions are equally relevant to the node, 0
            where one has all the relevance.
        nodes_per_dimension: (m,) how many nodes each dimension matters to.
    """

    near_zero: float
    moderate: float
    near_one: float
    entropy: NDArray[np.float64]
    nodes_per_dimension: NDArray[np.int64]


def profile_relevances(relevances: NDArray[np.floating]) -> RelevanceProfile:
    """Summarise relevances (nodes, m) in [0, 1].

    Raises:
        ValueError: no node, no dimension, or a node without any relevance.
    """
    w = np.asarray(relevances, dtype=np.float64)
    if w.ndim != 2 or 0 in w.shape:
        raise ValueError(f"relevances must be (nodes, dimensions), got shape {w.shape}")
    total = w.sum(1, keepdims=True)
    if (total <= 0).any():
        raise ValueError("a node has no relevance in any dimension")
    share = w / total
    logs = np.log(share, out=np.zeros_like(share), where=share > 0)
    largest = np.log(w.shape[1]) or 1.0
    return RelevanceProfile(
        near_zero=float((w < NEAR_ZERO).mean()),
        moderate=float(((w >= NEAR_ZERO) & (w < NEAR_ONE)).mean()),
        near_one=float((w >= NEAR_ONE).mean()),
        entropy=-(share * logs).sum(1) / largest,
        nodes_per_dimension=(w >= MATTERS).sum(0),
    )
