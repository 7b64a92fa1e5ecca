"""Models whose clusters are centres, the nearest of which wins."""

import torch
from torch import Tensor

from dcsomrl.maps import Centers
from dcsomrl.models.base import ClusteringModule


class CenterModel(ClusteringModule):
    """A model with K centres (K, m) in the space of its codes, of which the nearest wins.

    A subclass makes ``centers``, a parameter or a buffer.
    """

    centers: Tensor

    @property
    def codebook(self) -> Centers:
        """The centres, which have no neighbours."""
        return Centers(self.centers)


def draw_codes(codes: Tensor, n: int) -> Tensor:
    """Random codes (n, m) to start centres at; every process of a run draws the same ones."""
    seeded = torch.Generator().manual_seed(torch.initial_seed())
    return codes[torch.randperm(len(codes), generator=seeded)[:n]]
