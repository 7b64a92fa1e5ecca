"""The clusters of the training that a run began with, for the samples of this run."""

import logging
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from dcsomrl.construction import Trust
from dcsomrl.data.splits import Split
from dcsomrl.errors import CheckpointError
from dcsomrl.loading import Trained, load
from dcsomrl.scoring import describe_assignment, read_number

log = logging.getLogger(__name__)


class Former(NamedTuple):
    """Where samples were before a training.

    Attributes:
        cluster: (n,) of every sample, -1 for one that was an outlier or of no node.
        number: how many clusters there were.
    """

    cluster: NDArray[np.int64]
    number: int


@torch.no_grad()
def assign_former(trained: Trained, split: Split, trust: Trust = ()) -> Former | None:
    """The clusters of the samples of a split before the training; None where nobody knows them.

    The training normalised its samples as the one that it began with, so that both take the same.

    Args:
        trained: a run whose data is loaded.
        split: train, val or test.
        trust: see :func:`dcsomrl.loading.load`.
    """
    init = trained.config.get("init")
    if init is None:
        return None
    if not Path(init).is_file():
        log.warning("init=%s is not there any more: how clusters have moved is left out", init)
        return None
    try:
        before = load(init, trust=trust)
    except CheckpointError as error:
        log.warning("how clusters have moved is left out: %s", error)
        return None
    merged = before.model.merged(read_number(before.config.get("n_clusters")))
    cluster = torch.full((len(trained.data.rows(split)),), -1)
    for batch in trained.data.split_dataloader(split):
        found = before.model.assign(before.model.encode(batch.x))
        described = describe_assignment(before.model, found, merged)
        cluster[batch.index] = described["cluster"].where(~described["outlier"], -1)
    return Former(cluster.numpy(), int(merged.max()) + 1)
