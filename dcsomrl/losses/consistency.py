"""A view of a sample belongs to the node of the sample."""

import torch
from torch import Tensor

from dcsomrl.losses.step import Step
from dcsomrl.losses.term import Term


class Consistency(Term):
    r"""Mean of :math:`D_w(v, c) = \sum_i w_i (v_i - c_i)^2` of a view to the sample's winner.

    Views are compared by their codes. The winner is that of the sample as it is, and the map is
    constant in the term: it moves the encoder alone, so that what differs between views does not
    decide the node.

    Source: the relevance-weighted distance of eq. 7 of "Shaping latent representations using
    Self-Organizing Maps with Relevance Learning", submitted to ICLR 2022, on views as in Guo et al.
    2018, "Deep embedded clustering with data augmentation".
    """

    compares_views = True

    def forward(self, step: Step) -> Tensor:
        """Mean over the samples and their views, 0-d."""
        winner = step.assignment.winner
        distances = [step.model.distance(code, winner) for code in step.view_codes]
        return torch.stack(distances).mean()
