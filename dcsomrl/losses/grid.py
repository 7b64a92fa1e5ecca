"""Terms of models whose prototypes lie on a grid."""

from torch import Tensor
from torch.nn.functional import mse_loss


def neighborhood(distance: Tensor, kernel: Tensor) -> Tensor:
    """Squared distances to all prototypes, weighted by their closeness to the winner on the grid.

    Args:
        distance: (batch, K) squared distances of the codes from the prototypes.
        kernel: (K, K) weight of a prototype (column) where another (row) wins; constant.

    Returns:
        The sum over prototypes, mean over the batch, 0-d.

    Source: Forest et al. 2019 (DESOM).
    """
    weight = kernel[distance.detach().argmin(1)]
    return (weight * distance).sum(1).mean()


def commitment(z: Tensor, quantized: Tensor) -> Tensor:
    """Mean squared difference (0-d) of codes and their winners' embeddings, both (batch, m).

    Source: Fortuin et al. 2018 (SOM-VAE).
    """
    return mse_loss(z, quantized)


def grid_attraction(distance: Tensor, around: Tensor, width: int, size: int = 5) -> Tensor:
    """Squared distances to the winner and its neighbours on the grid, their sum over their number.

    At the rim there are fewer neighbours, and the sum is divided by the same number all the same.

    Args:
        distance: (batch, K) squared distances of constant codes from the embeddings.
        around: (batch, K) mask of the winner and its neighbours.
        width: dimensions m of a code, over which the mean is taken.
        size: the winner and its neighbours where there is no rim: 5 on a rectangular grid, 7 on a
            hexagonal one.

    Returns:
        The mean over the batch, 0-d.

    Source: Fortuin et al. 2018 (SOM-VAE).
    """
    return (around * distance).sum(1).mean() / (size * width)
