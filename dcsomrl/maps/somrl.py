"""The self-organizing map with relevance learning (SOMRL), as one batched, growing layer.

Implements Algorithm 1 of "Shaping latent representations using Self-Organizing Maps with
Relevance Learning", submitted to ICLR 2022, on fixed-shape buffers. On a GPU
and under ``torch.compile`` nothing in a step waits for the device or depends on data in its shapes;
on a processor free slots, empty groups and nodes that no group pulls are left out. Every rank of a
distributed run gets the same map.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from dcsomrl.hints import check_arguments
from dcsomrl.maps.nearest import BLOCK, EPS, Product, find_nearest, may_wait, use_full_precision
from dcsomrl.maps.rules import compute_push, compute_relevances
from dcsomrl.maps.settings import (
    DistanceMode,
    NeighborhoodForm,
    RepelMode,
)
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
        product: of the map as it was, which the step needs once more.
    """

    packed: Tensor
    samples: int
    product: Product


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

    @check_arguments
    def __init__(
        self,
        n_features: Count,
        max_nodes: Several = 200,
        activation_threshold: ShareBetween | None = 0.99425,
        learning_rate: ShareAboveZero = 0.1426,
        relevance_rate: Share = 0.067,
        neighborhood_decay: Positive = 1.382,
        neighborhood_form: NeighborhoodForm = "product",
        repel_rate: NonNegative = 1.0,
        repel_mode: RepelMode = "radial",
        distance_mode: DistanceMode = "spread",
        relevance_smoothness: Positive = 0.426,
        life_decay: Share = 0.36,
        radius: Positive | None = None,
    ) -> None:
        super().__init__(n_features, max_nodes, activation_threshold)
        if (radius is None) == (activation_threshold is None):
            raise ValueError(
                "a map has an activation_threshold or a radius: set one of them, and the other to "
                f"`None`; got {activation_threshold} and {radius}"
            )
        if radius is not None:
            self.register_buffer("variance", torch.zeros(()))
        self.learning_rate = learning_rate
        self.relevance_rate = relevance_rate
        self.repel_rate = repel_rate
        self.repel_mode = repel_mode
        self.distance_mode = distance_mode
        self.relevance_smoothness = relevance_smoothness
        self.life_decay = life_decay
        self.radius = radius
        # Columns of what a batch says of a slot: of its satisfied samples, and of the others.
        sums = n_features + 1
        self._widths = (sums + n_features if distance_mode == "spread" else sums), sums
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
        # Takes an eighth off a step of a small map; a compiler knows no tensors of that mode.
        alone = isinstance(z, Tensor) and may_wait(z)
        with torch.inference_mode() if alone else torch.no_grad():
            self.step_(self.reduce(self.statistics(z)))

    @torch.no_grad()
    def statistics(self, z: Tensor) -> Statistics:
        """Sums and counts of a batch by winner, apart for satisfied and unsatisfied samples.

        Args:
            z: (batch, n_features) samples in [0, 1].

        Returns:
            Per slot the satisfied sum and count and, for ``distance_mode="spread"``, the satisfied
            sum of distances to the centre; and the unsatisfied sum and count.
        """
        with use_full_precision(z):
            z, product = self._as_samples(z), self._make_product()
            activation, slot = find_nearest(z, product, 1)
            winner, lost = slot[:, 0], ~(activation[:, 0] >= self.threshold)
            packed = z.new_zeros(self.max_nodes * sum(self._widths) + (self.radius is not None))
            kept, asking = self._unpack(packed)
            if self.radius is not None:
                packed[-1] = (z - 0.5).square().sum()
            terms = [z, z.new_ones(z.shape[0], 1)]
            if self.distance_mode == "spread":
                terms.append(self.centers.index_select(0, winner).sub_(z).abs_())
            rows = torch.cat(terms, 1)
            if may_wait(z):  # mostly there are few that are lost
                out = lost.nonzero()[:, 0]
                if len(out):
                    asking.index_add_(0, winner[out], rows[out, : self.n_features + 1])
                    rows.index_fill_(0, out, 0.0)
            else:
                asking.index_add_(0, winner, rows[:, : self.n_features + 1] * lost[:, None])
                rows.masked_fill_(lost[:, None], 0.0)
            kept.index_add_(0, winner, rows)
            return Statistics(packed, z.shape[0], product)

    def reduce(self, statistics: Statistics) -> Statistics:
        """Sum the statistics over all ranks, which must hold equally many samples each."""
        if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
            return statistics
        torch.distributed.all_reduce(statistics.packed)
        return statistics._replace(samples=statistics.samples * torch.distributed.get_world_size())

    @torch.no_grad()
    def step_(self, statistics: Statistics) -> None:
        """One step of Algorithm 1 on the statistics of a batch, in place."""
        with use_full_precision(statistics.packed):
            kept, asking = self._unpack(statistics.packed)
            if self.radius is not None:
                self._follow_(kept, asking, statistics.packed[-1])
            n_groups = min(self.max_nodes, statistics.samples)
            self._move_(kept, n_groups, statistics.product)
            self._age_(kept[:, self.n_features] + asking[:, -1] > 0)
            self._insert_(asking, n_groups)

    def _unpack(self, packed: Tensor) -> tuple[Tensor, Tensor]:
        """Views: satisfied sum, count and, if kept, spread (N, ...); unsatisfied sum and count."""
        satisfied, unsatisfied = self._widths
        size = self.max_nodes * satisfied
        rest = packed[size : size + self.max_nodes * unsatisfied]
        return packed[:size].view(-1, satisfied), rest.view(-1, unsatisfied)

    def _follow_(self, kept: Tensor, asking: Tensor, squares: Tensor) -> None:
        """The variance follows that of the batch, of which only the first one counts in full.

        Args:
            kept: (N, ...) of the satisfied samples, as :meth:`_unpack` gives it.
            asking: (N, m + 1) of the unsatisfied ones.
            squares: 0-d sum of the squares of all samples, about the middle of the cube.
        """
        total = kept[:, : self.n_features + 1].sum(0) + asking.sum(0)
        count = total[-1]
        middle = (total[:-1] / count - 0.5).square().sum()
        variance = ((squares / count - middle) / self.n_features).clamp(min=0)
        change = variance - self.variance
        self.variance += torch.where(self.variance > 0, FOLLOWING * change, change)

    def _move_(self, kept: Tensor, n_groups: int, product: Product) -> None:
        """Distances, relevances and centres follow the satisfied groups (eqs. 3 to 6).

        Args:
            kept: (N, ...) of the satisfied samples, as :meth:`_unpack` gives it.
            n_groups: how many groups there are at most.
            product: of the map as it is.
        """
        m = self.n_features
        # The mean of the group of every slot, whether it has one, and its spread.
        own = kept / kept[:, m, None].clamp(min=1)
        others = self._sum_pulls(own[:, : m + 1], n_groups, product)
        centers, distances, touched = self.centers, self.distances, None
        if may_wait(own) and self.max_nodes > BLOCK:  # only nodes that a group pulls move
            touched = (own[:, m] + others[:, m]).nonzero()[:, 0]
            own, others, centers, distances = (
                rows.index_select(0, touched) for rows in (own, others, centers, distances)
            )
        pull = others[:, m, None]
        weight = own[:, m, None] + pull
        some = weight.clamp(min=EPS)
        elsewhere = others[:, :m] / pull.clamp(min=EPS)
        target = (pull * elsewhere).add_(own[:, :m]).div_(some)
        if self.distance_mode == "spread":
            drift = elsewhere.sub_(centers).abs_().mul_(pull)
            apart = drift.add_(own[:, m + 1 :]).div_(some)
        else:
            apart = (target - centers).abs_()
        toward = target.sub_(centers)
        if self.repel_mode != "none" and self.repel_rate > 0:
            live = self.live[:, None]
            middle = (self.centers * live).sum(0) / live.sum().clamp_(min=1)
            toward += compute_push(centers, middle, self.repel_mode).mul_(self.repel_rate)
        rate = weight.clamp(max=1).mul_(self.learning_rate)
        distances += apart.sub_(distances).mul_(self.relevance_rate * rate)
        centers += toward.mul_(rate)
        centers.clamp_(0, 1)
        if touched is not None:
            self.distances.index_copy_(0, touched, distances)
            self.centers.index_copy_(0, touched, centers)
        # Of all: those of some would be rounded by where they stand among these.
        self.relevances.copy_(compute_relevances(self.distances, self.relevance_smoothness))

    def _sum_pulls(self, means: Tensor, n_groups: int, product: Product) -> Tensor:
        """Pull of the groups that other nodes won: the pulled means and the pulls, summed, by node.

        Args:
            means: (N, m + 1) of the groups, and 1 where there is one, else 0.
            n_groups: how many groups there are at most.
            product: of the map.

        Returns:
            (N, m + 1).
        """
        won = means[:, -1]
        slot = won.nonzero()[:, 0] if may_wait(won) else won.topk(n_groups).indices
        own = means.index_select(0, slot)
        # The node of the group is one of those nearest to it, or another one is one too many.
        activation, neighbor = find_nearest(own[:, :-1], product, self._reach + 1)
        other = neighbor != slot[:, None]
        rank = other.cumsum(1, dtype=own.dtype)
        pulled = other & (rank <= self._reach) & (activation > 0)
        pull = rank.mul_(-self._decay).exp_().mul_(pulled)
        if may_wait(won):
            pulls = (pull[:, :, None] * own[:, None]).flatten(0, 1)
            return torch.zeros_like(means).index_add_(0, neighbor.flatten(), pulls)
        # A GPU would add in any order, and every rank in its own.
        dense = pull.new_zeros(len(slot), self.max_nodes).scatter_(1, neighbor, pull)
        return dense.T @ own

    def _age_(self, won: Tensor) -> None:
        """Winners live on, the others lose life, and those without any leave (section 3.4)."""
        life = self.life.sub_(self.life_decay).masked_fill_(won, 1.0)
        survives = self.live & (life > 0)
        life.mul_(survives)
        self.deaths += (self.live ^ survives).sum()
        self.live.copy_(survives)

    def _insert_(self, groups: Tensor, n_groups: int) -> None:
        """A node at the mean of every unsatisfied group, the largest first, while slots last.

        Args:
            groups: (N, m + 1) sums and counts.
            n_groups: how many groups there are at most.
        """
        counts = groups[:, -1]
        if may_wait(counts):
            n_groups = min(int(counts.count_nonzero()), self.max_nodes - int(self.n_live))
            if n_groups == 0:
                return
        count, source = counts.sort(descending=True, stable=True)
        count, source = count[:n_groups], source[:n_groups]
        slot = self.live.byte().argsort(stable=True)[:n_groups]
        new = (count > 0) & ~self.live[slot]
        column = new[:, None]
        mean = groups[source, :-1] / count.clamp(min=1)[:, None]
        self.centers[slot] = torch.where(column, mean, self.centers[slot])
        self.relevances[slot] = self.relevances[slot].masked_fill(column, 1.0)
        self.distances[slot] = self.distances[slot].masked_fill(column, 0.0)
        self.life[slot] = self.life[slot].masked_fill(new, 1.0)
        self.live[slot] = self.live[slot] | new
        self.births += new.sum()
