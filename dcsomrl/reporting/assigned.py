"""The samples of a split on the map of a run, as arrays."""

from typing import Any

import torch
from torch import Tensor

from dcsomrl.loading import Trained
from dcsomrl.scoring import describe_assignment

# Test samples that are kept: those of the usual benchmarks.
MOST_SAMPLES = 10_000


def assign_split(
    trained: Trained, split: Any, number: Tensor, merged: Tensor | None = None
) -> dict[str, Any]:
    """The samples of a split, of the test split at most :data:`MOST_SAMPLES`, and their nodes."""
    model, data = trained.model, trained.data
    columns: dict[str, list[Tensor]] = {}
    n = len(data.rows(split))
    kept = torch.zeros(n, dtype=torch.bool)
    # Not the first ones: files in folders come class by class.
    kept[torch.linspace(0, n - 1, min(MOST_SAMPLES, n)).round().long()] = True
    for batch in data.split_dataloader(split):
        z = model.encode(batch.x)
        found = model.assign(z)
        parts = {"winner": number[found.winner], "second": number[found.second]}
        if split == "test":
            parts |= {"activation": found.activation, "latent": z}
            parts |= {"samples": data.denormalize(batch.x), "index": batch.index}
            parts |= {} if batch.y is None else {"labels": batch.y}
            if merged is not None:
                parts["clear"] = _is_clear(model.memberships(z, merged))
                parts["outlier"] = describe_assignment(model, found)["outlier"]
            parts = {name: part[kept[batch.index]] for name, part in parts.items()}
        for name, part in parts.items():
            columns.setdefault(name, []).append(part)
    arrays: dict[str, Any] = {name: torch.cat(part).numpy() for name, part in columns.items()}
    return arrays if split == "train" else {"labels": None, **arrays}


def _is_clear(share: Tensor) -> Tensor:
    """Whether samples are twice as near to one cluster as to any other, by their memberships.

    Args:
        share: (n, clusters), as the inverse square of distances.
    """
    if share.shape[1] < 2:
        return torch.ones(len(share), dtype=torch.bool)
    first, second = share.topk(2, dim=1).values.unbind(1)
    return first >= 4 * second
