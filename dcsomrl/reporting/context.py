"""What a section of a report is made of."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dcsomrl.analysis.embedding import Method, embed
from dcsomrl.reporting.run_data import Array, RunData


@dataclass
class Context:
    """A run and how it is shown.

    Attributes:
        run: the finished run.
        method: brings codes onto a plane.
        seed: of all that is drawn at random; at least 0.
    """

    run: RunData
    method: Method = "pca"
    seed: int = 0

    @cached_property
    def places(self) -> tuple[Array, Array]:
        """Test samples (n, 2) and nodes (K, 2) on one plane."""
        codes = np.concatenate([self.run.latent, self.run.centers])
        both = embed(codes, self.method, self.seed)
        return both[: len(self.run.latent)], both[len(self.run.latent) :]
