"""Models whose clusters are the nodes of a map with relevances."""

from abc import abstractmethod

from torch import Tensor

from dcsomrl.maps import RelevanceMap
from dcsomrl.models.base import Clustered, ClusteringModule


class GrowingModel(ClusteringModule):
    """A model whose clusters are the live nodes of a map over its codes.

    Attributes:
        som: the map, as wide as the codes.
    """

    som: RelevanceMap

    @abstractmethod
    def map_terms(self, x: Tensor, z: Tensor, distance: Tensor) -> dict[str, Tensor]:
        """Terms of the loss on a batch, its codes and their (batch,) distances from the winners."""

    def cluster(self, x: Tensor) -> Clustered:
        """Assign a batch to the map as it is."""
        z = self.encode(x)
        assigned = self.som.assign(z)
        error = (z - self.som.centers[assigned.winner]).norm(dim=1)
        return Clustered(
            assigned.winner,
            assigned.activation,
            self.som.nearest(z)[:, 1],
            z,
            error,
            self.map_terms(x, z, assigned.distance),
        )

    def adjacency(self) -> Tensor:
        """Neighbours as the map has them."""
        return self.som.adjacency()

    def live_clusters(self) -> Tensor:
        """Slots of the live nodes."""
        return self.som.live.nonzero()[:, 0]

    def winners(self, z: Tensor) -> Tensor:
        """The most activated nodes."""
        return self.som.assign(z).winner

    def prototypes(self) -> Tensor:
        """The live centres."""
        return self.som.prototypes()

    def relevances(self) -> Tensor:
        """Of the live nodes."""
        return self.som.relevances[self.som.live]

    def epoch_state(self) -> dict[str, Tensor]:
        """Live nodes, and the births and deaths since training began."""
        som = self.som
        return {"nodes": som.n_live, "births": som.births, "deaths": som.deaths}
