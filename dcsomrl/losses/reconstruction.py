"""How far the decoded codes are from the samples.

Figures, tables, sections and equations by number are those of "Shaping latent representations using
Self-Organizing Maps with Relevance Learning", submitted to ICLR 2022.
"""

from torch import Tensor
from torch.nn.functional import mse_loss

from dcsomrl.losses.step import Step
from dcsomrl.losses.term import Term


def reconstruction(decoded: Tensor, x: Tensor) -> Tensor:
    """Mean squared error over samples and their values, 0-d; both (batch, *shape)."""
    return mse_loss(decoded, x)


class Reconstruction(Term):
    """Mean squared error of the decoder's output: the first term of DC-SOMRL's loss (eq. 7)."""

    def forward(self, step: Step) -> Tensor:
        """Mean over samples and their values, 0-d."""
        return reconstruction(step.reconstruction, step.x)
