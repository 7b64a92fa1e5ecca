"""A network and what it clusters with: encode, assign, merge nodes into clusters."""

import logging
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dcsomrl.analysis.clusters import find_clusters
from dcsomrl.analysis.connectivity import Connectivity
from dcsomrl.data import ClusterData
from dcsomrl.data.arguments import read_whole
from dcsomrl.errors import ConfigError
from dcsomrl.maps import Assignment, Codebook
from dcsomrl.networks import evaluating

log = logging.getLogger(__name__)


class Clusterer(nn.Module, ABC):
    """A model that encodes samples and assigns their codes, however it is trained.

    Attributes:
        connectivity: how the nodes hang together by the training part, as of the last checkpoint;
            None before the first, and for those that were written before it was counted.
    """

    connectivity: Connectivity | None

    @property
    @abstractmethod
    def codebook(self) -> Codebook:
        """What the model clusters with: a map's nodes, or centres."""

    @abstractmethod
    def encode(self, x: Tensor) -> Tensor:
        """Codes (batch, m), float32, of a batch (batch, *shape) of normalised samples."""

    @abstractmethod
    def decode(self, z: Tensor) -> Tensor:
        """Samples (batch, *shape) from codes (batch, m)."""

    @torch.no_grad()
    def decoded_prototypes(self) -> Tensor:
        """The clusters in use as samples (n_live, *shape), in the order of their slots."""
        with evaluating(self):
            return self.decode(self.codebook.prototypes().detach()).float()

    @property
    def n_clusters(self) -> int:
        """K, slots of clusters."""
        return len(self.codebook.centers)

    def assign(self, z: Tensor) -> Assignment:
        """The best two clusters of codes (batch, m), with the winner's activation and distance."""
        return self.codebook.assign(z)

    def distance(self, z: Tensor, slot: Tensor) -> Tensor:
        """(batch,) squared distance of codes (batch, m) from the clusters of slots (batch,)."""
        return self.codebook.distance(z, slot)

    def cluster(self, x: Tensor) -> Assignment:
        """Encode and assign a batch (batch, *shape) of normalised samples."""
        return self.assign(self.encode(x))

    @torch.no_grad()
    def memberships(self, z: Tensor, merged: Tensor) -> Tensor:
        """How far codes belong to every cluster, by their distance from its nearest node.

        A cluster's share is as the inverse square of that distance, whatever the number of its
        nodes, so that the largest is that of the nearest node's cluster.

        Args:
            z: (batch, m) codes.
            merged: (K,) cluster of every slot, -1 for slots that are not in use.

        Returns:
            (batch, clusters) in [0, 1], rows that sum to 1.

        Source: Bezdek 1981, "Pattern recognition with fuzzy objective function algorithms", the
        memberships of fuzzy c-means with exponent 2.
        """
        live = (merged >= 0).nonzero()[:, 0]
        apart = [self.distance(z, slot.expand(len(z))) for slot in live]
        distance = torch.stack(apart, 1) if apart else z.new_zeros(len(z), 0)
        # Of the nearest: a sample on a prototype belongs to it, without a division by 0.
        nearest = distance.amin(1, keepdim=True).clamp(min=torch.finfo(distance.dtype).tiny)
        share = nearest / distance.clamp(min=nearest)
        of = merged[live].expand_as(share)
        whole = share.new_zeros(len(z), int(merged.max()) + 1)
        whole = whole.scatter_reduce(1, of, share, "amax")
        return whole / whole.sum(1, keepdim=True)

    def merged(self, n_clusters: int | None = None) -> Tensor:
        """The cluster of every slot, into which nodes are merged by their connectivity.

        Args:
            n_clusters: how many, at least 1; None for the number that is found.

        Returns:
            (K,) int64 on the device of the model, numbered from 0, the largest first; -1 for slots
            that are not in use. Without a connectivity every node is its own cluster.

        Raises:
            ValueError: the number is none.
            ConfigError: a number is asked for, and there is no connectivity.
        """
        n_clusters = None if n_clusters is None else read_whole("n_clusters", n_clusters, 1)
        live = self.codebook.live.cpu().numpy()
        if self.connectivity is None:
            if n_clusters is not None:
                raise ConfigError(
                    "the model does not say how its nodes hang together, so that they cannot be "
                    "merged: leave `n_clusters` out, or train it on with this version"
                )
            log.warning("the model does not say how its nodes hang together: each is a cluster")
            cluster = np.where(live, live.cumsum() - 1, -1)
        else:
            centers = self.codebook.centers.detach().float().cpu().numpy()
            cluster = find_clusters(self.connectivity, centers, live, n_clusters)
        return torch.from_numpy(cluster).to(self.codebook.live.device)

    @torch.no_grad()
    def count_connectivity(self, data: ClusterData) -> None:
        """Count how the nodes hang together by the training part of data, after ``setup``."""
        names = ("first", "second", "ratio", "distance")
        columns: dict[str, list[NDArray[Any]]] = {name: [] for name in names}
        with evaluating(self):
            for x in data.some_samples("train"):
                z = self.encode(x.to(self.codebook.centers))
                found = self.assign(z)
                apart = self.distance(z, found.second)
                ratio = (found.distance / apart).nan_to_num(nan=1.0).clamp(0, 1)
                values = found.winner, found.second, ratio.double(), found.distance.sqrt()
                for column, value in zip(columns.values(), values, strict=True):
                    column.append(value.cpu().numpy())
        counted = {name: np.concatenate(parts) for name, parts in columns.items()}
        self.connectivity = Connectivity.count(**counted, n_nodes=self.n_clusters)
