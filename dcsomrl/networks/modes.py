"""Training and evaluation mode, where batch statistics and dropout depend on it."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


@contextmanager
def evaluating(*modules: nn.Module) -> Iterator[None]:
    """Evaluation mode inside the block; after it every submodule is in the mode it was found in."""
    found = {part: part.training for module in modules for part in module.modules()}
    for module in modules:
        module.eval()
    try:
        yield
    finally:
        for part, training in found.items():
            part.training = training


def find_batch_norms(module: nn.Module) -> list[nn.Module]:
    """The layers in training mode that normalise by the statistics of their batch."""
    return [part for part in module.modules() if isinstance(part, BATCH_NORMS) and part.training]
