"""How the learning rate goes over a training."""

import math
from typing import Literal

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

Schedule = Literal["constant", "cosine"]
# Share of the learning rate that is left at the end of a cosine.
LEFT = 0.01


def cosine(step: int, steps: int) -> float:
    """Factor of the learning rate: 1 at first, falling along half a cosine to :data:`LEFT`.

    Args:
        step: steps behind the training.
        steps: all of its steps; beyond them the factor stays.

    Source: Loshchilov & Hutter 2017, "SGDR: stochastic gradient descent with warm restarts".
    """
    return LEFT + (1 - LEFT) * (1 + math.cos(math.pi * min(step / steps, 1))) / 2


def make_cosine_schedule(optimizer: Optimizer, steps: int) -> LambdaLR:
    """The schedule over a training of so many steps, to be asked after every one."""
    return LambdaLR(optimizer, lambda step: cosine(step, steps))
