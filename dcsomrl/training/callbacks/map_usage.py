"""How much of a map is in use while it is trained."""

import torch
from pytorch_lightning import Callback, LightningModule, Trainer

from dcsomrl.hints import check_arguments
from dcsomrl.metrics import NodeUsage
from dcsomrl.models import ClusteringModule
from dcsomrl.networks import evaluating
from dcsomrl.ranges import Count
from dcsomrl.training.data import get_data


class MapUsage(Callback):
    """Logs, once an epoch, how many nodes win a training sample, and how evenly.

    ``usage/nodes_used`` is their number, ``usage/perplexity`` that of nodes that would be used as
    evenly: the exponential of the entropy.

    Args:
        n_samples: how many, evenly spaced over the training split; at least 1.

    Raises:
        ValueError: n_samples below 1.
    """

    @check_arguments
    def __init__(self, n_samples: Count = 5000) -> None:
        self._n = n_samples

    @torch.no_grad()
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Assign the samples to the map as it is."""
        assert isinstance(pl_module, ClusteringModule)
        usage = NodeUsage(pl_module.n_clusters).to(pl_module.device)
        with evaluating(pl_module):
            for x in get_data(trainer).some_samples("train", self._n):
                usage.update(pl_module.cluster(x.to(pl_module.device)).winner)
        for name, value in usage.compute().items():
            pl_module.log(f"usage/{name}", value.float(), rank_zero_only=True)
