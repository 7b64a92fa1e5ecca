"""The map with neighbours behind scikit-learn's face: ``DeepSOM().fit_predict(X)``."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.utils._param_validation import StrOptions
from torch.nn import Parameter
from torch.optim import Optimizer

from dcsomrl.data import Neighbors
from dcsomrl.data.nearest import Metric
from dcsomrl.estimators.base import MapEstimator
from dcsomrl.estimators.parameters import AT_LEAST_NOTHING, AT_LEAST_ONE, WIDTHS
from dcsomrl.losses import Term
from dcsomrl.models.base import OptimizerFactory
from dcsomrl.models.dcsomrl import DCSOMRL
from dcsomrl.models.neighbor_somrl import neighbor_somrl


class DeepSOM(MapEstimator):
    """Deep clustering of rows of numbers with a growing self-organizing map.

    An autoencoder learns codes in which nearest neighbours are close together, and a map of nodes
    grows on these codes; nodes are merged into clusters by the samples that lie between them.
    Columns are scaled to [0, 1]. Sparse matrices are made dense.

    Args:
        n_clusters: number of clusters that nodes are merged into, at least 1; None to find it.
        max_nodes: maximum number of nodes of the map, at least 2.
        radius: reach of a node in standard deviations of the codes, above 0: a smaller radius makes
            more nodes.
        latent_dim: dimensions of a code, at least 1.
        hidden_dims: widths of the encoder's layers.
        n_neighbors: number of nearest neighbours per sample, at least 0.
        metric: ``euclidean`` or ``cosine``, the distance that neighbours are found by.
        max_epochs: passes over the samples; None for 30, or more if there are few samples.
        batch_size: samples per step.
        learning_rate: of the network, above 0.
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
        prototypes_: (nodes, features) the decoded nodes, in the units of X.
        node_clusters_: (nodes,) cluster of each node.
        relevances_: (nodes, latent_dim) how much each dimension of a code matters to each node.
        n_features_in_: number of columns of X; ``feature_names_in_``: their names, if X has any.
        model_: the trained :class:`DCSOMRL`.
    """

    model_: DCSOMRL
    _built_of = (*MapEstimator._built_of, "latent_dim", "hidden_dims")
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **MapEstimator._parameter_constraints,
        "latent_dim": [AT_LEAST_ONE],
        "hidden_dims": WIDTHS,
        "n_neighbors": [AT_LEAST_NOTHING],
        "metric": [StrOptions({"euclidean", "cosine"})],
    }

    def __init__(
        self,
        n_clusters: int | None = None,
        *,
        max_nodes: int = 64,
        radius: float = 0.6,
        latent_dim: int = 22,
        hidden_dims: Sequence[int] = (500, 500, 2000),
        n_neighbors: int = 5,
        metric: Metric = "euclidean",
        max_epochs: int | None = None,
        batch_size: int = 256,
        learning_rate: float = 1e-3,
        random_state: int | np.random.RandomState | None = None,
        device: str = "auto",
        verbose: bool = False,
    ) -> None:
        self.n_clusters = n_clusters
        self.max_nodes = max_nodes
        self.radius = radius
        self.latent_dim = latent_dim
        self.hidden_dims = hidden_dims
        self.n_neighbors = n_neighbors
        self.metric = metric
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.random_state = random_state
        self.device = device
        self.verbose = verbose

    def _make_model(self, shape: tuple[int, ...], stream: bool) -> DCSOMRL:
        return neighbor_somrl(
            shape,
            self._given["latent_dim"],
            self._given["hidden_dims"],
            self._given["max_nodes"],
            self._given["radius"],
            self._given["learning_rate"],
            "constant" if stream else "cosine",
            None if stream else 0.5,
        )

    def _go_on(self) -> None:
        self.model_.schedule, self.model_.regrow = "constant", None
        for term in self.model_.losses.values():
            assert isinstance(term, Term)
            term.begin = 0.0
        adam = partial(torch.optim.Adam, lr=self._given["learning_rate"], fused=True)
        self.model_._optimizer = partial(_continue_optimizer, adam, self._moments)

    def _make_neighbors(self) -> Neighbors:
        return Neighbors(self._given["n_neighbors"], self._given["metric"])


def _continue_optimizer(
    make: OptimizerFactory, moments: dict[str, Any], parameters: Iterator[Parameter]
) -> Optimizer:
    """An optimiser with the moments of another one, and the settings of its own."""
    optimizer = make(parameters)
    optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
    return optimizer
