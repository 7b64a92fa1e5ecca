"""The views that a batch holds, and that take the place of its samples."""

from torch import Tensor

from dcsomrl.data.augmentation import Augmentation
from dcsomrl.data.batches import Batch


def add_views(
    batch: Batch, augmentation: Augmentation, seed: int, epoch: int, black: float, replace: bool
) -> Batch:
    """A batch with views of its samples, which are numbered from 0.

    Args:
        batch: without views.
        augmentation: makes them.
        seed: see :meth:`Augmentation.view`, as ``epoch`` and ``black``.
        epoch: counted from 0.
        black: value of a black pixel.
        replace: whether the next view takes the place of every sample, and the one after it that of
            the neighbour beside it.
    """

    def view(x: Tensor, index: Tensor, number: int) -> Tensor:
        return augmentation.view(x, index, seed, epoch, black, number)

    first = augmentation.views
    batch = batch._replace(views=augmentation(batch.x, batch.index, seed, epoch, black))
    if not replace:
        return batch
    seen = batch._replace(x=view(batch.x, batch.index, first))
    if batch.neighbor is None or batch.neighbor_index is None:
        return seen
    return seen._replace(neighbor=view(batch.neighbor, batch.neighbor_index, first + 1))
