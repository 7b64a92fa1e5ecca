"""A graph of nearest neighbours over the samples of a split, found once and kept on the disk."""

import logging
import os
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from dcsomrl.data.counter import draw_uniform
from dcsomrl.data.fingerprint import take_fingerprint
from dcsomrl.data.nearest import Metric, find_nearest
from dcsomrl.data.normalization import find_magnitude
from dcsomrl.data.numpy_files import load_npy, load_packed
from dcsomrl.errors import DataError, shorten
from dcsomrl.extras import name_command
from dcsomrl.hints import check_arguments
from dcsomrl.locks import make_lock
from dcsomrl.ranges import Natural
from dcsomrl.writing import swapped

log = logging.getLogger(__name__)

# Part of the name of a graph that is kept: 1 took of equal distances what rounding said.
FORM = 2
# Tells the draw of neighbours from those of views, which are numbered from 0.
DRAW = -1
# Images on the disk are compared at this size at most: what is kept of each is in memory.
SIDE = 32
# Rows from which on finding neighbours takes long enough for a word and a bar.
MANY = 20_000


class Neighbors:
    """Which samples are the nearest of each, and which of them stands beside it in a batch.

    Args:
        k: neighbours of every sample, at least 0; fewer where a split has no more samples. 0 puts
            the sample itself beside it, so that two views of it are compared.
        metric: ``euclidean`` or ``cosine``, of the normalised samples or of ``features``.
        features: path of an npy file with a row (features,) for every sample of the whole training
            split, in its order, which are compared in place of the samples, such as embeddings of
            another model; None for the samples themselves.
        cache_dir: folder in which graphs are kept; None keeps none.
        exact_limit: samples up to which every pair is compared; above, pynndescent approximates.

    Raises:
        ValueError: an argument outside its range.
    """

    @check_arguments
    def __init__(
        self,
        k: Natural = 5,
        metric: Metric = "euclidean",
        features: str | None = None,
        cache_dir: str | None = None,
        exact_limit: Natural = 200_000,
    ) -> None:
        self.k, self.metric, self.features = k, metric, features
        self.cache = None if cache_dir is None else Path(cache_dir).expanduser()
        self.exact_limit = exact_limit

    def graph(self, x: Tensor, device: torch.device) -> Tensor:
        """Rows (n, k) of the nearest neighbours of every sample, nearest first, int64.

        (n, 1) with the rows themselves where k is 0, or there is one sample.

        Args:
            x: (n, *shape) samples, or features of them.
            device: where they are compared.

        Raises:
            DataError: there are too many and pynndescent is absent.
        """
        if self.k == 0 or len(x) == 1:
            return torch.arange(len(x))[:, None]
        x, k = x.flatten(1), min(self.k, len(x) - 1)
        if self.cache is None:
            return self._find(x, k, device)
        method = "exact" if len(x) <= self.exact_limit else "approximate"
        found = f"{take_fingerprint([x])}-{k}-{self.metric}-{method}-{FORM}"
        file = self.cache / f"neighbors-{found}.npz"
        try:
            # The processes of a training and other trainings wait for the one that finds it.
            with make_lock(self.cache, file.name):
                return self._read_or_find(file, x, k, device)
        except OSError as error:
            log.warning(
                "graphs of neighbours cannot be kept in %s (%s): found again in every run",
                self.cache,
                shorten(error),
            )
            return self._find(x, k, device)

    def given(self, rows: Tensor, n: int) -> Tensor:
        """The features (rows, features) of some rows of a training split of n samples.

        Raises:
            DataError: the file is missing, damaged, or of other samples.
        """
        assert self.features is not None
        try:
            read = load_npy(self.features, mapped=True)
        except (OSError, ValueError) as error:
            raise DataError(
                f"{self.features} cannot be read as features of the neighbours "
                f"({shorten(error)}): give an npy file of numbers"
            ) from error
        if read.ndim != 2 or len(read) != n or read.dtype.kind not in "fiu":
            raise DataError(
                f"{self.features} holds {read.dtype} numbers of shape {read.shape}, but the "
                f"training split has {n} samples: give one row of numbers for each, in its order"
            )
        some = torch.from_numpy(np.ascontiguousarray(read[rows.numpy()], dtype=np.float64))
        if not some.isfinite().all():
            raise DataError(f"{self.features} holds NaN or infinite values: fix these rows")
        # No distance tells by what power of two all are scaled, and no angle by what each row is.
        return (some / find_magnitude(some, (1,) if self.metric == "cosine" else (0, 1))).float()

    def _read_or_find(self, file: Path, x: Tensor, k: int, device: torch.device) -> Tensor:
        """The graph in a file, or a new one, which is written into it."""
        try:
            found = load_packed(file, "graph")
            integers = found.dtype.kind in "iu" and found.shape == (len(x), k)
            if integers and found.min() >= 0 and found.max() < len(x):
                return torch.from_numpy(found.astype(np.int64))
            log.warning("%s is damaged: its neighbours are found again", file)
        except FileNotFoundError:
            pass
        except ValueError as error:
            log.warning("%s is damaged (%s): found again", file, shorten(error))
        graph = self._find(x, k, device)
        with swapped(file) as part, part.open("wb") as opened:
            np.savez(opened, graph=graph.numpy().astype(np.int32))
            os.fsync(opened.fileno())
        return graph

    def _find(self, x: Tensor, k: int, device: torch.device) -> Tensor:
        many = len(x) >= MANY
        if many:
            log.info("finding the %d nearest neighbours of %d samples", k, len(x))
        if len(x) <= self.exact_limit:
            there = "cpu" if device.type == "mps" else device  # which has no double precision
            return find_nearest(x.to(there), k, self.metric, progress=many).cpu()
        return _approximate(x, k, self.metric)


def _approximate(x: Tensor, k: int, metric: Metric) -> Tensor:
    """Most of the nearest neighbours, in time that grows little faster than the samples."""
    try:
        from numba import get_num_threads
        from pynndescent import NNDescent
    except ImportError:
        raise DataError(
            f"neighbours of {len(x)} samples are approximated by pynndescent, which is not "
            f"installed: {name_command('neighbors')}, or compare every pair (`exact_limit`)"
        ) from None
    log.info(
        "approximating the neighbours of %d samples by pynndescent, which compiles itself first "
        "and takes up to a minute for that",
        len(x),
    )
    threads = torch.get_num_threads()
    index = NNDescent(
        x.numpy(),
        metric=metric,
        n_neighbors=k + 1,
        random_state=0,
        n_jobs=min(threads, get_num_threads()),
    )
    # numba has changed the number of OpenMP's threads, which are torch's as well.
    torch.set_num_threads(threads)
    found, _ = index.neighbor_graph
    rows = torch.from_numpy(found.astype(np.int64))
    # The sample itself is the first, unless a duplicate of it is.
    own = rows == torch.arange(len(x))[:, None]
    order = own.byte().sort(dim=1, stable=True).indices
    return rows.gather(1, order)[:, :k]


def draw_neighbors(graph: Tensor, rows: Tensor, seed: int, epoch: int) -> Tensor:
    """One of the neighbours of every row, by seed, epoch and row alone: (rows,) int64.

    Args:
        graph: (n, k).
        rows: (batch,) int64.
        seed: any integer.
        epoch: counted from 0.
    """
    k = graph.shape[1]
    column = (draw_uniform(rows, 1, seed, epoch, DRAW)[:, 0] * k).long().clamp(max=k - 1)
    return graph[rows, column]


def shrink(x: Tensor) -> Tensor:
    """Images (batch, channels, height, width) of a side of :data:`SIDE` at most."""
    height, width = (min(side, SIDE) for side in x.shape[2:])
    return x if (height, width) == tuple(x.shape[2:]) else adaptive_avg_pool2d(x, (height, width))
