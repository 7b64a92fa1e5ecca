"""Splits as a network takes them: normalised once, with a graph of nearest neighbours."""

from functools import cached_property

import torch
from torch import Tensor

from dcsomrl.data.batches import EVALUATION_BATCH, BatchDataset, Rows
from dcsomrl.data.constant import find_constant
from dcsomrl.data.neighbors import Neighbors, shrink
from dcsomrl.data.preparation import Preparation, check_finite
from dcsomrl.data.splits import Splits


class PreparedSplits:
    """Normalised samples and graphs of splits, each made when it is first asked for and kept.

    Samples on the disk are not kept: they are normalised whenever they are read.

    Args:
        splits: the raw samples.
        preparation: what they go through.
        origin: what messages call them.
    """

    def __init__(self, splits: Splits, preparation: Preparation, origin: str) -> None:
        self._splits, self._preparation, self._origin = splits, preparation, origin
        self._normalized: dict[str, Tensor] = {}
        self._graphs: dict[str, Tensor] = {}

    @cached_property
    def constant(self) -> Tensor:
        """(*shape) whether a feature is one value in all of the training part once normalised."""
        sample = self._preparation.fill_missing(self._splits.draw_training_sample())
        return find_constant(sample.amin(0), sample.amax(0), self._preparation.normalize_by_feature)

    def make_dataset(self, split: str, labelled: bool, device: torch.device) -> BatchDataset:
        """Batches of a split by its rows.

        Args:
            split: train, val or test.
            labelled: whether a batch holds the classes of its samples.
            device: the training's, onto which samples in memory are put where there is room.
        """
        x, y = self._splits.samples(split), self._splits.labels(split) if labelled else None
        if isinstance(x, Tensor):
            return BatchDataset(place(self._normalize(split, x), device), y)
        return BatchDataset(Rows(x, self._splits.rows[split]), y, self._preparation)

    def find_graph(self, split: str, neighbors: Neighbors, device: torch.device) -> Tensor:
        """Nearest neighbours (n, k) of the samples of a split, as its rows.

        Raises:
            DataError: features were given that are not of these samples, or there is but one.
        """
        if split not in self._graphs:
            self._graphs[split] = neighbors.graph(self._take_compared(split, neighbors), device)
        return self._graphs[split]

    def _take_compared(self, split: str, neighbors: Neighbors) -> Tensor:
        """What neighbours of a split are found by, in memory."""
        x, rows = self._splits.arrays.train_x, self._splits.rows[split]
        assert isinstance(rows, Tensor)
        if neighbors.features is not None:
            return neighbors.given(rows, len(x))
        if isinstance(x, Tensor):
            return self._normalize(split, x)
        parts = rows.split(EVALUATION_BATCH)
        return torch.cat([shrink(self._preparation(x[part])).half() for part in parts])

    def _normalize(self, split: str, x: Tensor) -> Tensor:
        """The samples of a split out of all of its arrays, normalised once."""
        if split not in self._normalized:
            rows = self._splits.rows[split]
            assert isinstance(rows, Tensor)
            self._normalized[split] = check_finite(
                self._preparation(x[rows]), self._origin, self._preparation.normalization
            )
        return self._normalized[split]


def place(x: Tensor, device: torch.device) -> Tensor:
    """Samples on a GPU, where they take less than a quarter of what is free there."""
    if device.type != "cuda" or x.nbytes > torch.cuda.mem_get_info(device)[0] / 4:
        return x
    return x.to(device)
