"""What the estimators share: rows of numbers in, the cluster of each out."""

import warnings
from abc import abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
import torch
from lightning_fabric.utilities.exceptions import MisconfigurationException
from numpy.typing import ArrayLike, NDArray
from pytorch_lightning import Trainer
from pytorch_lightning.callbacks import TQDMProgressBar
from scipy import sparse
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

from dcsomrl.data import Arrays, ClusterData, Neighbors
from dcsomrl.data.preparation import Preparation
from dcsomrl.errors import ConfigError, shorten
from dcsomrl.estimators.drift import Drift, find_kept
from dcsomrl.estimators.parameters import ABOVE_ZERO, AT_LEAST_ONE, AT_LEAST_TWO, read_parameters
from dcsomrl.estimators.samples import (
    announce_dense,
    check_order,
    name_columns,
    read_rows,
    refuse_gaps,
    to_floats,
    warn_of_doubtful,
)
from dcsomrl.maps import SOMRL
from dcsomrl.models import ClusteringModule
from dcsomrl.networks import evaluating
from dcsomrl.training.silence import silenced

# Epochs of a training whose length is left open; of few samples each has several passes.
EPOCHS = 30
# Samples of a part of a stream that tell by themselves how nodes are merged; beside fewer, those
# of earlier parts count.
ENOUGH = 200
# Batches are filled to a multiple of this: a processor computes the rest of a vector in another way
# than a whole one, and the last bit of what a sample is given would depend on its place.
FULL = 64
# Samples that are encoded at once.
BATCH = 1024


class MapEstimator(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator):
    """A growing map behind scikit-learn's face, of rows of numbers; see its subclasses."""

    n_clusters: int | None
    max_epochs: int | None
    batch_size: int
    random_state: int | np.random.RandomState | None
    device: str
    verbose: bool
    model_: ClusteringModule
    _preparation: Preparation
    _slots: NDArray[np.int64]
    # Names of a data frame's columns that are not texts, which scikit-learn does not compare.
    _columns: list[str] | None
    # Parameters as plain values, of the last call of fit or partial_fit.
    _given: dict[str, Any]
    # Those that a model is made of, which cannot change between parts of a stream.
    _built_of: ClassVar[tuple[str, ...]] = ("max_nodes", "radius")
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_clusters": [AT_LEAST_ONE, None],
        "max_nodes": [AT_LEAST_TWO],
        "radius": [ABOVE_ZERO],
        "learning_rate": [ABOVE_ZERO],
        "max_epochs": [AT_LEAST_ONE, None],
        "batch_size": [AT_LEAST_ONE],
        "random_state": ["random_state"],
        "device": [str],
        "verbose": ["boolean"],
    }

    @abstractmethod
    def _make_model(self, shape: tuple[int, ...], stream: bool) -> ClusteringModule:
        """The model of samples of a shape, to be trained once or on a stream."""

    def _go_on(self) -> None:  # most have nothing to prepare
        """Prepare the model for further samples of a stream."""

    def _make_neighbors(self) -> Neighbors | None:
        """What finds neighbours of the samples; None for none."""
        return None

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Learn codes, map and clusters of samples X (n, features); y is ignored.

        Raises:
            ValueError: X is not numbers, a parameter is outside its range, or there is no such
                device.
        """
        self._given = read_parameters(self)
        x = self._check_samples(X, reset=True)
        asked = self._given["max_epochs"]
        epochs = EPOCHS if asked is None else asked
        data, seed = self._make_data(x, "auto" if asked is None else 1)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            model = self._make_model(x.shape[1:], stream=False)
            self._moments = self._train(model, data, epochs)
        self.model_ = model
        self._preparation = Preparation.from_state(data.state_dict())
        self._drift = Drift(self.model_.n_clusters)
        self._finish(x)
        if self._given["n_clusters"] is None and len(self._slots) == 1 and np.ptp(x, axis=0).any():
            warnings.warn(
                "the map has one node, so that all samples are in one cluster: train for longer "
                "(max_epochs=None does), in smaller batches (batch_size), or lower radius",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self

    def partial_fit(self, X: ArrayLike, y: object = None) -> Self:
        """Continue from the last call, with one pass over further samples X (n, features).

        The first call fixes the scale of the columns. The map keeps growing; nodes that no longer
        win anything leave it, the sooner the higher ``life_decay`` is. ``cluster_numbers_`` shows
        which clusters live on.

        Raises:
            ValueError: X is not numbers, a parameter is outside its range, or has changed since
                the model was made of it.
        """
        given = read_parameters(self)
        first = not hasattr(self, "model_")
        for name in () if first else self._built_of:
            before = getattr(self, "_given", given)[name]  # older pickles have none
            if given[name] != before:
                raise ConfigError(
                    f"{name} was {before} when the model was made and is {given[name]} now, which "
                    "a model that goes on cannot take: set it back, or fit anew"
                )
        self._given = given
        x = self._check_samples(X, reset=first)
        data, seed = self._make_data(x)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            if first:
                model = self._make_model(x.shape[1:], stream=True)
            else:
                model = self.model_
                data.load_state_dict({**self._preparation.state(), "feature_names": None})
                self._go_on()
            linked, som = model.connectivity, model.codebook
            assert isinstance(som, SOMRL)
            live, centers = som.live.clone(), som.centers.clone()
            known = None if first else self._apply_by_batches(self._recall, x).numpy()
            self._moments = self._train(model, data, 1)
        self.model_ = model
        if linked is not None and self.model_.connectivity is not None:
            same = (live & som.live).numpy()
            self.model_.connectivity = linked.combine(self.model_.connectivity, same, ENOUGH)
        if first:
            self._preparation = Preparation.from_state(data.state_dict())
            self._drift = Drift(self.model_.n_clusters)
        return self._finish(x, known, None if first else find_kept(som, centers, live))

    def _recall(self, x: Tensor) -> Tensor:
        """(batch,) numbers of the clusters that normalised samples would be in."""
        som = self.model_.codebook
        assert isinstance(som, SOMRL)
        return self._drift.recall(som, self.model_.cluster(x))

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """(n,) cluster of every sample of X (n, features)."""
        node = self.predict_nodes(X)
        return self.node_clusters_[node]

    def predict_memberships(self, X: ArrayLike) -> NDArray[np.float32]:
        """(n, n_clusters_) how far every sample of X belongs to each cluster; rows sum to 1."""
        check_is_fitted(self, "node_clusters_")
        x = self._read_samples(X, reset=False)
        slots = torch.from_numpy(self._slots)
        merged = torch.full((self.model_.n_clusters,), -1)
        merged[slots] = torch.from_numpy(self.node_clusters_)
        share = partial(self._compute_memberships, merged)
        return self._apply_by_batches(share, x).numpy()

    def _compute_memberships(self, merged: Tensor, x: Tensor) -> Tensor:
        return self.model_.memberships(self.model_.encode(x), merged)

    def predict_nodes(self, X: ArrayLike) -> NDArray[np.int64]:
        """(n,) node of every sample of X (n, features)."""
        check_is_fitted(self, "node_clusters_")
        return self._find_nodes(self._read_samples(X, reset=False))

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """(n, dimensions of the map) codes in [0, 1] of samples X (n, features)."""
        check_is_fitted(self, "node_clusters_")
        x = self._read_samples(X, reset=False)
        return self._apply_by_batches(self.model_.encode, x).numpy()

    @property
    def _n_features_out(self) -> int:
        return int(self.model_.codebook.centers.shape[1])

    def __sklearn_tags__(self) -> Any:
        """Sparse matrices may come in; codes are in single precision."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def _check_samples(self, x: ArrayLike | Tensor, reset: bool) -> NDArray[np.floating]:
        """Samples to train on as floats, of 64 bits unless they have 32: these give the scale.

        Raises:
            ValueError: see :meth:`_read_samples`.
        """
        found = self._read_samples(x, reset)
        if hasattr(found, "toarray"):
            announce_dense(found, found.shape)
        return to_floats(found)

    def _read_samples(self, x: ArrayLike | Tensor, reset: bool) -> Any:
        """Samples as they were given, if they can be taken: an array, or a sparse one of rows.

        Raises:
            ValueError: they are not finite numbers, or masked, or have other columns than those of
                the training.
        """
        rows = read_rows(x)
        names = name_columns(rows)
        if not reset:
            check_order(names, getattr(self, "_columns", None))  # older pickles have none
        if not sparse.issparse(rows):
            announce_dense(x, rows.shape)
        found: Any = validate_data(
            self,
            rows,
            reset=reset,
            accept_sparse="csr",
            # Only a batch is made of floats at a time, but of frames, whose columns may differ.
            dtype=[np.float64, np.float32] if isinstance(rows, pd.DataFrame) else None,
            ensure_all_finite=False,
            ensure_min_samples=2 if reset else 1,
        )
        if reset:
            self._columns = names
        refuse_gaps(found, list(getattr(self, "feature_names_in_", [])))
        if reset:
            warn_of_doubtful(found, getattr(self, "feature_names_in_", names))
        return found

    def _make_data(
        self, x: NDArray[np.floating], passes: int | Literal["auto"] = 1
    ) -> tuple[ClusterData, int]:
        """The samples as a training sees them, and the seed of this call."""
        seed = int(check_random_state(self._given["random_state"]).randint(2**31 - 1))
        arrays = Arrays(torch.from_numpy(np.array(x)), None, torch.from_numpy(x[:1].copy()), None)
        data = ClusterData(
            lambda: arrays,
            "X",
            batch_size=self._given["batch_size"],
            val_fraction=0,
            normalization="minmax",
            seed=seed,
            neighbors=self._make_neighbors(),
            passes=passes,
        )
        return data, seed

    def _train(self, model: ClusteringModule, data: ClusterData, epochs: int) -> dict[str, Any]:
        """Train for some epochs; returns the moments of the optimiser."""
        with silenced(not self._given["verbose"]):
            trainer = self._build_trainer(epochs)
            trainer.fit(model, datamodule=data)
            model.update_connectivity()
            moments: dict[str, Any] = trainer.optimizers[0].state_dict()["state"]
        model.cpu()
        model._trainer = None  # holds the samples, and all that a pickle should not
        return moments

    def _build_trainer(self, epochs: int) -> Trainer:
        """Lightning's trainer of some epochs.

        Raises:
            ConfigError: there is no such device.
        """
        verbose = self._given["verbose"]
        try:
            return Trainer(
                accelerator=self._given["device"],
                devices=1,
                max_epochs=epochs,
                logger=False,
                enable_checkpointing=False,
                enable_progress_bar=verbose,
                # Rich's, the default, leaves nothing behind in a notebook.
                callbacks=[TQDMProgressBar()] if verbose else None,
                enable_model_summary=False,
                use_distributed_sampler=False,
                num_sanity_val_steps=0,
            )
        except (MisconfigurationException, ImportError, ValueError) as error:
            raise ConfigError(
                f"device={self.device} cannot be used here ({shorten(error)}): set device=auto "
                "or device=cpu"
            ) from error

    def _finish(
        self,
        x: NDArray[np.floating],
        known: NDArray[np.int64] | None = None,
        kept: NDArray[np.bool_] | None = None,
    ) -> Self:
        """Set what depends on the map as it is.

        Args:
            x: (n, features) samples of this call.
            known: (n,) numbers of the clusters in which they would have been before it.
            kept: (K,) slots whose node was there before it; both None for a first call.
        """
        codebook = self.model_.codebook
        self._slots = codebook.live.nonzero()[:, 0].numpy()
        asked = self._given["n_clusters"]
        self.node_clusters_ = self.model_.merged(asked).numpy()[self._slots]
        self.n_clusters_ = int(self.node_clusters_.max()) + 1
        if asked is not None and self.n_clusters_ < asked:
            warnings.warn(
                f"{asked} clusters were asked for, and {len(self._slots)} nodes give "
                f"{self.n_clusters_} at most: raise max_nodes or lower radius",
                ConvergenceWarning,
                stacklevel=3,
            )
        prototypes = self.model_.decoded_prototypes()
        self.prototypes_ = self._preparation.normalization.invert(prototypes).numpy()
        assert codebook.relevances is not None
        self.relevances_ = codebook.relevances[codebook.live].numpy()
        self.node_labels_ = self._find_nodes(x)
        self.labels_ = self.node_clusters_[self.node_labels_]
        cluster = np.full(self.model_.n_clusters, -1)
        cluster[self._slots] = self.node_clusters_
        known = np.full(len(x), -1) if known is None else known
        kept = np.zeros(len(cluster), dtype=bool) if kept is None else kept
        won = np.bincount(self._slots[self.node_labels_], minlength=len(cluster)) > 0
        self._drift.follow(known, self.labels_, kept, cluster, won)
        self.cluster_numbers_, self.drift_ = self._drift.numbers, self._drift.table
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            self.cluster_centers_ = np.stack(
                [x[self.labels_ == cluster].mean(0) for cluster in range(self.n_clusters_)]
            )
        return self

    def _find_nodes(self, x: Any) -> NDArray[np.int64]:
        slot = self._apply_by_batches(lambda part: self.model_.cluster(part).winner, x)
        return np.searchsorted(self._slots, slot.numpy())

    @torch.no_grad()
    def _apply_by_batches(self, function: Callable[[Tensor], Tensor], x: Any) -> Tensor:
        """What a function makes of samples, dense or sparse, once normalised, in evaluation mode.

        Beside the result no more than a batch is in memory as floats.
        """
        whole: Tensor | None = None
        with evaluating(self.model_):
            for first in range(0, x.shape[0], BATCH):
                rows = torch.tensor(to_floats(x[first : first + BATCH]))
                filled = rows[torch.arange(-(-len(rows) // FULL) * FULL) % len(rows)]
                part = function(self._preparation(filled))[: len(rows)]
                if whole is None:
                    whole = part.new_empty(x.shape[0], *part.shape[1:])
                whole[first : first + BATCH] = part
        assert whole is not None  # scikit-learn refuses none
        return whole
