"""The assignments of a stream and its clusters, written and summed up part by part."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from dcsomrl.data import ClusterData
from dcsomrl.data.splits import Split
from dcsomrl.models import ClusteringModule
from dcsomrl.scoring import Scorer, assign_batches, count_classes
from dcsomrl.training.assignments import list_apart, name_sample, name_samples
from dcsomrl.training.results import ASSIGNMENTS, write_clusters
from dcsomrl.writing import swapped

log = logging.getLogger(__name__)

# Samples that are gathered before they are written: a row group of the file.
PART = 2**16


class Scored(NamedTuple):
    """What is known of a split.

    Attributes:
        scores: by name; see :meth:`dcsomrl.scoring.Scorer.compute`.
        wins: samples of every slot that won some, by its number; -1 for those without a node.
    """

    scores: dict[str, float]
    wins: "pd.Series[int]"


class ClusterSums:
    """What :func:`dcsomrl.training.assignments.describe_clusters` says, from sums over parts.

    Args:
        n_clusters: how many there are.
        n_nodes: slots of the map.
        width: features.
        names: of the features; None where they have none.
    """

    def __init__(self, n_clusters: int, n_nodes: int, width: int, names: list[str] | None) -> None:
        self._names = names
        self._samples = np.zeros((n_clusters, n_nodes), np.int64)
        self._outliers = np.zeros(n_clusters, np.int64)
        self._sums = np.zeros((n_clusters, width))
        self._squares = np.zeros(width)
        self._size = self._shift = np.zeros(width)  # of the samples, as the first tell
        self._nearest = np.full(n_clusters, np.inf)
        self._typical = [""] * n_clusters

    def update(self, table: pd.DataFrame, raw: Tensor) -> None:
        """Take in samples with their assignments, and their raw features (n, features)."""
        inside = (table["cluster"] >= 0).to_numpy()
        table, x = table[inside], raw.double().numpy()[inside]
        if not len(table):
            return
        if not self._samples.any():
            # Squares of what is far from 1 are not numbers, and what all have in common leaves no
            # digits to them.
            largest = np.abs(x).max(0)
            self._size = np.where(largest > 0, largest, 1)
            self._shift = x[0] / self._size
        x = x / self._size - self._shift
        cluster = table["cluster"].to_numpy()
        np.add.at(self._samples, (cluster, table["node"].to_numpy()), 1)
        self._squares += (x * x).sum(0)
        for one in np.unique(cluster):
            own = cluster == one
            self._sums[one] += x[own].sum(0)
            members = table[own]
            self._outliers[one] += int(members["outlier"].sum())
            nearest = members.iloc[int(members["distance"].to_numpy().argmin())]
            if nearest["distance"] < self._nearest[one]:
                self._nearest[one], self._typical[one] = nearest["distance"], name_sample(nearest)

    def describe(self) -> pd.DataFrame:
        """A row for every cluster that has samples, the largest first."""
        samples = self._samples.sum(1)
        n = int(samples.sum())
        total = self._sums.sum(0)
        rows = []
        for one in np.flatnonzero(samples):
            own, rest = samples[one], n - samples[one]
            variance = np.maximum(self._squares / n - (total / n) ** 2, 0)
            apart = ""
            if rest:
                difference = self._sums[one] / own - (total - self._sums[one]) / rest
                apart = list_apart(difference, np.sqrt(variance), self._names)
            rows.append(
                {
                    "cluster": one,
                    "samples": own,
                    "share": own / n,
                    "nodes": int((self._samples[one] > 0).sum()),
                    "outliers": self._outliers[one],
                    "typical": self._typical[one],
                    "apart": apart,
                }
            )
        table = pd.DataFrame(rows)
        return table.sort_values("samples", ascending=False, kind="stable") if rows else table


def write_streamed(
    model: ClusteringModule,
    data: ClusterData,
    merged: Tensor,
    folder: Path,
    splits: Sequence[Split],
) -> Scored:
    """Assign splits of a stream, score them, and write assignments and clusters.

    ``assignments.parquet`` alone is written, and none where pyarrow is not installed.

    Args:
        model: that was trained.
        data: that is assigned.
        merged: (K,) cluster of every slot.
        folder: for the files.
        splits: in the order in which they are written; a single one is not named in the table.

    Returns:
        What is known of the first split.
    """
    sums = ClusterSums(int(merged.max()) + 1, model.n_clusters, data.shape[0], data.feature_names)
    found = []
    with ExitStack() as stack:
        write = _open_writer(folder, stack)
        for split in splits:
            scorer = Scorer(model, count_classes(data, split), merged)
            wins = torch.zeros(model.n_clusters + 1, dtype=torch.int64)
            for columns in _gather(model, data, split, scorer, merged):
                table = name_samples(data, split, columns)
                table.insert(1, "split", split)
                wins += torch.from_numpy(columns["node"]).add(1).bincount(minlength=len(wins))
                sums.update(table, data.raw(split, torch.from_numpy(columns["index"])))
                write(table if len(splits) > 1 else table.drop(columns="split"))
            counts = pd.Series(wins.numpy(), np.arange(-1, model.n_clusters))
            found.append(Scored(scorer.compute(), counts[counts > 0]))
    write_clusters(folder, sums.describe())
    return found[0]


def _gather(
    model: ClusteringModule, data: ClusterData, split: Split, scorer: Scorer, merged: Tensor
) -> Iterator[dict[str, NDArray[Any]]]:
    """Assignments of a split, :data:`PART` at once."""
    held: list[dict[str, Tensor]] = []
    for columns in assign_batches(model, data.split_dataloader(split), scorer, merged):
        held.append(columns)
        if sum(len(one["index"]) for one in held) >= PART:
            yield _join(held)
            held = []
    if held:
        yield _join(held)


def _join(parts: list[dict[str, Tensor]]) -> dict[str, NDArray[Any]]:
    return {name: torch.cat([part[name] for part in parts]).numpy() for name in parts[0]}


def _open_writer(folder: Path, stack: ExitStack) -> Any:
    """What writes a part of the assignments; the file is there once the stack is left."""
    path = folder / ASSIGNMENTS[0]
    (folder / ASSIGNMENTS[1]).unlink(missing_ok=True)
    if not find_spec("pyarrow"):
        log.warning("pyarrow is not installed: the assignments of a stream are not written")
        return lambda table: None
    import pyarrow as pa
    import pyarrow.parquet as pq

    log.info("the assignments of a stream are written to %s alone, not to %s", *ASSIGNMENTS)
    part = stack.enter_context(swapped(path))
    writers: list[Any] = []

    def write(table: pd.DataFrame) -> None:
        schema = writers[0].schema if writers else None
        rows = pa.Table.from_pandas(table, schema, preserve_index=False)
        if not writers:
            writers.append(stack.enter_context(pq.ParquetWriter(part, rows.schema)))
        writers[0].write_table(rows)

    return write
