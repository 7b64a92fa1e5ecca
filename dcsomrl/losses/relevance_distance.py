"""How far the codes are from the nodes that they fall on, in the dimensions that count there."""

from torch import Tensor

from dcsomrl.hints import check_arguments
from dcsomrl.losses.step import Step
from dcsomrl.losses.term import Term
from dcsomrl.ranges import NonNegative, ShareBelowOne


class RelevanceDistance(Term):
    r"""Mean of :math:`D_w(z, c) = \sum_i w_i (z_i - c_i)^2` to the winner: DC-SOMRL's second term.

    The map is constant in it: it moves the encoder alone.

    Args:
        weight: factor on the term in the loss, at least 0.
        begin: share of the training, in [0, 1), before which the term does not count. Early on the
            nodes lie between groups that the encoder has not told apart yet, and codes that are
            drawn to one node become one group.

    Raises:
        ValueError: an argument outside its range.

    Source: eq. 7 of "Shaping latent representations using Self-Organizing Maps with Relevance
    Learning", submitted to ICLR 2022.
    """

    @check_arguments
    def __init__(self, weight: NonNegative = 1.0, begin: ShareBelowOne = 0.0) -> None:
        super().__init__(weight)
        self.begin = begin

    def forward(self, step: Step) -> Tensor:
        """Mean over the samples, 0-d."""
        return step.assignment.distance.mean()
