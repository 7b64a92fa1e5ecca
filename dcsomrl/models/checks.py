"""What a model asks of its data, before the first step."""

from torch import nn

from dcsomrl.data import ClusterData
from dcsomrl.errors import ConfigError
from dcsomrl.losses import Term
from dcsomrl.losses.step import NO_NEIGHBORS, NO_VIEWS
from dcsomrl.networks import find_batch_norms


def check_data(model: nn.Module, data: ClusterData, processes: int) -> None:
    """Refuse data that a training would find to lack something only once it has begun.

    Args:
        model: in training mode.
        data: after ``setup``.
        processes: that share a batch.

    Raises:
        ConfigError: a layer of BatchNorm that is trained would never see two samples, or a term of
            the loss compares views or neighbours, which the data has not.
    """
    if find_batch_norms(model) and data.batch_size < 2 * processes:
        raise ConfigError(
            "the network has layers of BatchNorm, which need two samples or more at once on "
            f"every device, but `batch_size={data.batch_size}` on {processes}: raise it"
        )
    for name, term in model.named_modules():
        if isinstance(term, Term):
            called = f"the term {name.rpartition('.')[2]} of the loss"
            if term.compares_views and not makes_views(data):
                raise ConfigError(f"{called} {NO_VIEWS}")
            if term.compares_neighbors and data.neighbors is None:
                raise ConfigError(f"{called} {NO_NEIGHBORS}")


def makes_views(data: ClusterData) -> bool:
    """Whether there are views beside the samples of a batch."""
    return data.augmentation is not None and data.augmentation.views > 0


def check_enough(n_clusters: int, samples: int) -> None:
    """Refuse more clusters than training samples, where clusters start at these.

    Raises:
        ConfigError: there are fewer samples.
    """
    if n_clusters > samples:
        raise ConfigError(
            f"there are {samples} training samples, fewer than the {n_clusters} clusters that "
            "start at them: lower `n_clusters`, or `rows` and `columns`"
        )
