"""Labels of a stream, read beside its rows; only the classes are kept."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from dcsomrl.data.constant import SHOWN, list_some
from dcsomrl.data.labels import number_labels, read_labels, warn_of_classes
from dcsomrl.data.streams import Stream
from dcsomrl.errors import DataError

# Classes, at most: scores keep a count for every class of every node.
MOST = 2**16


class StreamLabels:
    """Classes by row of a stream, read from its files.

    Args:
        stream: whose rows have them.
        values: every label as it stands in the files, once.
        classes: (values,) the class of each.
    """

    def __init__(self, stream: Stream, values: "pd.Index[Any]", classes: Tensor) -> None:
        self._stream, self._values, self._classes = stream, values, classes

    @property
    def shape(self) -> tuple[int]:
        """Rows."""
        return (len(self._stream),)

    def __len__(self) -> int:
        """Number of rows."""
        return len(self._stream)

    def __getitem__(self, index: Tensor) -> Tensor:
        """Classes (batch,) of rows (batch,)."""
        target = self._stream.roles.target
        assert target is not None
        found = self._stream.read_beside(index)[target]
        places = self._values.get_indexer(pd.Index(found.to_numpy()))
        if (places < 0).any():
            raise DataError(
                f"the labels of column {target} have changed since the files were looked at: begin "
                "anew"
            )
        return self._classes[torch.from_numpy(places)]

    def of(self, stream: Stream) -> "StreamLabels":
        """The same for the same rows, otherwise divided."""
        return StreamLabels(stream, self._values, self._classes)


def read_stream_labels(
    train: Stream, test: Stream, paths: tuple[str, str], notes: list[str]
) -> tuple[StreamLabels, StreamLabels, list[str]]:
    """Labels of two splits, and what each class is called; numbered as those in memory are.

    Args:
        train: rows of the training split.
        test: of the test split, which may be the same.
        paths: what messages call them.
        notes: gets a sentence on labels that may be none.

    Raises:
        DataError: rows have no label, or labels are fractions or too many.
    """
    streams = [train] if test is train else [train, test]
    raw = [_collect(one, path) for one, path in zip(streams, paths, strict=False)]
    columns = [
        read_labels(one, Path(path), [f"value {i}" for i in range(len(one))])
        for one, path in zip(raw, paths, strict=False)
    ]
    values = [column.to_numpy() for column in columns]
    found = number_labels(values[0], values[1] if len(values) > 1 else None, paths[0])
    classes, names = [one for one in found[:2] if one is not None], found[2]
    assert names is not None
    n = sum(one.n_kept for one in streams)
    sets = [set(one.tolist()) for one in classes]
    warn_of_classes(names, sets[0], sets[1] if len(sets) > 1 else set(), n, paths[0], notes)
    made = [
        StreamLabels(one, pd.Index(labels.to_numpy()), own)
        for one, labels, own in zip(streams, raw, classes, strict=True)
    ]
    return made[0], made[-1], names


def _collect(stream: Stream, path: str) -> "pd.Series[Any]":
    """Every label once, as it stands.

    Raises:
        DataError: rows have none, or there are too many.
    """
    found: pd.Series[Any] | None = None
    absent, called = 0, list[str]()
    target = stream.roles.target
    assert target is not None
    for where, column in stream.iterate_beside(target):
        lacks = (column.isna() | (column.astype(str).str.strip() == "")).to_numpy(bool)
        absent += int(lacks.sum())
        called += [where(i) for i in np.flatnonzero(lacks)[: SHOWN - len(called)].tolist()]
        parts = [column[~lacks]] if found is None else [found, column[~lacks]]
        found = pd.Series(pd.concat(parts).unique(), name=target)
        if len(found) > MOST:
            raise DataError(
                f"{path} has more than {MOST} different labels in column {target}: name a column "
                "of classes by `target`, or one that names the rows by `id`"
            )
    if absent:
        more = f" and {absent - len(called)} more" if absent > len(called) else ""
        raise DataError(
            f"{path} has {absent} rows without a label in column {target}, {list_some(called)}"
            f"{more}: fill or remove them (`missing` is about features alone)"
        )
    assert found is not None
    return found
