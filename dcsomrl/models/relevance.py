"""The maps with relevances by themselves: on samples, or on the codes of a frozen network."""

from collections.abc import Callable, Sequence

from torch import Tensor

from dcsomrl.errors import ConfigError
from dcsomrl.maps import LARFDSSOM, RelevanceMap
from dcsomrl.models.base import Clustered
from dcsomrl.models.shallow import ShallowModel
from dcsomrl.networks import Autoencoder

# Rounds over the training part in which LARFDSSOM may settle; a few are the rule.
MOST_ROUNDS = 20


class RelevanceMapModel(ShallowModel):
    """SOMRL or LARFDSSOM alone.

    Args:
        input_shape: see :class:`ShallowModel`, as ``autoencoder`` and ``pretrained``.
        som: makes the map from its number of features.
        autoencoder: gives the features.
        pretrained: its weights.

    LARFDSSOM ends, as published, with rounds without insertion until no node is removed.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        som: Callable[..., RelevanceMap],
        autoencoder: Autoencoder | None = None,
        pretrained: str | None = None,
    ) -> None:
        super().__init__(input_shape, autoencoder, pretrained)
        self.som = som(n_features=self.features.width)
        self.n_clusters = self.som.max_nodes

    @property
    def centers(self) -> Tensor:  # type: ignore[override]
        """Centres of all slots."""
        return self.som.centers

    def start(self, codes: Tensor) -> None:
        """Refuse several processes where one sample must follow another.

        Raises:
            ConfigError: LARFDSSOM on more than one process.
        """
        if isinstance(self.som, LARFDSSOM) and self.trainer.world_size > 1:
            raise ConfigError("LARFDSSOM learns sample by sample: use trainer.devices=1")

    def learn(self, z: Tensor) -> None:
        """A step of the map; after the last epoch's last batch, LARFDSSOM settles."""
        self.som(z)
        last_epoch = self.current_epoch + 1 == self.trainer.max_epochs
        if isinstance(self.som, LARFDSSOM) and last_epoch and self.trainer.is_last_batch:
            self._settle(self.som)

    def _settle(self, som: LARFDSSOM) -> None:
        som.frozen.fill_(True)
        som.remove_()
        for _ in range(MOST_ROUNDS):
            before = int(som.deaths)
            som(self.training_codes())
            if som.remove_() == 0 and int(som.deaths) == before:
                break

    def terms(self, x: Tensor, z: Tensor) -> dict[str, Tensor]:
        """Mean distance to the winner, squared and weighted by its relevances."""
        return {"loss": self.som.assign(z).distance.mean()}

    def cluster(self, x: Tensor) -> Clustered:
        """Assign a batch to the map as it is."""
        z = self.encode(x)
        assigned = self.som.assign(z)
        error = (z - self.som.centers[assigned.winner]).norm(dim=1)
        second = self.som.nearest(z)[:, 1]
        losses = {"loss": assigned.distance.mean()}
        return Clustered(assigned.winner, assigned.activation, second, z, error, losses)

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
