"""The maps with relevances by themselves: on samples, or on the codes of a frozen network."""

from collections.abc import Callable, Sequence

from torch import Tensor

from dcsomrl.errors import ConfigError
from dcsomrl.maps import RelevanceMap
from dcsomrl.models.shallow import ShallowModel
from dcsomrl.networks import Autoencoder


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

    def start(self) -> None:
        """Refuse several processes where one sample must follow another.

        Raises:
            ConfigError: a map that learns sample by sample, on more than one process.
        """
        if self.som.sequential and self.trainer.world_size > 1:
            raise ConfigError(f"{type(self.som).__name__} learns sample by sample: use `devices=1`")

    def learn(self, z: Tensor) -> None:
        """A step of the map, which settles after the last epoch's last batch."""
        self.som.learn_(z)
        last_epoch = self.current_epoch + 1 == self.trainer.max_epochs
        if last_epoch and self.trainer.is_last_batch:
            self.som.settle_(self.training_codes)
