"""The maps with relevances by themselves: on samples, or on the codes of a frozen network."""

from collections.abc import Callable, Sequence

from torch import Tensor

from dcsomrl.errors import ConfigError
from dcsomrl.maps import LARFDSSOM, RelevanceMap
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

    @property
    def codebook(self) -> RelevanceMap:
        """The map."""
        return self.som

    def start(self, codes: Tensor) -> None:
        """Refuse several processes where one sample must follow another.

        Raises:
            ConfigError: LARFDSSOM on more than one process.
        """
        if isinstance(self.som, LARFDSSOM) and self.trainer.world_size > 1:
            raise ConfigError("LARFDSSOM learns sample by sample: use `devices=1`")

    def learn(self, z: Tensor) -> None:
        """A step of the map; after the last epoch's last batch, LARFDSSOM settles."""
        self.som.learn_(z)
        last_epoch = self.current_epoch + 1 == self.trainer.max_epochs
        if isinstance(self.som, LARFDSSOM) and last_epoch and self.trainer.is_last_batch:
            self._settle(self.som)

    def _settle(self, som: LARFDSSOM) -> None:
        som.frozen.fill_(True)
        # What was counted of an unfinished window says little of who wins.
        som.wins.zero_()
        som.seen.zero_()
        for _ in range(MOST_ROUNDS):
            som.learn_(self.training_codes())
            if som.remove_() == 0:
                break
