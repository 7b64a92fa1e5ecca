"""How far the codes are from the nodes that they fall on, in the dimensions that count there."""

from torch import Tensor

from dcsomrl.losses.step import Step
from dcsomrl.losses.term import Term


class RelevanceDistance(Term):
    r"""Mean of :math:`D_w(z, c) = \sum_i w_i (z_i - c_i)^2` to the winner: DC-SOMRL's second term.

    The map is constant in it: it moves the encoder alone.

    Source: eq. 7 of "Shaping latent representations using Self-Organizing Maps with Relevance
    Learning".
    """

    def forward(self, step: Step) -> Tensor:
        """Mean over the samples, 0-d."""
        return step.assignment.distance.mean()
