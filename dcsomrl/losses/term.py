"""A term of a loss, and their weighted sum."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping

from torch import Tensor, nn

from dcsomrl.losses.step import Step


class Term(nn.Module, ABC):
    """A term of a loss; parameters and buffers of a subclass are trained and saved with the model.

    Args:
        weight: factor on the term in the loss, at least 0.

    Raises:
        ValueError: a negative weight.

    Attributes:
        compares_views: whether the term reads :attr:`Step.views`.
        compares_neighbors: whether it reads :attr:`Step.neighbor`.
        begin: share of the training, in [0, 1), before which it does not count in the loss.
    """

    begin: float = 0.0

    compares_views = False
    compares_neighbors = False

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        if weight < 0:
            raise ValueError(f"the weight of a term must be at least 0, got {weight}")
        self.weight = weight

    @abstractmethod
    def forward(self, step: Step) -> Tensor:
        """The term on a batch, without its weight: a 0-d tensor."""


def sum_terms(values: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """Weighted sum of the terms, in their order; a weight of 1 costs nothing.

    Args:
        values: 0-d term by its name.
        weights: factor of every one.
    """
    return _sum(
        value if weights[name] == 1 else weights[name] * value for name, value in values.items()
    )


def _sum(values: Iterable[Tensor]) -> Tensor:
    first, *others = values
    for value in others:
        first = first + value
    return first
