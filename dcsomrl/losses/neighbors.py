"""Codes of neighbours draw near each other, codes of other samples part."""

import torch
from torch import Tensor
from torch.distributed.nn.functional import all_gather

from dcsomrl.hints import check_arguments
from dcsomrl.losses.step import Step
from dcsomrl.losses.term import Term
from dcsomrl.maps.grid import squared_distances
from dcsomrl.ranges import NonNegative, Positive


def neighbor_contrast(
    z: Tensor, w: Tensor, temperature: float, batch: tuple[Tensor, Tensor, int] | None = None
) -> Tensor:
    r"""How well a code tells its neighbour's code from those of all other samples of the batch.

    .. math::
        L = -\frac{1}{B} \sum_i \log \frac{q(z_i, w_i)}
        {\sum_j q(z_i, w_j) + \sum_{j \neq i} q(z_i, z_j)},
        \qquad q(a, b) = \frac{1}{1 + \|a - b\|^2 / \tau^2}

    Args:
        z: (batch, m) codes of samples.
        w: (batch, m) codes of a neighbour of each.
        temperature: tau > 0, the distance at which the kernel q is a half.
        batch: where z and w are a part of a larger batch, its z and w (all, m), and the place of
            the part in it; i then goes over the part, and j over the whole.

    Returns:
        0-d, at least 0.

    Source: the contrastive form of t-SNE (Böhm, Berens & Kobak 2023, "Unsupervised visualization of
    image datasets using contrastive learning"; Damrich et al. 2023, "From t-SNE to UMAP with
    contrastive learning") with nearest neighbours as positives (Dwibedi et al. 2021, "With a little
    help from my friends").
    """
    scale = temperature**2
    all_z, all_w, first = (z, w, 0) if batch is None else batch
    across = 1 + squared_distances(z, all_w) / scale
    among = 1 + squared_distances(z, all_z) / scale
    among.diagonal(first).fill_(torch.inf)  # a sample is not told from itself
    others = across.reciprocal().sum(1) + among.reciprocal().sum(1)
    return (across.diagonal(first).log() + others.log()).mean()


class NeighborContrast(Term):
    """The contrast of neighbours, see :func:`neighbor_contrast`.

    In training a sample is told from those of the batches of all processes, so that several train
    what one does.

    Args:
        weight: factor on the term in the loss, at least 0.
        temperature: tau > 0, in the units of the codes, whose dimensions lie in [0, 1].

    Raises:
        ValueError: an argument outside its range.
    """

    compares_neighbors = True

    @check_arguments
    def __init__(self, weight: NonNegative = 0.1, temperature: Positive = 0.2) -> None:
        super().__init__(weight)
        self.temperature = temperature

    def forward(self, step: Step) -> Tensor:
        """Mean over the samples, 0-d."""
        with torch.autocast(step.z.device.type, enabled=False):
            z, w = step.z, step.neighbor_codes
            return neighbor_contrast(z, w, self.temperature, self._gather(z, w))

    def _gather(self, z: Tensor, w: Tensor) -> tuple[Tensor, Tensor, int] | None:
        """The codes of all processes, with gradient, and where those of this one begin."""
        distributed = torch.distributed
        # In validation the processes have unlike numbers of batches, and would wait for each other.
        if not (self.training and distributed.is_available() and distributed.is_initialized()):
            return None
        if distributed.get_world_size() == 1:
            return None
        both = torch.cat([z, w], 1)
        gathered = torch.cat(all_gather(both.contiguous()))
        all_z, all_w = gathered.chunk(2, dim=1)
        return all_z, all_w, distributed.get_rank() * len(z)
