"""The self-organizing map with relevance learning (SOMRL), as one batched, growing layer.

Implements Algorithm 1 of "Shaping latent representations using Self-Organizing Maps with
Relevance Learning", submitted to ICLR 2022, on fixed-shape buffers. On a GPU
and under ``torch.compile`` nothing in a step waits for the device or depends on data in its shapes;
on a processor free slots and empty groups are left out. Every rank of a distributed run gets the
same map.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from dcsomrl.maps.nearest import EPS, find_nearest, may_wait
from dcsomrl.maps.rules import compute_push, compute_relevances
from dcsomrl.maps.settings import (
    DistanceMode,
    NeighborhoodForm,
    RepelMode,
    check_choices,
    check_ranges,
)
from dcsomrl.maps.state import RelevanceMap

# A neighbour whose pull is weaker than this is left alone: one node in ten thousand steps.
SMALLEST_PULL = 1e-4
# Distances that differ by a smaller share count as the same.
NEAR = 1e-4
# Share of a batch in the variance that a radius is measured in.
FOLLOWING = 0.05


class Statistics(NamedTuple):
    """What one step of the map needs to know of a batch.

    Attributes:
        packed: flat tensor of all sums and counts, so that one all-reduce carries them.
        samples: an upper bound on the number of samples over all ranks, which bounds the number
            of groups without asking the device.
    """

    packed: Tensor
    samples: int


class SOMRL(RelevanceMap):
    r"""Growing self-organizing map whose nodes learn a relevance for every dimension.

    In training mode a call first takes a step on the batch, then assigns it; in evaluation mode
    it only assigns.

    Args:
        n_features: see :class:`RelevanceMap`, as ``max_nodes`` and ``activation_threshold``.
        max_nodes: N.
        activation_threshold: :math:`a_t`.
        learning_rate: ``lr`` in (0, 1], the share of the way that a winner moves (eq. 3).
        relevance_rate: :math:`\beta` in [0, 1], the rate of the moving-average distances (eq. 5).
        neighborhood_decay: :math:`\gamma` > 0, how the pull falls with the rank of a neighbour.
        neighborhood_form: ``product`` for :math:`e^{-\gamma r}`, ``quotient`` for
            :math:`e^{-r/\gamma}`; the paper lost the place of gamma.
        repel_rate: :math:`\rho` >= 0, the strength of the push away from the map's mean (eq. 4).
        repel_mode: shape of the push for a node at u from the mean of the live centres: ``none``;
            ``signed`` :math:`\mathrm{sgn}(u)\max(1-2|u|,0)` and ``proportional``
            :math:`u\max(1-2|u|,0)` by dimension; ``radial``
            :math:`u/\|u\|\max(1-2\|u\|,0)`, which acts only on a map about to collapse.
        distance_mode: what the moving average follows: ``spread``, the mean distance of the
            node's own samples from its centre; ``drift``, the distance of their mean from it.
            Samples that neighbours won count by their mean in both.
        relevance_smoothness: s > 0, the slope of eq. 6.
        life_decay: ``ld`` in [0, 1], the life a node loses in a batch without a win.
        radius: how far a node reaches, above 0, in deviations of the samples: the threshold then
            follows their spread, ``1 / (1 + (radius * spread)^2)``, where spread is the root of the
            mean variance of a dimension, averaged over the last batches; ``activation_threshold``
            is then None. None for the fixed threshold.

    Raises:
        ValueError: an argument outside its range.

    Attributes:
        life: (N,) in (0, 1] for live nodes; further state in :class:`RelevanceMap`.
        variance: of a dimension of the samples, 0-d; only where there is a radius.

    Source: Algorithm 1, sections 3.1 to 3.6, eqs. 1 to 6. Where the text is silent: several
    groups that pull the same node act as their pull-weighted mean, and the sum of their pulls
    counts up to 1.
    """

    life: Tensor
    variance: Tensor

    def __init__(
        self,
        n_features: int,
        max_nodes: int = 200,
        activation_threshold: float | None = 0.99425,
        learning_rate: float = 0.1426,
        relevance_rate: float = 0.067,
        neighborhood_decay: float = 1.382,
        neighborhood_form: NeighborhoodForm = "product",
        repel_rate: float = 1.0,
        repel_mode: RepelMode = "radial",
        distance_mode: DistanceMode = "spread",
        relevance_smoothness: float = 0.426,
        life_decay: float = 0.36,
        radius: float | None = None,
    ) -> None:
        super().__init__(n_features, max_nodes, activation_threshold)
        if (radius is None) == (activation_threshold is None):
            raise ValueError(
                "a map has an activation_threshold or a radius: set one of them, and the other to "
                f"`None`; got {activation_threshold} and {radius}"
            )
        if radius is not None:
            check_ranges(radius=radius)
            self.register_buffer("variance", torch.zeros(()))
        check_ranges(
            learning_rate=learning_rate,
            relevance_rate=relevance_rate,
            neighborhood_decay=neighborhood_decay,
            repel_rate=repel_rate,
            relevance_smoothness=relevance_smoothness,
            life_decay=life_decay,
        )
        check_choices(
            neighborhood_form=neighborhood_form,
            repel_mode=repel_mode,
            distance_mode=distance_mode,
        )
        self.learning_rate = learning_rate
        self.relevance_rate = relevance_rate
        self.repel_rate = repel_rate
        self.repel_mode = repel_mode
        self.distance_mode = distance_mode
        self.relevance_smoothness = relevance_smoothness
        self.life_decay = life_decay
        self.radius = radius
        self.register_buffer("life", torch.zeros(max_nodes))
        rate = neighborhood_decay if neighborhood_form == "product" else 1 / neighborhood_decay
        self._decay = rate
        self._reach = min(int(-math.log(SMALLEST_PULL) / rate), max_nodes - 1)

    @property
    def threshold(self) -> float | Tensor:
        """The activation below which a sample asks for a node, as it is now."""
        if self.activation_threshold is not None:
            return self.activation_threshold
        assert self.radius is not None
        return 1 / (1 + self.radius**2 * self.variance)

    @torch.no_grad()
    def clear_(self) -> None:
        """Remove every node, so that the map grows anew from the next batch on."""
        self.deaths += self.n_live
        self.live.zero_()
        self.life.zero_()

    @torch.no_grad()
    def fill_(self, z: Tensor) -> None:
        """Make nodes of samples (batch, n_features) until all are in reach of one, or none is left.

        Of the samples out of reach the one nearest to their mean becomes a node, time after time. A
        step would put nodes on the mean itself, which of far groups may be as far from all.
        Processes of a group fill the same map together.
        """
        z = self._gather(self._as_samples(z))
        for slot in (~self.live).nonzero()[:, 0]:
            lost = z[self._compute_activations(z).amax(1) < self.threshold]
            if not len(lost):
                return
            apart = (lost - lost.mean(0)).square().sum(1)
            # The first of those that are as near, as two are that are left: not what rounding says.
            self.centers[slot] = lost[(apart <= (1 + NEAR) * apart.min()).byte().argmax()]
            self.relevances[slot], self.distances[slot], self.life[slot] = 1.0, 0.0, 1.0
            self.live[slot] = True
            self.births += 1

    def _gather(self, z: Tensor) -> Tensor:
        """The samples of all processes of a group, which hold equally many each."""
        if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
            return z
        parts = [torch.empty_like(z) for _ in range(torch.distributed.get_world_size())]
        torch.distributed.all_gather(parts, z.contiguous())
        return torch.cat(parts)

    def learn_(self, z: Tensor) -> None:
        """Take a step on a batch (batch, n_features); processes of a group take one together.

        Raises:
            ValueError: z has another shape.
        """
        self.step_(self.reduce(self.statistics(z)))

    @torch.no_grad()
    def statistics(self, z: Tensor) -> Statistics:
        """Sums and counts of a batch by winner, apart for satisfied and unsatisfied samples.

        Args:
            z: (batch, n_features) samples in [0, 1].

        Returns:
            Per slot the satisfied sum and count, the unsatisfied sum and count and, for
            ``distance_mode="spread"``, the satisfied sum of distances to the centre.
        """
        with torch.autocast(z.device.type, enabled=False):
            z = self._as_samples(z)
            activation, slot = find_nearest(z, self._make_product(), 1)
            winner = slot[:, 0]
            satisfied = activation[:, 0] >= self.threshold
            packed = z.new_zeros(self._packed_size)
            groups, spread = self._unpack(packed)
            if self.radius is not None:
                packed[-1] = (z - 0.5).square().sum()
            row = winner + self.max_nodes * ~satisfied
            ones = z.new_ones(z.shape[0], 1)
            groups.flatten(0, 1).index_add_(0, row, torch.cat([z, ones], 1))
            if spread is not None:
                apart = (z - self.centers[winner]).abs() * satisfied[:, None]
                spread.index_add_(0, winner, apart)
            return Statistics(packed, z.shape[0])

    def reduce(self, statistics: Statistics) -> Statistics:
        """Sum the statistics over all ranks, which must hold equally many samples each."""
        if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
            return statistics
        torch.distributed.all_reduce(statistics.packed)
        return Statistics(
            statistics.packed, statistics.samples * torch.distributed.get_world_size()
        )

    @torch.no_grad()
    def step_(self, statistics: Statistics) -> None:
        """One step of Algorithm 1 on the statistics of a batch, in place."""
        with torch.autocast(statistics.packed.device.type, enabled=False):
            groups, spread = self._unpack(statistics.packed)
            if self.radius is not None:
                self._follow_(groups, statistics.packed[-1])
            n_groups = min(self.max_nodes, statistics.samples)
            self._move_(groups[0, :, :-1], groups[0, :, -1], spread, n_groups)
            self._age_(groups[:, :, -1].sum(0) > 0)
            self._insert_(groups[1, :, :-1], groups[1, :, -1], n_groups)

    @property
    def _packed_size(self) -> int:
        groups = 2 * self.max_nodes * (self.n_features + 1)
        spread = self.max_nodes * self.n_features if self.distance_mode == "spread" else 0
        return groups + spread + (self.radius is not None)

    def _unpack(self, packed: Tensor) -> tuple[Tensor, Tensor | None]:
        """Views: (satisfied or not, N, sum and count) and the satisfied spread (N, m), if kept."""
        shape = (2, self.max_nodes, self.n_features + 1)
        size = math.prod(shape)
        if self.distance_mode != "spread":
            return packed[:size].view(shape), None
        spread = packed[size : size + self.max_nodes * self.n_features]
        return packed[:size].view(shape), spread.view(-1, self.n_features)

    def _follow_(self, groups: Tensor, squares: Tensor) -> None:
        """The variance follows that of the batch, of which only the first one counts in full.

        Args:
            groups: (2, N, m + 1) sums and counts.
            squares: 0-d sum of the squares of all samples, about the middle of the cube.
        """
        total = groups.sum((0, 1))
        count = total[-1]
        middle = (total[:-1] / count - 0.5).square().sum()
        variance = ((squares / count - middle) / self.n_features).clamp(min=0)
        change = variance - self.variance
        self.variance += torch.where(self.variance > 0, FOLLOWING * change, change)

    def _move_(self, sums: Tensor, counts: Tensor, spread: Tensor | None, n_groups: int) -> None:
        """Distances, relevances and centres follow the satisfied groups (eqs. 3 to 6)."""
        own = (counts > 0).to(sums)
        means = sums / counts.clamp(min=1)[:, None]
        others, other_target = self._compute_pull(means, counts, n_groups)
        weight = own + others
        blend = others[:, None] * other_target + own[:, None] * means
        target = blend / weight.clamp(min=EPS)[:, None]
        if spread is None:
            apart = (target - self.centers).abs()
        else:
            drift = others[:, None] * (other_target - self.centers).abs()
            within = own[:, None] * spread / counts.clamp(min=1)[:, None]
            apart = (within + drift) / weight.clamp(min=EPS)[:, None]
        pull = (self.learning_rate * weight.clamp(max=1))[:, None]
        away = self.repel_rate * compute_push(self.centers, self.live, self.repel_mode)
        self.distances += self.relevance_rate * pull * (apart - self.distances)
        self.relevances.copy_(compute_relevances(self.distances, self.relevance_smoothness))
        self.centers += pull * (target - self.centers + away)
        self.centers.clamp_(0, 1)

    def _compute_pull(self, means: Tensor, counts: Tensor, n_groups: int) -> tuple[Tensor, Tensor]:
        """Pull of the groups that other nodes won: its sum (N,) and its mean target (N, m)."""
        won = counts > 0
        slot = won.nonzero()[:, 0] if may_wait(counts) else counts.topk(n_groups).indices
        group_means = means[slot]
        # The node of the group is one of those nearest to it, or another one is one too many.
        activation, neighbor = find_nearest(group_means, self._make_product(), self._reach + 1)
        other = neighbor != slot[:, None]
        rank = other.cumsum(1)
        pulled = other & (rank <= self._reach) & (activation > 0) & won[slot][:, None]
        pull = torch.exp(-self._decay * rank.to(means)) * pulled
        if may_wait(counts):
            total = torch.zeros_like(counts).index_add_(0, neighbor.flatten(), pull.flatten())
            pulls = pull[:, :, None] * group_means[:, None]
            target = torch.zeros_like(means)
            target.index_add_(0, neighbor.flatten(), pulls.flatten(0, 1))
        else:  # a GPU would add in any order, and every rank in its own
            dense = pull.new_zeros(len(slot), self.max_nodes).scatter_(1, neighbor, pull)
            total, target = dense.sum(0), dense.T @ group_means
        return total, target / total.clamp(min=EPS)[:, None]

    def _age_(self, won: Tensor) -> None:
        """Winners live on, the others lose life, and those without any leave (section 3.4)."""
        life = torch.where(won, 1.0, self.life - self.life_decay)
        survives = self.live & (life > 0)
        self.deaths += (self.live & ~survives).sum()
        self.life.copy_(life * survives)
        self.live.copy_(survives)

    def _insert_(self, sums: Tensor, counts: Tensor, n_groups: int) -> None:
        """A node at the mean of every unsatisfied group, the largest first, while slots last."""
        count, source = counts.sort(descending=True, stable=True)
        count, source = count[:n_groups], source[:n_groups]
        slot = self.live.byte().argsort(stable=True)[:n_groups]
        new = (count > 0) & ~self.live[slot]
        column = new[:, None]
        mean = sums[source] / count.clamp(min=1)[:, None]
        self.centers[slot] = torch.where(column, mean, self.centers[slot])
        self.relevances[slot] = self.relevances[slot].masked_fill(column, 1.0)
        self.distances[slot] = self.distances[slot].masked_fill(column, 0.0)
        self.life[slot] = self.life[slot].masked_fill(new, 1.0)
        self.live[slot] = self.live[slot] | new
        self.births += new.sum()
