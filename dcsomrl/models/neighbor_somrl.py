"""DC-SOMRL with a contrast of neighbours, as ``model=neighbor_somrl`` composes it, in Python."""

from collections.abc import Sequence
from functools import partial

import torch

from dcsomrl.losses import NeighborContrast, Reconstruction, RelevanceDistance
from dcsomrl.maps import SOMRL
from dcsomrl.models.dcsomrl import DCSOMRL
from dcsomrl.models.schedule import Schedule
from dcsomrl.networks import MLPAutoencoder


def neighbor_somrl(
    input_shape: Sequence[int],
    latent_dim: int = 22,
    hidden_dims: Sequence[int] = (500, 500, 2000),
    max_nodes: int = 64,
    radius: float = 0.6,
    learning_rate: float = 1e-3,
    schedule: Schedule = "cosine",
    regrow: float | None = 0.5,
) -> DCSOMRL:
    """The map with neighbours on a fully connected network; its batches need neighbours.

    Args:
        input_shape: of a sample.
        latent_dim: m, dimensions of a code; at least 1.
        hidden_dims: widths of the encoder, from the input on.
        max_nodes: slots of the map, at least 2.
        radius: reach of a node in deviations of the codes, above 0.
        learning_rate: of Adam, above 0.
        schedule: see :class:`DCSOMRL`.
        regrow: likewise; codes are drawn to the map from then on.

    Raises:
        ValueError: an argument outside its range.
    """
    return DCSOMRL(
        MLPAutoencoder(tuple(input_shape), latent_dim, list(hidden_dims)),
        SOMRL(
            latent_dim,
            max_nodes,
            activation_threshold=None,
            radius=radius,
            learning_rate=0.1,
            relevance_rate=0.05,
            neighborhood_decay=2.0,
            repel_mode="none",
            relevance_smoothness=0.5,
            life_decay=0.02,
        ),
        optimizer=partial(torch.optim.Adam, lr=learning_rate, fused=True),
        losses={
            "reconstruction": Reconstruction(weight=0.05, relative=True),
            "clustering": RelevanceDistance(weight=0.1, begin=regrow or 0.0),
            "neighbors": NeighborContrast(weight=0.1, temperature=0.2),
        },
        schedule=schedule,
        regrow=regrow,
    )
