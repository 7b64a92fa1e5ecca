"""The convolution of the networks for images."""

import torch
from torch import Tensor, nn


class ChannelsLastConv2d(nn.Conv2d):
    """A convolution that computes on images whose channels lie side by side in memory.

    Its numbers and parameters are those of ``torch.nn.Conv2d`` but for rounding; a training step
    takes less time (``experiments/speed.md``).
    """

    def forward(self, input: Tensor) -> Tensor:
        """(batch, out_channels, ...) of (batch, in_channels, height, width)."""
        return super().forward(input.contiguous(memory_format=torch.channels_last))
