"""SOMRL once more, as slow loops over samples, groups, nodes and dimensions, in float64.

Written from the method's description, not from the layer: no matrix product, no mask, no
vectorised update. What the layer does is right when it does this.
"""

import itertools
import math
from dataclasses import dataclass, field

EPS = 1e-7


@dataclass
class Node:
    """One live node."""

    center: list[float]
    relevance: list[float]
    distance: list[float]
    life: float


@dataclass
class Oracle:
    """The map; ``slots`` holds a node or None in each place."""

    m: int
    max_nodes: int
    activation_threshold: float
    learning_rate: float
    relevance_rate: float
    neighborhood_decay: float
    neighborhood_form: str
    repel_rate: float
    repel_mode: str
    distance_mode: str
    relevance_smoothness: float
    life_decay: float
    radius: float | None = None
    variance: float = 0.0
    slots: list[Node | None] = field(default_factory=list)
    births: int = 0
    deaths: int = 0
    # How near the step came to a place where the method itself jumps: a node at the very mean
    # of the map, which is pushed anywhere, distances that are all but equal, a sample or a group
    # as near to one node as to another one, or at the very threshold.
    edge: float = math.inf

    def __post_init__(self):
        self.slots = [None] * self.max_nodes
        if self.radius is not None:
            self.activation_threshold = 1.0

    def live(self):
        return [j for j, node in enumerate(self.slots) if node is not None]

    def weighted_distance(self, x, node):
        return sum(node.relevance[i] * (x[i] - node.center[i]) ** 2 for i in range(self.m))

    def activation(self, x, node):
        total = sum(node.relevance)
        return total / (total + self.weighted_distance(x, node) + EPS)

    def winner(self, x):
        """Slot of the most activated node, the lowest of equals, and its activation."""
        best, best_activation = None, -1.0
        activations = self.activations(x)
        for j, a in activations.items():
            if a > best_activation:
                best, best_activation = j, a
        self.note_ties(activations)
        self.edge = min(self.edge, abs(best_activation - self.activation_threshold))
        return best, best_activation

    def activations(self, x):
        """Those of the live nodes, by slot."""
        return {j: self.activation(x, self.slots[j]) for j in self.live()}

    def note_ties(self, activations):
        """Nodes that cannot be told apart: a product may round even equal nodes differently."""
        for a, b in itertools.pairwise(sorted(activations.values())):
            self.edge = min(self.edge, b - a)

    def step(self, batch):
        """One step on a list of samples."""
        satisfied, unsatisfied = {}, {}
        for x in batch:
            j, a = self.winner(x)
            if j is None:
                unsatisfied.setdefault(0, []).append(x)
            elif a >= self.activation_threshold:
                satisfied.setdefault(j, []).append(x)
            else:
                unsatisfied.setdefault(j, []).append(x)
        self.follow(batch)
        self.move(satisfied)
        self.age(set(satisfied) | set(unsatisfied))
        self.insert(unsatisfied)

    def follow(self, batch):
        """The threshold of the steps that follow, where it goes by the spread of the samples."""
        if self.radius is None:
            return
        middle = self.mean(batch)
        apart = [(x[i] - middle[i]) ** 2 for x in batch for i in range(self.m)]
        now = sum(apart) / len(apart)
        self.variance = 0.95 * self.variance + 0.05 * now if self.variance > 0 else now
        self.activation_threshold = 1 / (1 + self.radius**2 * self.variance)

    def mean(self, samples):
        return [sum(x[i] for x in samples) / len(samples) for i in range(self.m)]

    def pull(self, rank):
        if self.neighborhood_form == "product":
            h = math.exp(-self.neighborhood_decay * rank)
        else:
            h = math.exp(-rank / self.neighborhood_decay)
        return h if h >= 1e-4 else 0.0

    def pulls(self, means):
        """For every node its list of (pull, group) over all groups."""
        felt = {j: [] for j in self.live()}
        for g, x in means.items():
            activations = self.activations(x)
            self.note_ties(activations)
            others = sorted((j for j in activations if j != g), key=lambda j: (-activations[j], j))
            for rank, j in enumerate([g, *others]):
                if self.pull(rank) > 0:
                    felt[j].append((self.pull(rank), g))
        return felt

    def move(self, satisfied):
        live = self.live()
        means = {g: self.mean(samples) for g, samples in satisfied.items()}
        felt = self.pulls(means)
        old = {j: list(self.slots[j].center) for j in live}
        middle = [sum(old[j][i] for j in live) / len(live) for i in range(self.m)] if live else []
        for j in live:
            node = self.slots[j]
            if felt[j]:
                total = sum(h for h, _ in felt[j])
                target = [sum(h * means[g][i] for h, g in felt[j]) / total for i in range(self.m)]
                p = min(total, 1.0)
                apart = self.apart(j, felt[j], means, target, satisfied)
                push = self.push(old[j], middle)
                for i in range(self.m):
                    rate = self.relevance_rate * self.learning_rate * p
                    node.distance[i] = (1 - rate) * node.distance[i] + rate * apart[i]
                    toward = (target[i] - old[j][i]) + self.repel_rate * push[i]
                    moved = old[j][i] + self.learning_rate * p * toward
                    node.center[i] = min(max(moved, 0.0), 1.0)
            node.relevance = self.relevances(node.distance)

    def apart(self, j, felt, means, target, satisfied):
        """What the moving average of the distances follows."""
        center = self.slots[j].center
        if self.distance_mode == "drift":
            return [abs(target[i] - center[i]) for i in range(self.m)]
        others = [(h, g) for h, g in felt if g != j]
        weight = sum(h for h, _ in others)
        drift = [0.0] * self.m
        if others:
            for i in range(self.m):
                there = sum(h * means[g][i] for h, g in others) / weight
                drift[i] = abs(there - center[i])
        if j not in satisfied:
            return drift
        own = [
            sum(abs(x[i] - center[i]) for x in satisfied[j]) / len(satisfied[j])
            for i in range(self.m)
        ]
        return [(own[i] + weight * drift[i]) / (1 + weight) for i in range(self.m)]

    def push(self, center, middle):
        u = [center[i] - middle[i] for i in range(self.m)]
        norm = math.sqrt(sum(x * x for x in u))
        if len(self.live()) > 1 and self.repel_mode in ("signed", "radial"):
            self.edge = min(self.edge, norm, *(abs(x) for x in u if self.repel_mode == "signed"))
        if self.repel_mode == "signed":
            return [(x > 0) * max(1 - 2 * x, 0) - (x < 0) * max(1 + 2 * x, 0) for x in u]
        if self.repel_mode == "proportional":
            return [x * max(1 - 2 * abs(x), 0) for x in u]
        if self.repel_mode == "none" or norm == 0:
            return [0.0] * self.m
        return [x / norm * max(1 - 2 * norm, 0) for x in u]

    def relevances(self, distance):
        low, high = min(distance), max(distance)
        if high - low <= 2**-49 * high:
            return [1.0] * self.m
        self.edge = min(self.edge, high - low)
        mean = sum(distance) / self.m
        slope = self.relevance_smoothness * (high - low)
        if slope <= 0:
            return [1.0] * self.m
        return [logistic((mean - d) / slope) for d in distance]

    def age(self, winners):
        for j in self.live():
            if j in winners:
                self.slots[j].life = 1.0
            else:
                self.slots[j].life -= self.life_decay
                if self.slots[j].life <= 0:
                    self.slots[j] = None
                    self.deaths += 1

    def insert(self, unsatisfied):
        order = sorted(unsatisfied, key=lambda g: (-len(unsatisfied[g]), g))
        free = [j for j in range(self.max_nodes) if self.slots[j] is None]
        for g, j in zip(order, free, strict=False):
            mean = self.mean(unsatisfied[g])
            self.slots[j] = Node(mean, [1.0] * self.m, [0.0] * self.m, 1.0)
            self.births += 1


def logistic(x):
    if x >= 0:
        return 1 / (1 + math.exp(-x))
    return math.exp(x) / (1 + math.exp(x))
