"""What a step made of a batch, for the terms of a loss."""

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from torch import Tensor

from dcsomrl.errors import ConfigError
from dcsomrl.maps import Assignment

# What a term says of itself where the data lacks what it compares.
NO_VIEWS = "compares views, and the data makes none: give the data an `Augmentation`"
NO_NEIGHBORS = "compares neighbours, and the data has none: give the data `Neighbors`"


T = TypeVar("T")


class Once(Generic[T]):
    """A property that is computed when it is first asked for, in a way that a compiler can follow.

    It cannot follow ``functools.cached_property``, which takes a lock before Python 3.12.

    Args:
        compute: gives the value from the object.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, holder: Any, owner: type | None = None) -> T:
        """The value, which from now on hides the property; of a class the property itself."""
        if holder is None:
            return self  # type: ignore[return-value]
        value = self._compute(holder)
        setattr(holder, self._name, value)
        return value


class Codec(Protocol):
    """What a step asks of its model."""

    def encode(self, x: Tensor) -> Tensor:
        """Codes (batch, m) of samples (batch, *shape)."""
        ...

    def decode(self, z: Tensor) -> Tensor:
        """Samples (batch, *shape) of codes (batch, m)."""
        ...

    def assign(self, z: Tensor) -> Assignment:
        """Winners of codes (batch, m), with their activation and distance."""
        ...

    def distance(self, z: Tensor, slot: Tensor) -> Tensor:
        """(batch,) squared distance of codes (batch, m) from the nodes of given slots (batch,)."""
        ...


class Step:
    """A batch and what the model makes of it; what no term asks for is not computed.

    In training the map has taken its step on the batch before any term is computed.

    Args:
        x: (batch, *shape) normalised samples.
        z: (batch, m) their codes, with gradient.
        model: encodes, decodes and assigns.
        index: (batch,) rows of the samples in their split, int64.
        views: random views of the samples, each (batch, *shape); as many as the data's
            augmentation makes.
        neighbor: (batch, *shape) one nearest neighbour of every sample, where the data has them.

    Attributes:
        read: which of ``views`` and ``neighbor`` was asked for so far.
    """

    def __init__(
        self,
        x: Tensor,
        z: Tensor,
        model: Codec,
        index: Tensor | None = None,
        views: tuple[Tensor, ...] = (),
        neighbor: Tensor | None = None,
    ) -> None:
        self.x, self.z, self.model, self.index = x, z, model, index
        self._views, self._neighbor = views, neighbor
        self.read: set[str] = set()

    @property
    def views(self) -> tuple[Tensor, ...]:
        """Random views of the samples, each (batch, *shape)."""
        self.read.add("views")
        return self._views

    @property
    def neighbor(self) -> Tensor | None:
        """(batch, *shape) one nearest neighbour of every sample; None where the data has none."""
        self.read.add("neighbor")
        return self._neighbor

    @Once
    def reconstruction(self) -> Tensor:
        """(batch, *shape) samples that the decoder makes of the codes."""
        return self.model.decode(self.z)

    @Once
    def view_codes(self) -> tuple[Tensor, ...]:
        """(batch, m) codes of every view, with gradient.

        Raises:
            ConfigError: there are no views.
        """
        if not self.views:
            raise ConfigError(f"a term of the loss {NO_VIEWS}")
        return tuple(self.model.encode(view) for view in self.views)

    @Once
    def neighbor_codes(self) -> Tensor:
        """(batch, m) codes of a nearest neighbour of every sample, with gradient.

        Raises:
            ConfigError: the data has no neighbours.
        """
        if self.neighbor is None:
            raise ConfigError(f"a term of the loss {NO_NEIGHBORS}")
        return self.model.encode(self.neighbor)

    @Once
    def assignment(self) -> Assignment:
        """Where the codes fall; the distance carries their gradient."""
        return self.model.assign(self.z)
