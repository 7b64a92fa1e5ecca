"""Models whose clusters are centres, the nearest of which wins."""

from collections.abc import Iterator

import torch
from torch import Tensor

from dcsomrl.data import ClusterData
from dcsomrl.maps import Assignment
from dcsomrl.maps.grid import squared_distances
from dcsomrl.models.base import Clustered, ClusteringModule


class CenterModel(ClusteringModule):
    """A model with K centres (K, m) in the space of its codes, which start from the data.

    A subclass makes ``centers``, a parameter or a buffer. The activation of a sample at squared
    distance d from its centre is ``1 / (1 + d)``.
    """

    centers: Tensor

    def assign(self, z: Tensor) -> Assignment:
        """The nearest centres; the distance is squared."""
        distance, winner = squared_distances(z, self.centers).min(1)
        return Assignment(winner, 1 / (1 + distance.detach()), distance)

    def place(self, z: Tensor) -> Clustered:
        """The nearest centres, the second ones, and the distances from the nearest."""
        distance, nearest = squared_distances(z, self.centers).topk(2, largest=False)
        first = distance[:, 0]
        return Clustered(nearest[:, 0], 1 / (1 + first), nearest[:, 1], z, first.sqrt())

    def adjacency(self) -> Tensor | None:
        """None: plain centres have no neighbourhood."""
        return None

    def live_clusters(self) -> Tensor:
        """All slots."""
        return torch.arange(self.n_clusters, device=self.device)

    def prototypes(self) -> Tensor:
        """All centres."""
        return self.centers.detach()

    def squared_distance(self, z: Tensor) -> Tensor:
        """Mean squared distance of codes from their nearest centre, 0-d."""
        return squared_distances(z, self.centers).amin(1).mean()

    @torch.no_grad()
    def training_codes(self) -> Tensor:
        """Codes (n, m) of the training part, in order."""
        return torch.cat([self.encode(x) for x in self.training_samples()])

    def drawn(self, codes: Tensor) -> Tensor:
        """Random codes (K, m) to start centres at; every process of a run draws the same ones."""
        seeded = torch.Generator().manual_seed(torch.initial_seed())
        return codes[torch.randperm(len(codes), generator=seeded)[: self.n_clusters]]

    def training_samples(self) -> Iterator[Tensor]:
        """The training part in order, in batches, without labels, in the precision of training."""
        data = self.trainer.datamodule  # type: ignore[attr-defined]
        assert isinstance(data, ClusterData)
        for batch in data.split_dataloader("train"):
            yield batch.x.to(self.epoch_sums)


def check_clusters(n_clusters: int) -> None:
    """Refuse fewer than two clusters.

    Raises:
        ValueError: n_clusters below 2.
    """
    if n_clusters < 2:
        raise ValueError(f"n_clusters must be at least 2, got {n_clusters}")
