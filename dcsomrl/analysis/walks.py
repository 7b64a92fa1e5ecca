"""Walks through the codes: along a dimension, between prototypes, along the map (Fig. 4).

Numbered figures, tables, sections and equations are those of "Shaping latent representations using
Self-Organizing Maps with Relevance Learning", submitted to ICLR 2022.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.floating]


class Smoothness(NamedTuple):
    """How a decoded walk changes.

    Attributes:
        length: sum of the root mean square changes of a decoded value from step to step.
        largest_jump: the largest of them.
        unevenness: the largest over the mean one; 1 for an even walk.
    """

    length: float
    largest_jump: float
    unevenness: float


def traverse(center: Array, dimension: int, low: float, high: float, steps: int) -> Array:
    """Codes (steps, m): a prototype (m,) with one dimension going from ``low`` to ``high``."""
    walk = np.repeat(center[None], steps, axis=0)
    walk[:, dimension] = np.linspace(low, high, steps)
    return walk


def walk_along(stops: Array, steps: int) -> Array:
    """Codes (steps, m), evenly spaced along the straight lines between stops (n, m), n >= 1."""
    lengths = np.linalg.norm(np.diff(stops, axis=0), axis=1)
    place = np.concatenate([[0.0], lengths.cumsum()])
    where = np.linspace(0, place[-1], steps)
    return np.stack([np.interp(where, place, column) for column in stops.T], axis=1)


def measure_smoothness(decoded: Array) -> Smoothness:
    """Of a decoded walk (steps, ...), two steps or more."""
    change = np.diff(decoded.reshape(len(decoded), -1), axis=0)
    jumps = np.sqrt((change**2).mean(1))
    mean = float(jumps.mean())
    largest = float(jumps.max())
    return Smoothness(float(jumps.sum()), largest, largest / mean if mean > 0 else 1.0)


def compare_pairs(
    decoded_walks: Array, distances: NDArray[np.floating], connected: NDArray[np.bool_]
) -> pd.DataFrame:
    """Smoothness of straight walks between pairs of nodes, connected or not.

    Args:
        decoded_walks: (pairs, steps, ...).
        distances: (pairs,) Euclidean distance of the two codes.
        connected: (pairs,) whether the map has an edge between them.

    Returns:
        A row a pair: ``connected``, ``distance``, and the fields of :class:`Smoothness`.
    """
    table = pd.DataFrame([measure_smoothness(walk)._asdict() for walk in decoded_walks])
    table.insert(0, "distance", distances)
    table.insert(0, "connected", connected)
    return table
