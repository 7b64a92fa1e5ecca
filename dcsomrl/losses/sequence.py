"""Terms of consecutive samples that are a sequence.

Source: Fortuin et al. 2018 (SOM-VAE).
"""

from torch import Tensor


def transition(logs: Tensor, before: Tensor, winner: Tensor) -> Tensor:
    """Mean negative log-probability (0-d) of the steps from one embedding to the next.

    Args:
        logs: (K, K) log-probability of a column after a row.
        before: (batch,) embedding of the sample before.
        winner: (batch,) that of the sample.
    """
    return -logs[before, winner].mean()


def smoothness(logs: Tensor, before: Tensor, distance: Tensor) -> Tensor:
    """Mean (0-d) of squared distances (batch, K), weighted by the probability to come there."""
    return (logs[before].exp() * distance).mean()
