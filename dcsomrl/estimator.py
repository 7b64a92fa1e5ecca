"""The map with neighbours behind scikit-learn's face: ``DeepSOM().fit_predict(X)``."""

import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from pytorch_lightning import Trainer
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

from dcsomrl.data import Arrays, ClusterData, Neighbors
from dcsomrl.data.nearest import Metric
from dcsomrl.data.preparation import Preparation
from dcsomrl.models.base import OptimizerFactory
from dcsomrl.models.dcsomrl import DCSOMRL
from dcsomrl.models.neighbor_somrl import neighbor_somrl
from dcsomrl.networks import evaluating

# Epochs of a training whose length is left open; of few samples each has several passes.
EPOCHS = 30
# Samples that are encoded at once.
BATCH = 1024


class DeepSOM(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator):
    """Deep clustering with a growing self-organizing map, of rows of numbers.

    An autoencoder learns codes in which nearest neighbours lie together, and a map of nodes grows
    on them; nodes are merged into clusters by the samples that lie between them. Columns are scaled
    to [0, 1]. Sparse matrices are made dense.

    Args:
        n_clusters: how many clusters the nodes are merged into, at least 1; None for the number
            that is found.
        max_nodes: nodes of the map at most, at least 2.
        radius: reach of a node in deviations of the codes, above 0: less of it makes more nodes.
        latent_dim: dimensions of a code, at least 1.
        hidden_dims: widths of the encoder's layers.
        n_neighbors: nearest neighbours of every sample, at least 0.
        metric: ``euclidean`` or ``cosine``, by which they are found.
        max_epochs: passes over the samples; None for 30, and more of few samples.
        batch_size: samples in a step.
        learning_rate: of the network, above 0.
        random_state: int, RandomState or None; the same int gives the same result on a CPU.
        device: ``auto`` (a GPU where there is one), ``cpu`` or ``gpu``.
        verbose: whether a bar shows the progress.

    Attributes:
        labels_: (n,) cluster of every sample of ``fit``, from 0, the largest first.
        node_labels_: (n,) node of each, from 0.
        n_clusters_: how many clusters there are.
        cluster_centers_: (n_clusters_, features) means of the samples of each cluster, NaN where
            one has none.
        prototypes_: (nodes, features) what the decoder makes of every node, in the units of X.
        node_clusters_: (nodes,) cluster of every node.
        relevances_: (nodes, latent_dim) how much each dimension of a code matters to each node.
        n_features_in_: columns of X; ``feature_names_in_`` their names where X has such.
        model_: the trained :class:`DCSOMRL`.
    """

    model_: DCSOMRL
    _preparation: Preparation
    _slots: NDArray[np.int64]

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

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Learn codes, map and clusters of samples X (n, features); y is not read.

        Raises:
            ValueError: X is not numbers, or a parameter is outside its range.
        """
        x = self._checked(X, reset=True)
        epochs = EPOCHS if self.max_epochs is None else self.max_epochs
        if epochs < 1:
            raise ValueError(f"max_epochs must be at least 1, got {epochs}")
        data, seed = self._data(x, "auto" if self.max_epochs is None else 1)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.model_ = self._made(x.shape[1:], "cosine", 0.5)
            self._moments = self._train(data, epochs)
        self._preparation = Preparation.of_state(data.state_dict())
        return self._finish(x)

    def partial_fit(self, X: ArrayLike, y: object = None) -> Self:
        """Go once over further samples X (n, features), from where the last call came to.

        The first call fixes the scale of the columns, and with it what later samples are to it. The
        map goes on growing; nodes that win nothing any more leave it.
        """
        first = not hasattr(self, "model_")
        x = self._checked(X, reset=first)
        data, seed = self._data(x)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            if first:
                self.model_ = self._made(x.shape[1:], "constant", None)
            else:
                data.load_state_dict({**self._preparation.state(), "feature_names": None})
                self.model_.schedule, self.model_.regrow = "constant", None
                adam = partial(torch.optim.Adam, lr=self.learning_rate, fused=True)
                self.model_._optimizer = partial(_continued, adam, self._moments)
            self._moments = self._train(data, 1)
        if first:
            self._preparation = Preparation.of_state(data.state_dict())
        return self._finish(x)

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """(n,) cluster of every sample of X (n, features)."""
        node = self.predict_nodes(X)
        return self.node_clusters_[node]

    def predict_nodes(self, X: ArrayLike) -> NDArray[np.int64]:
        """(n,) node of every sample of X (n, features)."""
        check_is_fitted(self)
        return self._nodes(self._checked(X, reset=False))

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """(n, latent_dim) codes in [0, 1] of samples X (n, features)."""
        check_is_fitted(self)
        x = self._checked(X, reset=False)
        return self._by_batches(self.model_.encode, x).numpy()

    @property
    def _n_features_out(self) -> int:
        return self.latent_dim

    def __sklearn_tags__(self) -> Any:
        """Sparse matrices may come in; codes are in single precision."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def _checked(self, x: ArrayLike, reset: bool) -> NDArray[np.float32]:
        found: Any = validate_data(
            self,
            x,
            reset=reset,
            accept_sparse=True,
            dtype=np.float32,
            ensure_min_samples=2 if reset else 1,
        )
        return np.asarray(found.toarray()) if hasattr(found, "toarray") else found

    def _data(
        self, x: NDArray[np.float32], passes: int | Literal["auto"] = 1
    ) -> tuple[ClusterData, int]:
        """The samples as a training sees them, and the seed of this call."""
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        arrays = Arrays(torch.from_numpy(np.array(x)), None, torch.from_numpy(x[:1].copy()), None)
        neighbors = Neighbors(self.n_neighbors, self.metric)
        data = ClusterData(
            lambda: arrays,
            "X",
            batch_size=self.batch_size,
            val_fraction=0,
            normalization="minmax",
            seed=seed,
            neighbors=neighbors,
            passes=passes,
        )
        return data, seed

    def _made(self, shape: tuple[int, ...], schedule: Any, regrow: float | None) -> DCSOMRL:
        return neighbor_somrl(
            shape,
            self.latent_dim,
            self.hidden_dims,
            self.max_nodes,
            self.radius,
            self.learning_rate,
            schedule,
            regrow,
        )

    def _train(self, data: ClusterData, epochs: int) -> dict[str, Any]:
        """Train for some epochs; returns the moments of the optimiser."""
        with _quiet(not self.verbose):
            trainer = Trainer(
                accelerator=self.device,
                devices=1,
                max_epochs=epochs,
                logger=False,
                enable_checkpointing=False,
                enable_progress_bar=self.verbose,
                enable_model_summary=False,
                use_distributed_sampler=False,
                num_sanity_val_steps=0,
            )
            trainer.fit(self.model_, datamodule=data)
            self.model_.count_connectivity()
            moments: dict[str, Any] = trainer.optimizers[0].state_dict()["state"]
        self.model_.cpu()
        self.model_._trainer = None  # holds the samples, and all that a pickle should not
        return moments

    def _finish(self, x: NDArray[np.float32]) -> Self:
        """Set what depends on the map as it is."""
        codebook = self.model_.codebook
        self._slots = codebook.live.nonzero()[:, 0].numpy()
        self.node_clusters_ = self.model_.merged(self.n_clusters).numpy()[self._slots]
        self.n_clusters_ = int(self.node_clusters_.max()) + 1
        prototypes = self.model_.decoded_prototypes()
        self.prototypes_ = self._preparation.normalization.inverse(prototypes).numpy()
        self.relevances_ = self.model_.som.relevances[self.model_.som.live].numpy()
        self.node_labels_ = self._nodes(x)
        self.labels_ = self.node_clusters_[self.node_labels_]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            self.cluster_centers_ = np.stack(
                [x[self.labels_ == cluster].mean(0) for cluster in range(self.n_clusters_)]
            )
        return self

    def _nodes(self, x: NDArray[np.float32]) -> NDArray[np.int64]:
        slot = self._by_batches(lambda part: self.model_.cluster(part).winner, x)
        return np.searchsorted(self._slots, slot.numpy())

    @torch.no_grad()
    def _by_batches(self, function: Callable[[Tensor], Tensor], x: NDArray[np.float32]) -> Tensor:
        """What a function makes of normalised samples, in evaluation mode."""
        with evaluating(self.model_):
            parts = (x[first : first + BATCH] for first in range(0, len(x), BATCH))
            return torch.cat([function(self._preparation(torch.tensor(part))) for part in parts])


def _continued(
    make: OptimizerFactory, moments: dict[str, Any], parameters: Iterator[Parameter]
) -> Optimizer:
    """An optimiser with the moments of another one, and the settings of its own."""
    optimizer = make(parameters)
    optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
    return optimizer


@contextmanager
def _quiet(quiet: bool) -> Iterator[None]:
    """Without what Lightning says of devices, loaders and itself."""
    log = logging.getLogger("pytorch_lightning")
    before = log.level
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="pytorch_lightning|lightning_fabric")
        warnings.filterwarnings("ignore", ".*LeafSpec.*is deprecated")
        log.setLevel(logging.ERROR if quiet else before)
        try:
            yield
        finally:
            log.setLevel(before)
