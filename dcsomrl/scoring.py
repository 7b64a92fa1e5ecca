"""Scores of a trained model on a split; the only place where labels meet a model's output."""

import math
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from sklearn.metrics import silhouette_score
from torch import Tensor

from dcsomrl.data import Batch, ClusterData
from dcsomrl.data.arguments import read_whole
from dcsomrl.errors import ConfigError
from dcsomrl.maps import Assignment
from dcsomrl.metrics import (
    CLUSTER,
    CLUSTER_SCORES,
    LABEL_SCORES,
    NodeUsage,
    QuantizationError,
    TopographicError,
    count_contingency,
    make_label_scores,
)
from dcsomrl.models import ClusteringModule
from dcsomrl.networks import evaluating

# Scores of nodes that need no label.
NODE_SCORES = (
    *("nodes", "nodes_used", "perplexity"),
    *("quantization_error", "topographic_error", "silhouette"),
)


class Scorer:
    """Gathers what a model says of a split, in constant memory.

    Args:
        model: the model that is scored; fixes device, clusters and their neighbourhood.
        n_classes: classes of the labels; 0 leaves out every score that needs them.
        merged: (K,) cluster of every slot; None scores nodes alone.
    """

    def __init__(
        self, model: ClusteringModule, n_classes: int, merged: Tensor | None = None
    ) -> None:
        self._centers = model.codebook.centers
        self._adjacency = model.codebook.adjacency()
        self._live = int(model.codebook.live.sum())
        self._scores = (
            make_label_scores(model.n_clusters, n_classes).to(model.device) if n_classes else None
        )
        self._merged = merged
        self._clusters = 0 if merged is None else int(merged.max()) + 1
        shape = max(self._clusters, 1), n_classes
        self._matrix = torch.zeros(shape, dtype=torch.int64, device=model.device)
        self._usage = NodeUsage(model.n_clusters).to(model.device)
        self._quantization = QuantizationError().to(model.device)
        self._topographic = TopographicError().to(model.device)

    def update(self, z: Tensor, found: Assignment, labels: Tensor | None) -> None:
        """Take in the codes (batch, m) of a batch, where they fall, and their labels (batch,)."""
        if self._scores is not None and labels is not None:
            self._scores.update(found.winner, labels)
            if self._merged is not None:
                cluster = merge_winners(found.winner, self._merged)
                self._matrix += count_contingency(cluster, labels, *self._matrix.shape)
        self._usage.update(found.winner)
        distances = (z - self._centers[found.winner]).norm(dim=1)
        self._quantization.update(distances if self._live else distances[:0])  # without a node none
        if self._adjacency is not None:
            self._topographic.update(found.winner, found.second, self._adjacency)

    def compute(self) -> dict[str, float]:
        """All scores by name; ``nodes`` are those in use on the map, ``nodes_used`` here.

        Scores against labels are left out where all samples are of one class, or none has a label
        and a node. The topographic error is NaN where there is no map, or no sample with a second
        best node.
        """
        label_scores = {} if self._scores is None else self._scores.compute()
        if label_scores and label_scores["classes"] < 2:
            label_scores = {"classes": label_scores["classes"]}
        usage = self._usage.compute()
        return {
            **{
                name: int(value) if name == "classes" else float(value)
                for name, value in label_scores.items()
            },
            "nodes": self._live,
            "nodes_used": int(usage["nodes_used"]),
            "perplexity": float(usage["perplexity"]),
            "quantization_error": float(self._quantization.compute()),
            "topographic_error": (
                math.nan if self._adjacency is None else float(self._topographic.compute())
            ),
            **self._score_clusters("nmi" in label_scores),
        }

    def _score_clusters(self, labelled: bool) -> dict[str, float]:
        """What the catalogue has of clusters; of their number alone without labels."""
        if self._merged is None:
            return {}
        scores = {
            f"{CLUSTER}{name}": float(LABEL_SCORES[name](self._matrix))
            for name in CLUSTER_SCORES
            if labelled
        }
        return {"clusters": self._clusters, **scores}


def count_classes(data: ClusterData, split: str) -> int:
    """Classes of the labels of a split, numbered over all of them; 0 where the split has none."""
    arrays = data.arrays
    y = arrays.test_y if split == "test" else arrays.train_y
    return 0 if y is None else data.num_classes


def list_scores(classes: int) -> list[str]:
    """Names of the scores of nodes on a validation part whose labels are of so many classes."""
    if classes < 2:
        return [*NODE_SCORES, *(["classes"] if classes else [])]
    return [*NODE_SCORES, *LABEL_SCORES]


def read_number(n_clusters: object) -> int | None:
    """The number of clusters of a configuration: None for the one that is found.

    Raises:
        ConfigError: it is neither None, ``auto`` nor an integer of at least 1.
    """
    if n_clusters is None or n_clusters == "auto":
        return None
    if isinstance(n_clusters, int) and not isinstance(n_clusters, bool) and n_clusters >= 1:
        return n_clusters
    raise ConfigError(
        "n_clusters must be an integer of at least 1, or `None` for the number that the map finds, "
        f"got {n_clusters}"
    )


def merge_winners(winner: Tensor, merged: Tensor) -> Tensor:
    """(batch,) clusters of the nodes that won, (batch,) slots; -1 where none did.

    Args:
        winner: see :attr:`dcsomrl.maps.Assignment.winner`.
        merged: (K,) cluster of every slot.
    """
    return torch.where(winner >= 0, merged[winner], -1)


@torch.no_grad()
def score(
    model: ClusteringModule,
    batches: Iterable[Batch],
    n_classes: int,
    merged: Tensor | None = None,
) -> tuple[dict[str, float], dict[str, Any]]:
    """Assign and score a split, in the precision of the weights.

    Args:
        model: a trained model, on the device that it should run on.
        batches: the split, in order.
        n_classes: classes of the labels; 0 where there are none.
        merged: (K,) cluster of every slot, from :meth:`ClusteringModule.merged`; None for nodes
            alone.

    Returns:
        The scores by name, and the assignments: ``index`` in the split, and what
        :func:`describe_assignment` gives.

    Raises:
        ConfigError: there is no model.
        ValueError: the number of classes is none.
    """
    if not isinstance(model, ClusteringModule):
        raise ConfigError(
            f"`model` must be a `ClusteringModule`, as `load(...).model`, got an object of class "
            f"{type(model).__name__}"
        )
    scorer = Scorer(model, read_whole("n_classes", n_classes, 0), merged)
    parts = list(assign_batches(model, batches, scorer, merged))
    columns = {name: torch.cat([part[name] for part in parts]).numpy() for name in parts[0]}
    return scorer.compute(), columns


@torch.no_grad()
def assign_batches(
    model: ClusteringModule,
    batches: Iterable[Batch],
    scorer: Scorer,
    merged: Tensor | None = None,
) -> Iterator[dict[str, Tensor]]:
    """Assign a split batch by batch, in the precision of the weights.

    Args:
        model: see :func:`score`, as ``batches`` and ``merged``.
        batches: the split, in order.
        scorer: takes in what the model says.
        merged: (K,) cluster of every slot.

    Yields:
        Of every batch ``index`` in the split, and what :func:`describe_assignment` gives, on the
        CPU.
    """
    for batch in batches:
        # To the device and the precision of the model.
        with evaluating(model):
            z = model.encode(batch.x.to(model.codebook.centers))
            found = model.assign(z)
        scorer.update(z, found, None if batch.y is None else batch.y.to(model.device))
        described = {"index": batch.index, **describe_assignment(model, found, merged)}
        yield {name: column.cpu() for name, column in described.items()}


def describe_assignment(
    model: ClusteringModule, found: Assignment, merged: Tensor | None = None
) -> dict[str, Tensor]:
    """Columns (batch,) of what a user may want to know of where samples fall.

    Args:
        model: that assigned them.
        found: where they fall.
        merged: (K,) cluster of every slot; None leaves ``cluster`` out.

    Returns:
        ``node`` (slot) and ``cluster``, -1 for none; ``activation`` in (0, 1]; ``second``, the next
        best node; ``distance`` of the code from the node's centre, weighted by its relevances;
        ``outlier``, whether that is further than the outer fence of the training's distances.
    """
    distance = found.distance.sqrt()
    fence = math.inf if model.connectivity is None else model.connectivity.fence
    cluster = {} if merged is None else {"cluster": merge_winners(found.winner, merged)}
    return {
        "node": found.winner,
        **cluster,
        "activation": found.activation,
        "second": found.second,
        "distance": distance,
        "outlier": distance > fence,
    }


@torch.no_grad()
def silhouette(model: ClusteringModule, samples: Iterable[Tensor], limit: int = 2000) -> float:
    """How much nearer the codes of a split lie to their own cluster than to the next, in [-1, 1].

    Args:
        model: a trained model, on the device that it should run on.
        samples: normalised samples of the split in parts (n, *shape), in order.
        limit: samples, evenly spaced, that are used; the cost grows with their square.

    Returns:
        The mean over the samples; 0 where there is no second cluster, or no second sample in any.

    Source: Rousseeuw 1987.
    """
    codes: list[Tensor] = []
    clusters: list[Tensor] = []
    for x in samples:
        with evaluating(model):
            z = model.encode(x.to(model.codebook.centers))
            found = model.assign(z)
        codes.append(z.float().cpu())
        clusters.append(found.winner.cpu())
    # Not the first ones: files in folders come class by class.
    n = sum(map(len, codes))
    some = torch.linspace(0, n - 1, min(limit, n)).long()
    z, node = torch.cat(codes)[some], torch.cat(clusters)[some]
    if not 1 < len(node.unique()) < len(node):
        return 0.0
    return float(silhouette_score(z.numpy(), node.numpy()))
