"""A run as the explorable map of a page."""

import numpy as np
from numpy.typing import NDArray

from dcsomrl.analysis.disturbance import disturb
from dcsomrl.analysis.neighbors import find_nearest_samples
from dcsomrl.reporting.context import Context
from dcsomrl.reporting.html import Explorer
from dcsomrl.reporting.run_data import Array, RunData
from dcsomrl.reporting.section import clip_images

# Relevances below which the slider disturbs: none, a tenth, ..., all.
LEVELS = np.linspace(0, 1, 11)
NEAREST = 8


def make_explorer(context: Context) -> Explorer | None:
    """The arrays of a page's explorer; None for a map without a node."""
    run = context.run
    if len(run.slots) == 0:
        return None
    points, nodes = context.places
    edges, wins = run.graph, run.wins
    near = find_nearest_samples(
        run.centers, run.latent, min(NEAREST, len(run.latent)), run.relevances
    )
    sums = np.bincount(
        run.winner[run.winner >= 0],
        weights=run.activation[run.winner >= 0],
        minlength=len(run.slots),
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        activation = sums / wins
        purity = run.classes.max(1, initial=0) / wins if run.labels is not None else wins * np.nan
    names = None if run.image else _name_features(run)
    m = run.centers.shape[1]
    # Without a network a code is the sample itself.
    network = (run.config["model"].get("autoencoder") or {}).get("_target_")
    coded = names is None or network is not None
    return Explorer(
        node_xy=nodes,
        edges=edges,
        strength=1 + run.counts[edges[:, 0], edges[:, 1]],
        slots=run.slots,
        wins=wins,
        activation=activation,
        node_class=run.node_class,
        purity=purity,
        class_names=run.class_names,
        point_xy=points,
        point_node=run.winner,
        point_activation=run.activation,
        point_class=run.labels,
        relevances=run.relevances,
        relevance_names=[f"z{i}" for i in range(m)] if coded or names is None else names,
        tiles=to_pixels(run.decoded) if run.image else None,
        nearest=to_pixels(run.samples[near.row]) if run.image else None,
        levels=LEVELS,
        disturbed=_draw_disturbed(run, context.seed),
        profiles=None if run.image else run.decoded.reshape(len(run.slots), -1),
        feature_names=names,
        nearest_rows=run.index[near.row],
        nearest_distance=near.distance,
    )


def to_pixels(images: Array) -> NDArray[np.uint8]:
    """(..., height, width, channels) bytes from (..., channels, height, width) in [0, 1]."""
    return np.round(np.moveaxis(clip_images(images), -3, -1) * 255).astype(np.uint8)


def _draw_disturbed(run: RunData, seed: int) -> NDArray[np.uint8] | None:
    """(levels, K, height, width, channels): one direction for each node, more dimensions of it."""
    if not run.image or run.relevances is None:
        return None
    size = 2 * run.spread
    levels = []
    for level in LEVELS:
        rng = np.random.default_rng(seed)
        moved = disturb(run.centers, run.relevances < level, size, rng, run.box)
        levels.append(to_pixels(run.decode(moved)))
    return np.stack(levels)


def _name_features(run: RunData) -> list[str]:
    width = int(np.prod(run.decoded.shape[1:]))
    return run.feature_names or [f"feature {i}" for i in range(width)]
