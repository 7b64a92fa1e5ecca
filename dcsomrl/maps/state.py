"""A map with relevances as it is: its settings, its state, and what it says of samples.

Numbered figures, tables, sections and equations are those of "Shaping latent representations using
Self-Organizing Maps with Relevance Learning", submitted to ICLR 2022.
"""

import math
from abc import abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn

from dcsomrl.hints import check_arguments
from dcsomrl.maps.codebook import Assignment, Codebook
from dcsomrl.maps.nearest import (
    EPS,
    Product,
    compute_activations,
    find_nearest,
    make_product,
    may_wait,
    use_full_precision,
)
from dcsomrl.ranges import Count, Several, ShareBetween

# How far beyond [0, 1] samples may lie that a map learns from: a part of a stream may leave the
# range of the parts before it.
FAR = 1.0


class RelevanceMap(nn.Module, Codebook):
    r"""Nodes with a centre and relevances, that samples activate; a subclass is how they learn.

    Args:
        n_features: number of dimensions m of the samples, which lie in [0, 1].
        max_nodes: number N of slots; at least 2.
        activation_threshold: :math:`a_t` in (0, 1). A sample whose winner is activated less asks
            for a new node. As a radius: the relevance-weighted root mean square distance per
            dimension is at most ``sqrt((1 - a_t) / a_t)``.

    Raises:
        ValueError: an argument outside its range.

    Attributes:
        centers: (N, m) prototypes in [0, 1].
        relevances: (N, m) in [0, 1].
        distances: (N, m) moving-average distances.
        live: (N,) mask of the slots in use.
        births: nodes inserted so far, 0-d int64; ``deaths`` likewise.
        sequential: whether samples are learned one after the other, so that processes cannot share
            a map.
    """

    sequential = False

    relevances: Tensor
    bounds = 0.0, 1.0
    distances: Tensor
    births: Tensor
    deaths: Tensor

    @check_arguments
    def __init__(
        self, n_features: Count, max_nodes: Several, activation_threshold: ShareBetween | None
    ) -> None:
        super().__init__()
        self.n_features = n_features
        self.max_nodes = max_nodes
        self.activation_threshold = activation_threshold
        shape = (max_nodes, n_features)
        self.register_buffer("centers", torch.zeros(shape))
        self.register_buffer("relevances", torch.ones(shape))
        self.register_buffer("distances", torch.zeros(shape))
        self.register_buffer("live", torch.zeros(max_nodes, dtype=torch.bool))
        self.register_buffer("births", torch.zeros((), dtype=torch.int64))
        self.register_buffer("deaths", torch.zeros((), dtype=torch.int64))

    @property
    def threshold(self) -> float | Tensor:
        """The activation below which a sample asks for a node, as it is now."""
        assert self.activation_threshold is not None
        return self.activation_threshold

    @property
    def n_live(self) -> Tensor:
        """Number of live nodes, a 0-d int64 tensor."""
        return self.live.sum()

    @abstractmethod
    def learn_(self, z: Tensor) -> None:
        """Learn from a batch (batch, n_features) of samples in [0, 1].

        Raises:
            ValueError: z has another shape.
        """

    def settle_(self, samples: Callable[[], Tensor]) -> None:
        """After the last step: what ends the learning, nothing unless a subclass has it.

        Args:
            samples: gives all samples (n, n_features) of the training, in [0, 1].
        """
        return

    def forward(self, z: Tensor) -> Assignment:
        """Assign a batch to the map; in training mode the map first learns from it.

        Args:
            z: (batch, n_features) samples in [0, 1].

        Returns:
            The assignment on the map as it is afterwards.

        Raises:
            TypeError: z is not a tensor.
            ValueError: z has another shape or, on a CPU, is not finite or, in training, lies far
                from [0, 1].
        """
        if not isinstance(z, Tensor):
            raise TypeError(f"the map takes a tensor, got {type(z).__name__}: give torch.tensor(z)")
        if may_wait(z):
            self._check_values(z)
        if self.training:
            self.learn_(z.detach())
        return self.assign(z)

    def assign(self, z: Tensor) -> Assignment:
        """The best two nodes, the winner's activation and the weighted distance (eqs. 1, 2).

        Args:
            z: (batch, n_features) samples in [0, 1]. The distance carries their gradient; the
                map is constant in it.
        """
        with use_full_precision(z):
            z = self._as_samples(z)
            with torch.no_grad():
                activation, slot = find_nearest(z, self._make_product(), 2)
                found, winner = activation > 0, slot[:, 0]
                center, relevance = self.centers[winner], self.relevances[winner]
                total, nodes = relevance.sum(1), torch.where(found, slot, -1)
                found = found[:, 0]
            distance = (relevance * (z - center).square()).sum(1)
            return Assignment(
                nodes[:, 0],
                nodes[:, 1],
                torch.where(found, total / (total + distance.detach() + EPS), 0.0),
                torch.where(found, distance, math.inf),
            )

    @torch.no_grad()
    def nearest(self, z: Tensor, k: int = 2) -> Tensor:
        """The k best-matching units of every sample, best first: (batch, k) slots, int64.

        -1 stands where the map has fewer nodes.
        """
        with use_full_precision(z):
            activation, slot = find_nearest(self._as_samples(z), self._make_product(), k)
            return torch.where(activation > 0, slot, -1)

    @torch.no_grad()
    def adjacency(self) -> Tensor:
        """(N, N) mask of the connected slots: live nodes that activate each other (section 3.6)."""
        with use_full_precision(self.centers):
            reached = self._compute_activations(self.centers) >= self.threshold
        connected = reached & reached.T & self.live[:, None]
        return connected.fill_diagonal_(False)

    def connections(self) -> Tensor:
        """Pairs (i, j), i < j, of connected slots: (edges, 2), int64."""
        return self.adjacency().triu().nonzero()

    def progress(self) -> dict[str, Tensor]:
        """Live nodes, and the births and deaths since training began."""
        return {"nodes": self.n_live, "births": self.births, "deaths": self.deaths}

    def extra_repr(self) -> str:
        """The settings that name the map in a printed model."""
        return (
            f"n_features={self.n_features}, max_nodes={self.max_nodes}, "
            f"activation_threshold={self.activation_threshold}"
        )

    def _check_values(self, z: Tensor) -> None:
        """Refuse what would be made nodes of, and is not a sample of a cube."""
        low, high = (float(end) for end in z.detach().aminmax()) if z.numel() else (0.0, 1.0)
        if not (math.isfinite(low) and math.isfinite(high)):
            raise ValueError("the map takes finite samples, got NaN or infinite values: fix them")
        if self.training and not (low >= -FAR and high <= 1 + FAR):
            raise ValueError(
                f"the map takes samples in [0, 1], but they reach from {low:.3g} to {high:.3g}: "
                "scale them"
            )

    def _as_samples(self, z: Tensor) -> Tensor:
        if z.ndim != 2 or z.shape[1] != self.n_features:
            raise ValueError(
                f"the map takes samples of shape (batch, {self.n_features}), got {tuple(z.shape)}"
            )
        if self.centers.dtype not in (torch.float32, torch.float64):
            raise ValueError(
                f"the map keeps its state in float32, but was converted to {self.centers.dtype}; "
                "use a mixed precision instead of a half-precision model"
            )
        return z.to(self.centers.dtype)

    def _compute_activations(self, z: Tensor) -> Tensor:
        return compute_activations(z, self.centers, self.relevances, self.live)

    def _make_product(self) -> Product:
        return make_product(self.centers, self.relevances, self.live)
