"""Every sample's node and cluster, and what each cluster is: the tables that a user takes home."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from dcsomrl.data import ClusterData
from dcsomrl.data.splits import Split
from dcsomrl.models import ClusteringModule
from dcsomrl.scoring import score

# Features of a table that are named as setting a cluster apart, and how far they must.
NAMED, APART = 3, 0.5


def name_samples(data: ClusterData, split: Split, columns: Mapping[str, Any]) -> pd.DataFrame:
    """Assignments of a split with what is known of its samples: row or file, id, kept columns.

    Args:
        data: that the samples are of.
        split: of these.
        columns: ``index`` and all that :func:`dcsomrl.scoring.score` gives.
    """
    table = pd.DataFrame(columns)
    about = data.about(split, torch.tensor(table["index"].to_numpy()))
    if about is None:
        return table
    return pd.concat([table[["index"]], about, table.drop(columns="index")], axis=1)


def assign_all(
    model: ClusteringModule, data: ClusterData, merged: Tensor, test: Mapping[str, Any]
) -> pd.DataFrame:
    """Assignments of all splits, named by ``split``: the test split first.

    Args:
        model: that was trained.
        data: that it was trained on.
        merged: (K,) cluster of every slot.
        test: assignments of the test split, which are known already.
    """
    parts = {"test": name_samples(data, "test", test)}
    splits: tuple[Split, ...] = ("train", "val")
    for split in splits:
        if len(data.rows(split)):
            _, columns = score(model, data.split_dataloader(split), 0, merged)
            parts[split] = name_samples(data, split, columns)
    for name, table in parts.items():
        table.insert(1, "split", name)
    return pd.concat(parts.values(), ignore_index=True)


def describe_clusters(assigned: pd.DataFrame, data: ClusterData) -> pd.DataFrame:
    """A row for every cluster, the largest first, by the numbers that it has everywhere.

    Args:
        assigned: samples with their clusters, with a ``split`` or of the test split alone.
        data: that they are of.

    Returns:
        ``cluster``, ``samples``, ``share`` of all, ``nodes`` that won some, ``outliers``, a
        ``typical`` sample (nearest to its node: its file, id, row, or split and index); of a table
        also ``apart``, the features whose mean in the cluster lies furthest from that of the rest,
        in deviations of all.
    """
    assigned = assigned[assigned["cluster"] >= 0]
    features = take_features(assigned, data)
    rows = []
    for cluster, members in assigned.groupby("cluster"):
        typical = members.iloc[int(members["distance"].to_numpy().argmin())]
        row = {
            "cluster": cluster,
            "samples": len(members),
            "share": len(members) / len(assigned),
            "nodes": members["node"].nunique(),
            "outliers": int(members["outlier"].sum()),
            "typical": name_sample(typical),
        }
        if features is not None:
            inside = (assigned["cluster"] == cluster).to_numpy()
            row["apart"] = describe_difference(features, inside, data.feature_names)
        rows.append(row)
    table = pd.DataFrame(rows)
    return table.sort_values("samples", ascending=False, kind="stable") if rows else table


def name_sample(sample: "pd.Series[Any]") -> str:
    """What to call a sample by: its file, id or row, or else split and index."""
    for name in ("file", "id"):
        if name in sample:
            within = f", row {sample['row']}" if name == "file" and "row" in sample else ""
            return f"{sample[name]}{within}"
    place = f"row {sample['row']}" if "row" in sample else f"index {sample['index']}"
    return f"{sample['split']}, {place}" if "split" in sample else place


def take_features(assigned: pd.DataFrame, data: ClusterData) -> NDArray[np.floating] | None:
    """(n, features) raw features of samples of a table; None of images."""
    if len(data.shape) != 1:
        return None
    splits = assigned["split"] if "split" in assigned else pd.Series("test", assigned.index)
    values = np.empty((len(assigned), *data.shape))
    for split, rows in assigned.groupby(splits.to_numpy()).indices.items():
        index = torch.from_numpy(assigned["index"].to_numpy()[rows])
        values[rows] = data.raw(split, index).double().numpy()  # type: ignore[arg-type]
    return values


def describe_difference(
    features: NDArray[np.floating], inside: NDArray[np.bool_], names: list[str] | None
) -> str:
    """The features that set some samples apart from the rest, and how far, in words.

    Args:
        features: (n, features) of a table.
        inside: (n,) mask of the samples.
        names: of the features; None where they have none.
    """
    if inside.all() or not inside.any():
        return ""
    # Squares of what is far from 1 are not numbers, or all 0.
    largest = np.abs(features).max(0)
    features = features / np.where(largest > 0, largest, 1)
    difference = features[inside].mean(0) - features[~inside].mean(0)
    return list_apart(difference, features.std(0), names)


def list_apart(
    difference: NDArray[np.floating], deviation: NDArray[np.floating], names: list[str] | None
) -> str:
    """The features that set a cluster apart from the rest, and how far, in words.

    Args:
        difference: (features,) of the means of the cluster and of the rest.
        deviation: (features,) of all samples.
        names: of the features; None where they have none.
    """
    apart = np.divide(difference, deviation, out=np.zeros_like(deviation), where=deviation > 0)
    furthest = np.argsort(-np.abs(apart), kind="stable")[:NAMED]
    return ", ".join(
        f"{names[i] if names else f'feature {i}'} {apart[i]:+.1f}"
        for i in furthest
        if abs(apart[i]) >= APART
    )
