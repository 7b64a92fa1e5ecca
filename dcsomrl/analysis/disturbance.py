"""Does a dimension's relevance say how much it matters? Prototypes, disturbed (Fig. 3).

Numbered figures, tables, sections and equations are those of "Shaping latent representations using
Self-Organizing Maps with Relevance Learning", submitted to ICLR 2022.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import bootstrap

Array = NDArray[np.floating]
Mask = NDArray[np.bool_]
Nodes = NDArray[np.integer]
# Which dimensions are disturbed, each time as many as are below the threshold.
KINDS = ("least relevant", "random", "most relevant")


def choose_dimensions(
    relevances: Array, threshold: float, kind: str, rng: np.random.Generator
) -> Mask:
    """Mask (nodes, m) of the dimensions that are disturbed.

    Args:
        relevances: (nodes, m).
        threshold: a node has as many chosen as it has dimensions of a relevance below this.
        kind: one of :data:`KINDS`.
        rng: draws the random ones.
    """
    count = (relevances < threshold).sum(1, keepdims=True)
    key = {"least relevant": relevances, "most relevant": -relevances}.get(kind)
    if key is None:
        key = rng.random(relevances.shape)
    return key.argsort(1).argsort(1) < count


def disturb(
    centers: Array,
    mask: Mask,
    size: float,
    rng: np.random.Generator,
    box: tuple[float, float] | None = None,
) -> Array:
    """Centres (nodes, m) moved by ``size`` up or down in every dimension of a mask.

    The norm of the move so depends on the number of dimensions alone. In a box each move goes the
    way that stays inside; what is too large for both ways ends at the wall.
    """
    step = rng.choice([-size, size], centers.shape)
    if box is None:
        return centers + mask * step
    outside = (centers + step < box[0]) | (centers + step > box[1])
    return (centers + mask * np.where(outside, -step, step)).clip(*box)


def measure_disturbance(
    centers: Array,
    relevances: Array,
    size: float,
    decode: Callable[[Array], Array],
    winners: Callable[[Array], Nodes],
    node_class: Nodes | None = None,
    box: tuple[float, float] | None = None,
    thresholds: Sequence[float] = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8),
    repeats: int = 20,
    seed: int = 0,
) -> pd.DataFrame:
    """What disturbing the least relevant dimensions changes, against as many others.

    Args:
        centers: (nodes, m) prototypes.
        relevances: (nodes, m).
        size: of the move in every disturbed dimension.
        decode: samples (n, ...) from codes (n, m).
        winners: (n,) node, from 0, that wins each of n codes; below 0 where none does.
        node_class: majority class of every node that may win, below 0 where there is none; None
            without labels.
        box: bounds of the codes.
        thresholds: of the relevance.
        repeats: moves drawn for every node, over which it is averaged.
        seed: draws them.

    Returns:
        A row a threshold and kind: ``dimensions``, the mean number disturbed; ``change``, the
        root mean square change of a decoded value; ``winner_flips`` and ``class_flips``, the share
        of moves after which another node wins, and one of another class; each with the limits of a
        95 % bootstrap interval over the nodes as ``<name>_low`` and ``<name>_high``.
    """
    rng = np.random.default_rng(seed)
    before = decode(centers)
    home = winners(centers)
    rows = []
    for threshold in thresholds:
        for kind in KINDS:
            results = []
            for _ in range(repeats):
                mask = choose_dimensions(relevances, threshold, kind, rng)
                moved = disturb(centers, mask, size, rng, box)
                change = (decode(moved) - before).reshape(len(centers), -1)
                node = winners(moved)
                result = {"change": np.sqrt((change**2).mean(1)), "winner_flips": node != home}
                if node_class is not None:
                    result["class_flips"] = _find_class_flips(node_class, home, node)
                results.append(result)
            count = float((relevances < threshold).sum(1).mean())
            row = {"threshold": threshold, "kind": kind, "dimensions": count}
            for name in results[0]:
                by_node = np.stack([result[name] for result in results]).astype(float)
                row |= _estimate_interval(name, _average_known(by_node), rng)
            rows.append(row)
    return pd.DataFrame(rows)


def _find_class_flips(node_class: Nodes, home: Nodes, node: Nodes) -> Array:
    """1 where the class changed, NaN for a node that has none."""
    known = (home >= 0) & (node_class[home] >= 0)
    changed = (node < 0) | (node_class[node] != node_class[home])
    return np.where(known, changed, np.nan)


def _average_known(by_node: Array) -> Array:
    """Mean over the repeats of every node that has a value."""
    return by_node[:, ~np.isnan(by_node).any(0)].mean(0)


def _estimate_interval(name: str, values: Array, rng: np.random.Generator) -> dict[str, float]:
    """Mean over the nodes, and its interval."""
    if len(values) == 0:
        return dict.fromkeys((name, f"{name}_low", f"{name}_high"), np.nan)
    low = high = mean = float(values.mean())
    if len(values) > 1 and np.ptp(values) > 0:
        found = bootstrap((values,), np.mean, method="percentile", n_resamples=2000, rng=rng)
        low, high = map(float, found.confidence_interval)
    return {name: mean, f"{name}_low": low, f"{name}_high": high}
