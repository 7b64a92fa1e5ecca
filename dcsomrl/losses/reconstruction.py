"""How far the decoded codes are from the samples.

Numbered figures, tables, sections and equations are those of "Shaping latent representations using
Self-Organizing Maps with Relevance Learning", submitted to ICLR 2022.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from dcsomrl.hints import check_arguments
from dcsomrl.losses.step import Step
from dcsomrl.losses.term import Term
from dcsomrl.processes import get_rank_and_size
from dcsomrl.ranges import Count, NonNegative


def reconstruction(decoded: Tensor, x: Tensor) -> Tensor:
    """Mean squared error over samples and their values, 0-d; both (batch, *shape).

    Source: first term of eq. 7.
    """
    return mse_loss(decoded, x)


class Reconstruction(Term):
    """Mean squared error of the decoder's output: the first term of DC-SOMRL's loss (eq. 7).

    Args:
        weight: factor on the term in the loss, at least 0.
        relative: whether the error is given as a share of the samples' variance, so that a decoder
            that always answers with the mean of the batch has an error of 1. A weight then means
            the same on samples of every scale.
        every: in training only one of so many samples is decoded, at least 1: decoding takes a
            third of the arithmetic of a step with neighbours. In validation all are.

    Raises:
        ValueError: an argument outside its range.

    Source: first term of eq. 7; ``relative`` and ``every`` are additions.
    """

    @check_arguments
    def __init__(self, weight: NonNegative = 1.0, relative: bool = False, every: Count = 1) -> None:
        super().__init__(weight)
        self.relative, self.every = relative, every

    def forward(self, step: Step) -> Tensor:
        """Mean over samples and their values, 0-d."""
        error = self._compute_error(step)
        if not self.relative:
            return error
        variance = self._compute_variance(step.x)
        return error / variance.clamp(min=torch.finfo(variance.dtype).tiny)

    def _compute_error(self, step: Step) -> Tensor:
        """Mean squared error of the samples that are decoded, 0-d."""
        n, every = len(step.x), self.every
        if not self.training or every == 1 or n < 2 * every:
            return reconstruction(step.reconstruction, step.x)
        # The samples that one process would take of the whole batch, of which this has a part.
        rank, size = get_rank_and_size()
        taken = slice(-rank * n % every, None, every)
        x = step.x[taken]
        error = reconstruction(step.model.decode(step.z[taken]), x)
        # So that the mean over processes, which may take unlike numbers, is that over samples.
        return error * (len(x) * size / math.ceil(n * size / every))

    def _compute_variance(self, x: Tensor) -> Tensor:
        """Mean variance of a value of the samples, in training of those of all processes; 0-d."""
        distributed = torch.distributed
        # In validation the processes have unlike numbers of batches, and would wait for each other.
        if not (self.training and distributed.is_available() and distributed.is_initialized()):
            return x.var(0, correction=0).mean()
        x = x.flatten(1)
        squares = x.new_tensor([len(x)]), x.square().mean(1).sum()[None]
        sums = torch.cat([*squares, x.sum(0)])
        distributed.all_reduce(sums)
        mean = sums[1:] / sums[0]
        return mean[0] - mean[1:].square().mean()
