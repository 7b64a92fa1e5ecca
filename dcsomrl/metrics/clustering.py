"""The measures of :mod:`dcsomrl.metrics.functional` over many batches and processes.

States are counts and sums of fixed shape, added up over processes, so memory does not grow with
the data; no ``update`` waits for a GPU.
"""

import torch
from torch import Tensor
from torchmetrics import Metric, MetricCollection

from dcsomrl.metrics import functional
from dcsomrl.metrics.catalogue import LABEL_SCORES, Score


class LabelScore(Metric):
    """A score against labels, from the contingency matrix of all samples.

    Args:
        score: the score, 0-d, of a contingency matrix (n_clusters, n_classes); see
            :mod:`dcsomrl.metrics.functional`.
        n_clusters: clusters, or slots of the map.
        n_classes: classes of the labels.

    Raises:
        ValueError: a number below 1.
    """

    matrix: Tensor
    full_state_update = False
    is_differentiable = False

    def __init__(self, score: Score, n_clusters: int, n_classes: int) -> None:
        super().__init__()
        if n_clusters < 1 or n_classes < 1:
            raise ValueError(
                f"n_clusters and n_classes must be at least 1, got {n_clusters} and {n_classes}"
            )
        self.score = score
        self.n_clusters = n_clusters
        self.n_classes = n_classes
        counts = torch.zeros(n_clusters, n_classes, dtype=torch.int64)
        self.add_state("matrix", counts, dist_reduce_fx="sum")

    def update(self, clusters: Tensor, labels: Tensor) -> None:
        """Take in a batch; see :func:`dcsomrl.metrics.functional.count_contingency`."""
        batch = functional.count_contingency(clusters, labels, self.n_clusters, self.n_classes)
        self.matrix = self.matrix + batch

    def compute(self) -> Tensor:
        """Score of all samples so far, 0-d float64 on the CPU."""
        return self.score(self.matrix)


def make_label_scores(n_clusters: int, n_classes: int) -> MetricCollection:
    """All scores against labels of the catalogue over one shared contingency matrix.

    Args:
        n_clusters: clusters, or slots of the map.
        n_classes: classes of the labels.

    Returns:
        Collection with the keys of :data:`dcsomrl.metrics.catalogue.LABEL_SCORES`.

    Raises:
        ValueError: either below 1.
    """
    # The group is named: found on its own, it costs ten updates and comparisons on the host.
    return MetricCollection(
        {name: LabelScore(score, n_clusters, n_classes) for name, score in LABEL_SCORES.items()},
        compute_groups=[list(LABEL_SCORES)],
    )


class QuantizationError(Metric):
    """Mean distance of samples to their winner's centre, from the distances of the batches."""

    distance: Tensor
    samples: Tensor
    full_state_update = False
    is_differentiable = False
    higher_is_better = False

    def __init__(self) -> None:
        super().__init__()
        self.add_state("distance", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("samples", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, distances: Tensor) -> None:
        """Take in (batch,) Euclidean distances, not squared, of samples that have a winner."""
        self.distance = self.distance + distances.detach().sum(dtype=torch.float32)
        self.samples = self.samples + distances.numel()

    def compute(self) -> Tensor:
        """Mean over all samples so far, 0-d; NaN where there is none."""
        return self.distance / self.samples


class TopographicError(Metric):
    """Share of samples whose two best-matching units are not adjacent."""

    errors: Tensor
    samples: Tensor
    full_state_update = False
    is_differentiable = False
    higher_is_better = False

    def __init__(self) -> None:
        super().__init__()
        self.add_state("errors", torch.tensor(0), dist_reduce_fx="sum")
        self.add_state("samples", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, first: Tensor, second: Tensor, adjacency: Tensor) -> None:
        """Take in a batch; see :func:`dcsomrl.metrics.functional.topographic_error`."""
        errors, samples = functional.count_topographic_errors(first, second, adjacency)
        self.errors = self.errors + errors
        self.samples = self.samples + samples

    def compute(self) -> Tensor:
        """Share of all samples so far, 0-d; NaN where none has two best-matching units."""
        return self.errors / self.samples


class NodeUsage(Metric):
    """How many nodes win samples, and how evenly.

    Args:
        n_clusters: slots of the map.

    Raises:
        ValueError: below 1.
    """

    counts: Tensor
    full_state_update = False
    is_differentiable = False

    def __init__(self, n_clusters: int) -> None:
        super().__init__()
        if n_clusters < 1:
            raise ValueError(f"n_clusters must be at least 1, got {n_clusters}")
        self.n_clusters = n_clusters
        self.add_state("counts", torch.zeros(n_clusters, dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, clusters: Tensor) -> None:
        """Take in (batch,) clusters; below 0 is a sample without a node and is dropped."""
        one_class = torch.zeros_like(clusters)
        self.counts = self.counts + functional.count_contingency(
            clusters, one_class, self.n_clusters, 1
        ).squeeze(1)

    def compute(self) -> dict[str, Tensor]:
        """``nodes_used`` and ``perplexity`` of all samples so far."""
        return {
            "nodes_used": functional.count_used(self.counts),
            "perplexity": functional.perplexity(self.counts),
        }
