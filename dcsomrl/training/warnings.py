"""What makes a result look like more than it is."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dcsomrl.data import ClusterData
from dcsomrl.models import DEC, ClusteringModule
from dcsomrl.models.checks import makes_views
from dcsomrl.scoring import count_classes


def find_warnings(
    model: ClusteringModule,
    data: ClusterData,
    scores: Mapping[str, Any],
    wins: "pd.Series[int]",
    split: str,
) -> list[str]:
    """Sentences on what is degenerate with a scored model, and what to change.

    Args:
        model: that was scored.
        data: that it was trained on, or is scored on.
        scores: see :meth:`dcsomrl.scoring.Scorer.compute`.
        wins: scored samples of every slot that won some, by its number; -1 for those without one.
        split: that was scored.
    """
    book = model.codebook
    samples, unassigned = int(wins.sum()), int(wins.get(-1, 0))
    early = warn_of_pretraining(model)
    return [
        *warn_of_map(int(book.live.sum()), model.n_clusters, book.relevances is not None),
        *(early or warn_of_clusters(scores["nodes_used"], scores["nodes"], samples, unassigned)),
        *warn_of_labels(data.num_classes, count_classes(data, split), split),
        *warn_of_classes(count_classes(data, split), scores.get("classes", 0)),
        *warn_of_data(data.constant, data.n_constant),
        *warn_of_unused(data, model),
    ]


def warn_of_pretraining(model: ClusteringModule) -> list[str]:
    """On a training that ended before its clusters were begun."""
    if not isinstance(model, DEC) or model.started:
        return []
    return [
        f"The training ended within the {model.pretrain_epochs} epochs of pretraining "
        "(`pretrain_epochs`), so there are no clusters yet: train for longer."
    ]


def warn_of_map(nodes: int, slots: int, grows: bool) -> list[str]:
    """On the number of live nodes among the slots of a map, or of clusters."""
    if nodes == 0:
        return [
            "The map has no live node: it has learned nothing. Train for longer (`max_epochs`) or "
            "lower `life_decay`, of LARFDSSOM `lowest_share`."
        ]
    if nodes == 1 and grows:
        return [
            "The map has one live node, so it tells nothing apart: raise `activation_threshold` "
            "(lower `radius` where there is one) or, of DC-SOMRL, lower `alpha`."
        ]
    if nodes == slots and grows:
        return [
            f"The map is full: all {nodes} of its slots are in use, and it could not grow where "
            "the data asked for it. Raise `max_nodes`, lower `activation_threshold` or, where "
            "there is one, raise `radius`."
        ]
    return []


def warn_of_clusters(used: int, nodes: int, samples: int, unassigned: int) -> list[str]:
    """On how samples are spread over the clusters."""
    said = []
    if samples and unassigned == samples:
        said.append("No sample has a node, so there is no score: train for longer.")
    elif used == 1 and nodes != 1 and samples > 1:
        said.append(
            f"All {samples} scored samples are in one of {nodes} nodes: train for longer "
            "(`max_epochs`), weaken what draws the codes together (`alpha` or the clustering "
            "loss), or check the scale of the data (`normalization`)."
        )
    if 0 < unassigned < samples:
        said.append(
            f"{unassigned} of {samples} samples have no node (cluster -1): no score counts them."
        )
    return said


def warn_of_number(asked: int | None, given: float) -> list[str]:
    """On a number of clusters, None for the one that is found, that the nodes do not give."""
    if asked is None or given >= asked:
        return []
    return [f"{asked} clusters were asked for, and the nodes give {given:.0f} at most."]


def warn_of_labels(known: int, labelled: int, split: str) -> list[str]:
    """On a split without labels, 0 classes, beside one of the data that has some."""
    if known and not labelled:
        return [f"The {split} split has no labels, so scores against them are left out."]
    return []


def warn_of_classes(known: int, scored: int) -> list[str]:
    """On classes of the data, 0 without labels, and of the samples that were scored."""
    if known == 1 or scored == 1:
        return ["All labels are one class, so scores against them are left out: check the labels."]
    if known and not scored:
        return ["No scored sample has a node, so scores against labels are left out."]
    return []


def warn_of_unused(data: ClusterData, model: ClusteringModule) -> list[str]:
    """On views and neighbours that are made, and that no step of the training has read."""
    if model.read is None:
        return []
    said = []
    if makes_views(data) and "views" not in model.read:
        said.append(
            "The data makes views, and no term of the loss compares any: leave the augmentation "
            "out, or add such a term (`losses`)."
        )
    if data.neighbors is not None and "neighbor" not in model.read:
        said.append(
            "The data finds neighbours, and no term of the loss compares any: leave them out, or "
            "add such a term (`losses`)."
        )
    return said


def warn_of_data(constant: Sequence[str], number: int) -> list[str]:
    """On features that are one value in all of the training part."""
    if list(constant) == ["all samples"]:
        return ["All training samples are equal: there is nothing to cluster. Check the data."]
    if not constant:
        return []
    named = ", ".join(constant[:5]) + (", ..." if len(constant) > 5 else "")
    return [f"{number} features are constant and tell nothing apart ({named}): remove them."]
