"""Models whose clusters are the nodes of a map with relevances."""

from torch import Tensor

from dcsomrl.maps import Assignment, RelevanceMap
from dcsomrl.models.base import Clustered, ClusteringModule


class GrowingModel(ClusteringModule):
    """A model whose clusters are the live nodes of a map over its codes.

    Attributes:
        som: the map, as wide as the codes.
    """

    som: RelevanceMap

    def assign(self, z: Tensor) -> Assignment:
        """The most activated nodes of the map as it is."""
        return self.som.assign(z)

    def place(self, z: Tensor) -> Clustered:
        """The most activated nodes, the second ones, and the distances from their centres."""
        found = self.assign(z)
        error = (z - self.som.centers[found.winner]).norm(dim=1)
        return Clustered(found.winner, found.activation, self.som.nearest(z)[:, 1], z, error)

    def adjacency(self) -> Tensor:
        """Neighbours as the map has them."""
        return self.som.adjacency()

    def live_clusters(self) -> Tensor:
        """Slots of the live nodes."""
        return self.som.live.nonzero()[:, 0]

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
