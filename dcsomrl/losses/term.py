"""A term of a loss, and their weighted sum."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping

from torch import Tensor, nn

from dcsomrl.errors import ConfigError
from dcsomrl.hints import check_arguments
from dcsomrl.losses.step import Step
from dcsomrl.ranges import NonNegative


class Term(nn.Module, ABC):
    """A term of a loss; parameters and buffers of a subclass are trained and saved with the model.

    Args:
        weight: factor on the term in the loss, at least 0.

    Raises:
        ValueError: a negative weight.

    Attributes:
        weight: the same; a later value counts from the next step on.
        compares_views: whether the term needs :attr:`Step.views`: data without them is then refused
            before the training.
        compares_neighbors: likewise, :attr:`Step.neighbor`.
        begin: share of the training, in [0, 1), before which it does not count in the loss.
    """

    begin: float = 0.0

    compares_views = False
    compares_neighbors = False

    @check_arguments
    def __init__(self, weight: NonNegative = 1.0) -> None:
        super().__init__()
        self.weight = weight

    @abstractmethod
    def forward(self, step: Step) -> Tensor:
        """The term on a batch, without its weight: a 0-d tensor."""


def name_terms(losses: Mapping[str, Term]) -> nn.ModuleDict:
    """Terms by their names, as a part of a model.

    Raises:
        ValueError: they are not a mapping of names to terms, or torch cannot call a module so.
    """
    if not isinstance(losses, Mapping):
        raise ValueError(
            "losses must map names to terms, as {'reconstruction': `Reconstruction`()}, got "
            f"{type(losses).__name__}"
        )
    named = nn.ModuleDict()
    for name, term in losses.items():
        if not isinstance(term, Term):
            raise ValueError(
                f"the term {name} of losses is of class {type(term).__name__}, which must derive "
                "from dcsomrl.Term"
            )
        try:
            named[name] = term
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"a term of losses cannot be called {name!r} ({error.args[0]}): choose another name"
            ) from error
    return named


def compute_terms(losses: Mapping[str, Term], step: Step) -> dict[str, Tensor]:
    """Every term on a batch by its name, 0-d each and without its weight.

    Raises:
        ConfigError: a term returns something else.
    """
    values = {name: term(step) for name, term in losses.items()}
    for name, value in values.items():
        is_tensor = isinstance(value, Tensor)
        if not is_tensor or value.ndim:
            kind = f"shape {tuple(value.shape)}" if is_tensor else type(value).__name__
            raise ConfigError(
                f"the term {name} of the loss, {type(losses[name]).__name__}, returns {kind} and "
                "not a 0-d tensor: return its mean over the batch"
            )
    return values


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
