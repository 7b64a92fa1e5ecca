"""The growing map alone behind scikit-learn's face: ``GrowingSOM().fit_predict(X)``."""

from functools import partial
from typing import Any, ClassVar

import numpy as np

from dcsomrl.estimators.base import MapEstimator
from dcsomrl.estimators.parameters import SHARE, SHARE_ABOVE_ZERO
from dcsomrl.maps import SOMRL
from dcsomrl.models.relevance import RelevanceMapModel


class GrowingSOM(MapEstimator):
    """SOMRL, a growing self-organizing map with relevance learning, directly on rows of numbers.

    Nodes are created where a sample is out of reach of all others, learn how much each column
    matters to them, and die when they win nothing; they are merged into clusters by the samples
    that lie between them. Columns are scaled to [0, 1]. Sparse matrices are made dense. No network
    is trained: fitting takes seconds where :class:`DeepSOM` takes minutes.

    Args:
        n_clusters: number of clusters that nodes are merged into, at least 1; None to find it.
        max_nodes: maximum number of nodes of the map, at least 2.
        radius: reach of a node in standard deviations of the samples, above 0: a smaller radius
            makes more nodes.
        learning_rate: share of the distance that a winner moves, in (0, 1].
        relevance_rate: rate of the moving-average distances, relative to the learning rate, in
            [0, 1].
        life_decay: life that a node loses in every batch without a win, in [0, 1].
        max_epochs: passes over the samples; None for 30, or more if there are few samples.
        batch_size: samples per step.
        random_state: int, RandomState or None; the same int gives the same result on a CPU.
        device: ``auto`` (a GPU where there is one), ``cpu`` or ``gpu``.
        verbose: whether to show a progress bar.

    Attributes:
        labels_: (n,) cluster of every sample of the last call, numbered from 0, largest first;
            after ``partial_fit``, the order also counts the samples of earlier calls.
        node_labels_: (n,) node of every sample of the last call, from 0.
        n_clusters_: number of clusters.
        cluster_numbers_: (n_clusters_,) a number for every cluster that stays the same over calls
            of ``partial_fit`` as long as the cluster lives; new clusters have unused numbers. A
            cluster without samples in a call is absent there, and gets its number back as long as
            its nodes live.
        drift_: a data frame with a row per cluster and call of ``partial_fit``: ``part`` from 0,
            ``number``, ``samples`` of the call and ``nodes``; see
            :func:`dcsomrl.figures.drift.draw_drift`.
        cluster_centers_: (n_clusters_, features) mean of the samples of each cluster, NaN for a
            cluster without samples.
        prototypes_: (nodes, features) centres of the nodes, in the units of X.
        node_clusters_: (nodes,) cluster of each node.
        relevances_: (nodes, features) how much each column matters to each node.
        n_features_in_: number of columns of X; ``feature_names_in_``: their names, if X has any.
        model_: the trained :class:`dcsomrl.models.RelevanceMapModel`.
    """

    _built_of = (*MapEstimator._built_of, "learning_rate", "relevance_rate", "life_decay")
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **MapEstimator._parameter_constraints,
        "learning_rate": [SHARE_ABOVE_ZERO],
        "relevance_rate": [SHARE],
        "life_decay": [SHARE],
    }

    def __init__(
        self,
        n_clusters: int | None = None,
        *,
        max_nodes: int = 64,
        radius: float = 0.6,
        learning_rate: float = 0.1,
        relevance_rate: float = 0.05,
        life_decay: float = 0.02,
        max_epochs: int | None = None,
        batch_size: int = 256,
        random_state: int | np.random.RandomState | None = None,
        device: str = "auto",
        verbose: bool = False,
    ) -> None:
        self.n_clusters = n_clusters
        self.max_nodes = max_nodes
        self.radius = radius
        self.learning_rate = learning_rate
        self.relevance_rate = relevance_rate
        self.life_decay = life_decay
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.random_state = random_state
        self.device = device
        self.verbose = verbose

    def _make_model(self, shape: tuple[int, ...], stream: bool) -> RelevanceMapModel:
        given = self._given
        som = partial(
            SOMRL,
            max_nodes=given["max_nodes"],
            activation_threshold=None,
            radius=given["radius"],
            learning_rate=given["learning_rate"],
            relevance_rate=given["relevance_rate"],
            neighborhood_decay=2.0,
            repel_mode="none",
            life_decay=given["life_decay"],
        )
        return RelevanceMapModel(shape, som=som)
