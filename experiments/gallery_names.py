"""What sits in each cluster of samples that have names and classes, and what chance would score."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from dcsomrl.analysis.typical import order_typical
from dcsomrl.metrics import accuracy, count_contingency, nmi, purity

NAMES, CLASSES, SHUFFLES = 6, 3, 50
SCORES: dict[str, tuple[str, Callable[[Tensor], Tensor]]] = {
    "purity of nodes": ("node", purity),
    "NMI of nodes": ("node", nmi),
    "purity of clusters": ("cluster", purity),
    "NMI of clusters": ("cluster", nmi),
    "accuracy of clusters": ("cluster", accuracy),
}


def describe_names(assigned: pd.DataFrame, classes: pd.Series, kind: str) -> list[str]:
    """Two sections of a page: the scores beside chance, and the clusters by what is in them.

    Args:
        assigned: a run's ``assignments.csv``.
        classes: of each sample, by its id.
        kind: what the classes are, in the singular.
    """
    table = assigned.assign(own=classes.reindex(assigned["id"]).to_numpy())
    tested = table[table["split"] == "test"]
    return [
        *("## Scores beside chance", ""),
        f"Of the {len(tested):,} samples of the test split. Chance is the mean of {SHUFFLES} "
        f"shuffles of the classes over the samples: nodes and clusters keep their sizes.",
        *("", *format_scores(tested), ""),
        *("## What sits in each cluster", ""),
        f"Samples of all splits. The names are those nearest to their node, of each node of the "
        f"cluster in turn; every {kind} has its share of the cluster.",
        *("", *format_members(table, kind), ""),
    ]


def format_scores(table: pd.DataFrame) -> list[str]:
    """A table of Markdown: each score, and the same by chance.

    Args:
        table: samples with a ``node``, a ``cluster`` and their ``own`` class.
    """
    labels = torch.from_numpy(pd.factorize(table["own"])[0])
    rng = np.random.default_rng(0)
    orders = [torch.from_numpy(rng.permutation(len(labels))) for _ in range(SHUFFLES)]
    lines = ["| score | this model | chance |", "| --- | --- | --- |"]
    for name, (column, score) in SCORES.items():
        groups = torch.from_numpy(table[column].to_numpy())
        own = score_groups(score, groups, labels)
        chance = np.mean([score_groups(score, groups, labels[order]) for order in orders])
        lines.append(f"| {name} | {own:.3f} | {chance:.3f} |")
    return lines


def score_groups(score: Callable[[Tensor], Tensor], groups: Tensor, labels: Tensor) -> float:
    """A score of groups against labels, both (n,) integers; groups below 0 are left out."""
    sizes = int(groups.max()) + 1, int(labels.max()) + 1
    return float(score(count_contingency(groups, labels, *sizes)))


def format_members(table: pd.DataFrame, kind: str) -> list[str]:
    """A table of Markdown: a row for each cluster, the largest first.

    Args:
        table: samples with ``id``, ``node``, ``cluster``, ``distance`` and their ``own`` class.
        kind: what the classes are, in the singular.
    """
    lines = [f"| cluster | samples | {kind} | nearest to its nodes |", "| --- | --- | --- | --- |"]
    members = dict(list(table[table["cluster"] >= 0].groupby("cluster")))
    for cluster in sorted(members, key=lambda number: -len(members[number])):
        own = members[cluster]
        shares = own["own"].value_counts(normalize=True, sort=True)[:CLASSES]
        said = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
        order = order_typical(own["node"].to_numpy(), own["distance"].to_numpy())[:NAMES]
        names = ", ".join(f"`{name}`" for name in own["id"].to_numpy()[order])
        lines.append(f"| {cluster} | {len(own)} | {said} | {names} |")
    return lines
