"""A dataset that is loaded, split and normalised by its training part, which a checkpoint keeps."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd
from torch import Tensor

from dcsomrl.data.arguments import read_path, read_places, read_text, read_whole
from dcsomrl.data.array_checks import load_arrays
from dcsomrl.data.arrays import Arrays, Samples
from dcsomrl.data.batches import EVALUATION_BATCH
from dcsomrl.data.blocks import BlockRows
from dcsomrl.data.constant import name_constant, warn_of_constant
from dcsomrl.data.fingerprint import check_same
from dcsomrl.data.in_memory import as_source
from dcsomrl.data.normalization import Kind
from dcsomrl.data.preparation import (
    Preparation,
    check_finite,
    check_state,
    describe_state,
    prepare,
)
from dcsomrl.data.prepared import PreparedSplits
from dcsomrl.data.roles import Name, read_name
from dcsomrl.data.scale import unify_splits
from dcsomrl.data.splits import Split, Splits, split_arrays
from dcsomrl.data.stream_checks import look_at_stream
from dcsomrl.data.streams import Stream
from dcsomrl.data.training_checks import warn_of_doubtful
from dcsomrl.errors import DataError


class LoadedData:
    """The samples of a dataset, and what they go through before a model sees them.

    Args:
        source: gives the arrays; called once. Or samples themselves.
        name: what messages and results call the dataset.
        val_fraction: share of the training split, in [0, 1), set apart at random.
        normalization: see :func:`dcsomrl.data.normalization.fit`.
        seed: draws the validation part.
        path: where the source reads, named in messages.
        target: the labels' column, named in messages.

    Attributes:
        notes: sentences on what was guessed, left out or changed, once it is loaded.

    Raises:
        ValueError: labels are asked of a column, and there is no file.
    """

    def __init__(
        self,
        source: Callable[[], Arrays] | Arrays | Any,
        name: str,
        val_fraction: float,
        normalization: Kind,
        seed: int,
        path: str | None,
        target: Name | None,
    ) -> None:
        super().__init__()
        self.path = read_path("path", path)
        self.val_fraction, self.seed = float(val_fraction), seed
        if target is not None and self.path is None:
            raise ValueError(
                f"target={target!r} is a column of the file at `path`, and there is no `path`: "
                "give the file, or labels by ClusterData.of(x, y)"
            )
        self.source: Callable[..., Arrays] = as_source(source)
        self.normalization = normalization
        labels = "" if target is None else f", labels from {read_name(target, 'target')}"
        name = read_text("name", name)
        self._origin = f"{name} ({self.path}{labels})" if self.path else name
        self.notes: list[str] = []
        # Of the training, from a checkpoint; and whether other samples than its own are loaded.
        self._columns: list[str] | None = None
        self._trained_fingerprint, self._other = "", False
        self._preparation: Preparation | None = None
        # Both made by loading, the latter also anew where another preparation is taken over.
        self._splits: Splits | None = None
        self._prepared: PreparedSplits | None = None

    @property
    def arrays(self) -> Arrays:
        """The arrays of the source, after ``setup``."""
        return self._loaded.arrays

    @property
    def _loaded(self) -> Splits:
        if self._splits is None:
            raise DataError(f"the samples of {self._origin} are not loaded: call setup() first")
        return self._splits

    @property
    def preparation(self) -> Preparation:
        """What raw samples go through, after ``setup`` or ``load_state_dict``."""
        if self._preparation is None:
            raise DataError(
                f"the normalisation of {self._origin} is not known: call setup() or "
                "load_state_dict() first"
            )
        return self._preparation

    @property
    def offset(self) -> Tensor:
        """What is subtracted from raw samples, after ``setup`` or ``load_state_dict``."""
        return self.preparation.normalization.offset

    @property
    def scale(self) -> Tensor:
        """What the difference is divided by."""
        return self.preparation.normalization.scale

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return tuple(self.arrays.train_x.shape[1:])

    @property
    def is_streamed(self) -> bool:
        """Whether samples are read from files window by window, after ``setup``."""
        return isinstance(self.arrays.train_x, Stream)

    @property
    def keeps_range(self) -> bool:
        """Whether normalised samples lie in [0, 1] whatever comes."""
        return self.preparation.normalization.clipped

    @property
    def num_classes(self) -> int:
        """Classes of the labels, 0 where there are none."""
        return len(self.arrays.class_names or [])

    @property
    def class_names(self) -> list[str] | None:
        """What the labels were called, by class; None where there are none."""
        return self.arrays.class_names

    @property
    def feature_names(self) -> list[str] | None:
        """Names of the columns of a table, after ``setup`` or ``load_state_dict``."""
        return self._columns if self._splits is None else self.arrays.feature_names

    @property
    def constant(self) -> list[str]:
        """Features, by name, that are one value in all of the training part once normalised.

        "feature 3" where nothing has names; "all samples" alone where all are; of images only that.
        """
        return name_constant(self._ready.constant, self.feature_names)

    @property
    def n_constant(self) -> int:
        """How many features, pixels of images too, are such."""
        return int(self._ready.constant.sum())

    @property
    def fingerprint(self) -> str:
        """What tells the raw samples of both splits from others, after ``setup``."""
        return self._loaded.fingerprint

    def check_same(self, state: Mapping[str, Any] | None = None) -> None:
        """Refuse samples, once they are loaded, that are not those of a training.

        Args:
            state: of the training's datamodule; None for the loaded one. Older states, which do
                not tell the samples, are believed.

        Raises:
            DataError: they are others.
        """
        trained = self._trained_fingerprint
        if state is not None:
            if not isinstance(state, Mapping):
                raise DataError(
                    f"`state` must be a dict of `state_dict()`, got {describe_state(state)}"
                )
            trained = state.get("fingerprint", "")
        check_same(self.fingerprint, trained, self._origin)

    def load(self) -> None:
        """Load, check and split, where that is not done.

        Raises:
            DataError: the data is absent or unsound.
        """
        if self._splits is not None:
            return
        arrays = load_arrays(self.source, self._columns, self._origin)
        self.check_loaded(arrays)
        self.notes = list(arrays.notes)
        arrays = unify_splits(arrays, self.notes, self._origin)
        splits = split_arrays(arrays, self.val_fraction, self.seed, self.notes, self._origin)
        self._splits = splits
        if not len(splits.rows["val"]):
            self.val_fraction = 0.0
        if self._preparation is None:
            named = arrays.feature_names is not None
            sample = splits.draw_training_sample()
            self._preparation = prepare(
                self.normalization,
                sample,
                named,
                self._origin,
                splits.summary,
                arrays.may_lack,
            )
            warn_of_constant(self.constant, self._origin)
            look = look_at_stream if self.is_streamed else warn_of_doubtful
            look(splits, sample, self.notes, self._origin)
            return
        for x in (arrays.train_x, arrays.test_x):
            if isinstance(x, Tensor):
                self._preparation.check_samples(x, self._origin)
            self._check_filled(x)
        if self._other:
            parts = [
                x if isinstance(x, Tensor) else x[splits.choose_spaced_rows(split)]
                for split, x in (("train", arrays.train_x), ("test", arrays.test_x))
                if isinstance(x, Tensor | Stream)
            ]
            files = len(parts) < 2
            self._preparation = self._preparation.judge(parts, self._origin, files)

    def _check_filled(self, x: Tensor | Samples) -> None:
        """Refuse missing values for which the training has no medians.

        Raises:
            DataError: there are such.
        """
        lacks = (
            x.lacks if isinstance(x, Stream) else isinstance(x, Tensor) and bool(x.isnan().any())
        )
        if lacks and self.preparation.fill is None:
            raise DataError(
                f"{self._origin}: `missing=median` needs a training with it, whose medians are "
                "taken: set `missing=drop` to leave out rows with missing values"
            )

    def check_loaded(self, arrays: Arrays) -> None:
        """Refuse arrays that cannot be used as is asked; nothing here, for a class below."""

    @property
    def _ready(self) -> PreparedSplits:
        """The splits, normalised, after ``setup``."""
        if self._prepared is None:
            self._prepared = PreparedSplits(self._loaded, self.preparation, self._origin)
        return self._prepared

    def rows(self, split: Split) -> Tensor | BlockRows:
        """Rows of a split, in order: of the training arrays for train and val, of the test's."""
        rows = self._loaded.rows
        if not isinstance(split, str) or split not in rows:
            raise DataError(f"split must be train, val or test, got {split!r}")
        return rows[split]

    def raw(self, split: Split, index: Tensor) -> Tensor:
        """Raw samples (batch, *shape) at places (batch,) of a split, missing values filled."""
        rows = self.rows(split)
        places = read_places("index", index, len(rows))
        return self.preparation.fill_missing(self._loaded.samples(split)[rows[places]])

    def about(self, split: Split, index: Tensor | None = None) -> pd.DataFrame | None:
        """What stands beside the results of a split, or of places (n,) in it; None for nothing."""
        rows = self.rows(split)
        places = None if index is None else read_places("index", index, len(rows))
        return self._loaded.about(split, places)

    def normalize(self, x: Tensor) -> Tensor:
        """Normalise raw samples (batch, *shape) of these arrays to float32."""
        return self.preparation(self.preparation.check_samples(x))

    def transform(self, x: Tensor) -> Tensor:
        """Normalise raw samples (batch, *shape) that come after the training to float32.

        Whether they are on the scale of the training is judged by all of x: give what belongs
        together at once, or use :meth:`normalizer`.

        Raises:
            DataError: they are on another scale, it cannot be told, or they overflow.
        """
        x = self.preparation.check_samples(x)
        return self.normalizer(x)(x) if len(x) else x.float()

    def normalizer(
        self, x: Tensor | Samples, origin: str = "the input"
    ) -> Callable[[Tensor], Tensor]:
        """What normalises parts of raw samples (n, *shape) that come after the training.

        Args:
            x: all of them; on the disk they are image files, whose pixels go from 0 to 255.
            origin: what messages call them.

        Raises:
            DataError: they are on another scale than the training's, or it cannot be told; when
                it is called also that they overflow.
        """
        if hasattr(x, "__array__") or not hasattr(x, "shape"):  # no images on the disk
            x = self.preparation.check_samples(x, origin)
        parts = [x] if isinstance(x, Tensor) and len(x) else []
        judged = self.preparation.judge(parts, origin, files=not parts)
        return lambda part: check_finite(judged(part), origin, judged.normalization)

    def denormalize(self, x: Tensor) -> Tensor:
        """The other way round; bytes come back as floats in [0, 1], wide numbers as float64.

        Raises:
            DataError: x is not a tensor of normalised samples (batch, *shape).
        """
        preparation = self.preparation
        return preparation.normalization.invert(preparation.check_samples(x, "what is inverted"))

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint needs to be used without the data, as plain values."""
        loaded = self._splits is not None
        return {
            **self.preparation.state(),
            "feature_names": self.feature_names,
            "fingerprint": self.fingerprint if loaded else self._trained_fingerprint,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the normalisation, the scale and the columns of a training.

        Raises:
            DataError: it is none of what :meth:`state_dict` gives.
        """
        self._preparation = Preparation.from_state(check_state(state_dict))
        self._columns = state_dict.get("feature_names")
        self._trained_fingerprint = state_dict.get("fingerprint", "")
        self._prepared = None

    def follow(self, training: "LoadedData") -> None:
        """Before ``setup``: bring other samples to the scale and the columns of a training.

        Raises:
            DataError: the training's is no :class:`ClusterData`, or not set up.
        """
        if not isinstance(training, LoadedData):
            raise DataError(
                "`training` must be the `ClusterData` of the training, as `load(...).data`, got an "
                f"object of class {type(training).__name__}"
            )
        self.load_state_dict(training.state_dict())
        self._other = True

    def some_samples(self, split: Split, limit: int | None = None) -> Iterator[Tensor]:
        """Normalised samples evenly spaced over a split, in batches, without labels.

        Args:
            split: train, val or test.
            limit: how many at most; None for :data:`~dcsomrl.data.splits.SOME`, or
                :data:`~dcsomrl.data.splits.SOME_READ` that are read from the disk one by one.
        """
        self.rows(split)
        x = self._loaded.samples(split)
        limit = None if limit is None else read_whole("limit", limit, 1)
        for rows in self._loaded.choose_spaced_rows(split, limit).split(EVALUATION_BATCH):
            yield self.normalize(x[rows])
