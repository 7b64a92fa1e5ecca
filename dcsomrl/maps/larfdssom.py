"""LARFDSSOM, the ancestor of SOMRL: a growing map that learns sample by sample."""

from collections.abc import Callable

import torch
from torch import Tensor

from dcsomrl.hints import check_arguments
from dcsomrl.maps.nearest import EPS
from dcsomrl.maps.rules import compute_relevances
from dcsomrl.maps.state import RelevanceMap
from dcsomrl.ranges import (
    Count,
    NonNegative,
    Positive,
    Several,
    Share,
    ShareAboveZero,
    ShareBetween,
)

# Rounds over all samples in which a map may settle; a few are the rule.
MOST_ROUNDS = 20


class LARFDSSOM(RelevanceMap):
    r"""Map with local adaptive receptive fields and a topology of similar relevances.

    In training mode a call first learns from the samples of the batch, one after another, then
    assigns them. A sample that activates its winner less than the threshold becomes a node while
    there is room; else, at or above it, the winner moves towards it by ``winner_rate`` and the
    winner's neighbours by ``neighbor_rate``. Two nodes are neighbours where the norm of the
    difference of their relevances is under ``connection_threshold * sqrt(m)``. Every ``age_wins``
    samples, nodes with less than ``lowest_share`` of the wins are removed, never the last one,
    and the connections made anew.

    Args:
        n_features: see :class:`RelevanceMap`, as ``max_nodes`` and ``activation_threshold``.
        max_nodes: N.
        activation_threshold: :math:`a_t`.
        winner_rate: :math:`e_b` in (0, 1].
        neighbor_rate: :math:`e_n` in [0, 1].
        relevance_rate: :math:`\beta` in [0, 1], of the moving-average distances.
        relevance_smoothness: s > 0, slope of the relevances.
        lowest_share: ``lp`` in [0, 1], share of the samples a node must win to stay.
        age_wins: samples between two removals, at least 1.
        connection_threshold: ``minwd`` >= 0.

    Raises:
        ValueError: an argument outside its range.

    Attributes:
        wins: (N,) since the last removal.
        seen: samples since the last removal, 0-d.
        connected: (N, N) mask of the neighbours.
        frozen: whether the map takes no more nodes, and loses some only by :meth:`remove_`; 0-d.

    Source: Bassani & Araujo 2015.
    """

    sequential = True
    wins: Tensor
    seen: Tensor
    connected: Tensor
    frozen: Tensor

    @check_arguments
    def __init__(
        self,
        n_features: Count,
        max_nodes: Several = 100,
        activation_threshold: ShareBetween = 0.95,
        winner_rate: ShareAboveZero = 0.01,
        neighbor_rate: Share = 0.002,
        relevance_rate: Share = 0.1,
        relevance_smoothness: Positive = 0.05,
        lowest_share: Share = 0.005,
        age_wins: Count = 1000,
        connection_threshold: NonNegative = 0.25,
    ) -> None:
        super().__init__(n_features, max_nodes, activation_threshold)
        self.winner_rate, self.neighbor_rate = winner_rate, neighbor_rate
        self.relevance_rate = relevance_rate
        self.relevance_smoothness = relevance_smoothness
        self.lowest_share, self.age_wins = lowest_share, age_wins
        self.connection_threshold = connection_threshold
        self.register_buffer("wins", torch.zeros(max_nodes, dtype=torch.int64))
        self.register_buffer("seen", torch.tensor(0))
        self.register_buffer("connected", torch.zeros(max_nodes, max_nodes, dtype=torch.bool))
        self.register_buffer("frozen", torch.tensor(False))

    @torch.no_grad()
    def learn_(self, z: Tensor) -> None:
        """Learn from every sample of a batch (batch, n_features), one after the other.

        Raises:
            ValueError: z has another shape.
        """
        with torch.autocast(z.device.type, enabled=False):
            for x in self._as_samples(z):
                self._learn_(x)

    @torch.no_grad()
    def settle_(self, samples: Callable[[], Tensor]) -> None:
        """Rounds over all samples (n, n_features) without insertion, until no node is removed."""
        self.frozen.fill_(True)
        # What was counted of an unfinished window says little of who wins.
        self.wins.zero_()
        self.seen.zero_()
        for _ in range(MOST_ROUNDS):
            self.learn_(samples())
            if self.remove_() == 0:
                break

    @torch.no_grad()
    def adjacency(self) -> Tensor:
        """(N, N) mask of the neighbours: live nodes of similar relevances."""
        return self.connected & self.live & self.live[:, None]

    def _learn_(self, x: Tensor) -> None:
        squares = (x - self.centers).square()
        total = self.relevances.sum(1)
        activation = total / (total + (self.relevances * squares).sum(1) + EPS)
        best, winner = activation.masked_fill(~self.live, -1.0).max(0)
        self.wins[winner] += self.live[winner]
        self.seen += 1
        if best >= self.threshold:
            self._move_(x, winner)
        elif not self.frozen and not self.live.all():
            self._insert_(x)
        if self.seen >= self.age_wins and not self.frozen:
            self.remove_()

    def _move_(self, x: Tensor, winner: Tensor) -> None:
        others = self.connected[winner].nonzero()[:, 0]
        node = torch.cat([winner[None], others])
        rate = x.new_full((len(node), 1), self.neighbor_rate)
        rate[0] = self.winner_rate
        away = x - self.centers[node]
        distances = self.distances[node]
        distances = distances + rate * self.relevance_rate * (away.abs() - distances)
        self.distances[node] = distances
        self.relevances[node] = compute_relevances(distances, self.relevance_smoothness)
        self.centers[node] += rate * away

    def _insert_(self, x: Tensor) -> None:
        slot = self.live.byte().argmin()
        self.centers[slot], self.relevances[slot], self.distances[slot] = x, 1.0, 0.0
        self.live[slot], self.wins[slot] = True, 0
        self.births += 1
        near = self._find_similar(slot[None])[0]
        self.connected[slot], self.connected[:, slot] = near, near

    def _find_similar(self, node: Tensor) -> Tensor:
        """(nodes, N) mask of the live others whose relevances are like theirs."""
        apart = torch.cdist(self.relevances[node], self.relevances)
        near = apart < self.connection_threshold * self.n_features**0.5
        near &= self.live & self.live[node, None]
        return near.scatter_(1, node[:, None], False)

    @torch.no_grad()
    def remove_(self) -> int:
        """Remove who wins too little, connect anew, count from 0; returns how many are gone."""
        weak = self.live & (self.wins < self.lowest_share * self.seen)
        if bool((weak == self.live).all()):
            weak[self.wins.masked_fill(~self.live, -1).argmax()] = False
        self.live &= ~weak
        self.deaths += weak.sum()
        self.connected.copy_(self._find_similar(torch.arange(self.max_nodes, device=weak.device)))
        self.wins.zero_()
        self.seen.zero_()
        return int(weak.sum())
