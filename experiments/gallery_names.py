"""What sits in each cluster of embeddings whose samples have names and classes, and what it scores.

The scores of a model stand beside those of k-means on the same embeddings, with as many groups, and
those by chance.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from torch import Tensor

from dcsomrl.analysis.typical import order_typical
from dcsomrl.metrics import accuracy, count_contingency, nmi, purity

NODES, NAMES, CLASSES, SHUFFLES = 12, 6, 3, 50
SCORES: dict[str, tuple[str, Callable[[Tensor], Tensor]]] = {
    "purity of nodes": ("node", purity),
    "NMI of nodes": ("node", nmi),
    "purity of clusters": ("cluster", purity),
    "NMI of clusters": ("cluster", nmi),
    "accuracy of clusters": ("cluster", accuracy),
}


def describe_names(assigned: pd.DataFrame, table: pd.DataFrame, kind: str) -> list[str]:
    """Sections of a page: the scores beside others, and clusters and nodes by what is in them.

    Args:
        assigned: a run's ``assignments.csv``.
        table: what it was trained on: ``name``, ``embedding``, and a column of classes.
        kind: that column, what the classes are, in the singular.
    """
    given = table.set_index("name").loc[assigned["id"]]
    named = assigned.assign(own=given[kind].to_numpy())
    vectors = np.array(given["embedding"].tolist())
    tested = int((named["split"] == "test").sum())
    return [
        *("## Scores compared with k-means and chance", ""),
        f"On the {tested:,} samples of the test split. k-means divides the embeddings of the "
        "training split into as many groups as the model has nodes or clusters (ten starts, seed "
        f"0). Chance is the mean over {SHUFFLES} shuffles of the classes.",
        *("", *format_scores(named, vectors), ""),
        *("## What is in each cluster", ""),
        f"Samples of all splits, with the share of each {kind}. The names are those of the samples "
        "nearest to their node, taking the nodes of the cluster in turn.",
        *("", *format_members(named, "cluster", kind), ""),
        *("## What is in each node", ""),
        f"The {NODES} largest nodes: samples of all splits, with the share of each {kind}, and the "
        "names of the samples nearest to the node.",
        *("", *format_members(named, "node", kind)[: NODES + 2], ""),
    ]


def format_scores(table: pd.DataFrame, vectors: NDArray[np.floating]) -> list[str]:
    """A table of Markdown: each score, and the same of k-means and by chance.

    Args:
        table: samples with a ``split``, a ``node``, a ``cluster`` and their ``own`` class.
        vectors: (samples, m) embeddings.
    """
    tested = (table["split"] == "test").to_numpy()
    ahead = 0
    labels = torch.from_numpy(pd.factorize(table["own"])[0][tested])
    rng = np.random.default_rng(0)
    orders = [torch.from_numpy(rng.permutation(len(labels))) for _ in range(SHUFFLES)]
    others = {
        column: _part(vectors, (table["split"] == "train").to_numpy(), table[column].nunique())
        for column in ("node", "cluster")
    }
    lines = ["| score | this model | k-means | chance |", "| --- | --- | --- | --- |"]
    for name, (column, score) in SCORES.items():
        groups = torch.tensor(table[column].to_numpy()[tested])
        other = torch.tensor(others[column][tested])
        found = [score_groups(score, one, labels) for one in (groups, other)]
        found.append(float(np.mean([score_groups(score, groups, labels[o]) for o in orders])))
        ahead += found[1] > found[0]
        lines.append(f"| {name} | {' | '.join(f'{value:.3f}' for value in found)} |")
    return [*lines, "", f"k-means is ahead of this model on {ahead} of {len(SCORES)} scores."]


def _part(vectors: NDArray[np.floating], fit: NDArray[np.bool_], number: int) -> NDArray[np.int64]:
    means = KMeans(number, n_init=10, random_state=0).fit(vectors[fit])
    return np.asarray(means.predict(vectors), dtype=np.int64)


def score_groups(score: Callable[[Tensor], Tensor], groups: Tensor, labels: Tensor) -> float:
    """A score of groups against labels, both (n,) integers; groups below 0 are left out."""
    sizes = int(groups.max()) + 1, int(labels.max()) + 1
    return float(score(count_contingency(groups, labels, *sizes)))


def format_members(table: pd.DataFrame, column: str, kind: str) -> list[str]:
    """A table of Markdown: a row for each cluster or node, the largest first.

    Args:
        table: samples with ``id``, ``node``, ``cluster``, ``distance`` and their ``own`` class.
        column: ``cluster`` or ``node``.
        kind: what the classes are, in the singular.
    """
    lines = [f"| {column} | samples | {kind} | nearest |", "| --- | --- | --- | --- |"]
    for number in table.loc[table[column] >= 0, column].value_counts().index.tolist():
        own = table[table[column] == number]
        shares = own["own"].value_counts(normalize=True).head(CLASSES)
        said = ", ".join(f"{name!s} {share:.0%}" for name, share in shares.items())
        order = order_typical(own["node"].to_numpy(), own["distance"].to_numpy())[:NAMES]
        names = ", ".join(f"`{name}`" for name in own["id"].to_numpy()[order])
        lines.append(f"| {number} | {len(own)} | {said} | {names} |")
    return lines
