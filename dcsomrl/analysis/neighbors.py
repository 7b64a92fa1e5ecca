"""The samples next to a prototype, and what prototypes of one class share (Figs. 8, 9, 10).

Numbered figures, tables, sections and equations are those of "Shaping latent representations using
Self-Organizing Maps with Relevance Learning", submitted to ICLR 2022.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


class Nearest(NamedTuple):
    """The samples next to every prototype.

    Attributes:
        row: (nodes, k) rows of the samples, nearest first.
        distance: (nodes, k) root mean square distance per dimension, weighted by the relevances.
    """

    row: NDArray[np.int64]
    distance: Array


class Typicality(NamedTuple):
    """How near a decoded prototype and a cluster's mean come to samples, by node; NaN without any.

    Attributes:
        prototype: (nodes,) mean root mean square distance of the decoded prototype from the
            samples next to it.
        mean_sample: (nodes,) the same of the mean of the cluster's samples.
    """

    prototype: Array
    mean_sample: Array


def find_nearest_samples(
    centers: Array, z: Array, k: int = 10, relevances: Array | None = None
) -> Nearest:
    """Find the k samples nearest to every prototype.

    Args:
        centers: (nodes, m) prototypes.
        z: (n, m) codes of the samples, n >= k.
        k: how many.
        relevances: (nodes, m) weights of the dimensions; all equal where there are none.
    """
    w = np.ones_like(centers) if relevances is None else relevances
    total = w.sum(1, keepdims=True)
    square = w @ (z * z).T - 2 * (w * centers) @ z.T + (w * centers * centers).sum(1)[:, None]
    distance = np.sqrt(square.clip(min=0) / total)
    row = np.argsort(distance, axis=1, kind="stable")[:, :k]
    return Nearest(row, np.take_along_axis(distance, row, axis=1))


def measure_typicality(
    decoded: Array, samples: Array, winner: NDArray[np.integer], nearest: NDArray[np.integer]
) -> Typicality:
    """Compare decoded prototypes with the mean sample of their clusters (Fig. 10).

    Args:
        decoded: (nodes, ...) prototypes as samples.
        samples: (n, ...) in the same units.
        winner: (n,) node of every sample.
        nearest: (nodes, k) rows from :func:`find_nearest_samples`.
    """
    prototype = np.full(len(decoded), np.nan)
    mean_sample = prototype.copy()
    flat = samples.reshape(len(samples), -1)
    for node, image in enumerate(decoded.reshape(len(decoded), -1)):
        own = flat[winner == node]
        if len(own):
            near = flat[nearest[node]]
            for result, one in ((prototype, image), (mean_sample, own.mean(0))):
                result[node] = np.sqrt(((near - one) ** 2).mean(1)).mean()
    return Typicality(prototype, mean_sample)


def intersect_images(images: Array) -> tuple[Array, Array]:
    """What images (n, ...) share, which is their pixelwise minimum, and what each has beyond it."""
    shared = images.min(0)
    return shared, images - shared


def measure_shared_light(images: Array) -> float:
    """Share of the light of images (n, ...) in [0, 1] that all of them have; 0 of dark ones."""
    light = float(images.mean())
    return float(images.min(0).mean()) / light if light > 0 else 0.0
