"""Models whose clusters are centres, the nearest of which wins."""

from abc import abstractmethod
from collections.abc import Iterator

import torch
from torch import Tensor

from dcsomrl.data import ClusterData
from dcsomrl.maps.grid import squared_distances
from dcsomrl.models.base import Clustered, ClusteringModule


class CenterModel(ClusteringModule):
    """A model with K centres (K, m) in the space of its codes, which start from the data.

    A subclass makes ``centers``, a parameter or a buffer. The activation of a sample at squared
    distance d from its centre is ``1 / (1 + d)``.
    """

    centers: Tensor

    @abstractmethod
    def terms(self, x: Tensor, z: Tensor) -> dict[str, Tensor]:
        """Terms of the loss on a batch and its codes."""

    def losses(self, x: Tensor) -> dict[str, Tensor]:
        """Terms of the loss on a batch."""
        return self.terms(x, self.encode(x))

    def cluster(self, x: Tensor) -> Clustered:
        """Assign a batch to the nearest centres."""
        z = self.encode(x)
        distance, nearest = squared_distances(z, self.centers).topk(2, largest=False)
        return Clustered(
            nearest[:, 0],
            1 / (1 + distance[:, 0]),
            nearest[:, 1],
            z,
            distance[:, 0].sqrt(),
            self.terms(x, z),
        )

    def adjacency(self) -> Tensor | None:
        """None: plain centres have no neighbourhood."""
        return None

    def live_clusters(self) -> Tensor:
        """All slots."""
        return torch.arange(self.n_clusters, device=self.device)

    def winners(self, z: Tensor) -> Tensor:
        """The nearest centres."""
        return squared_distances(z, self.centers).argmin(1)

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
