"""The buffers of networks, as running statistics, on several processes."""

from collections.abc import Iterable
from itertools import groupby

import torch
from torch import Tensor, nn


@torch.no_grad()
def share_buffers_(networks: Iterable[nn.Module]) -> None:
    """Give all processes of a group the buffers of the first one, in place; alone, do nothing.

    One broadcast carries all buffers of a data type. Not to be called between a forward and its
    backward pass, which needs the buffers as they were.
    """
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return

    def kind(buffer: Tensor) -> str:
        return str(buffer.dtype)

    buffers = sorted((buffer for network in networks for buffer in network.buffers()), key=kind)
    for _, group in groupby(buffers, key=kind):
        alike = list(group)
        flat = torch.cat([buffer.flatten() for buffer in alike])
        torch.distributed.broadcast(flat, src=0)
        for buffer, part in zip(
            alike, flat.split([buffer.numel() for buffer in alike]), strict=True
        ):
            buffer.copy_(part.view_as(buffer))
