"""Without what Lightning says of its own inside, and of what is meant to be so."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

# Of torch, which Lightning calls in a way that is to go.
INSIDE = ".*LeafSpec.*is deprecated"
# What a run does on purpose, or in its own way.
MEANT = (
    "Checkpoint directory .* exists and is not empty",  # a run that is resumed
    "The number of training batches .* is smaller than the logging interval",  # none by step
    "Total length of `list` across ranks is zero",  # no validation part
    ".*your dataloader is not resumable",  # the datamodule finds the place by itself
    "It is recommended to use `self.log",  # the scores are summed over processes already
    "`broadcast_buffers` is deprecated",  # its successor is younger than our lower bound
    "The dirpath has changed from",  # a run whose folder was moved
    "Found .* in eval mode at the start of training",  # a network that is frozen
    "`ModelCheckpoint.* could not find the monitored key",  # an epoch without a validation
    "Using padding='same' with even kernel lengths",  # as pooled_conv was published
)
# Nothing but tensors and plain values is read, whatever Lightning says of `weights_only`.
LOGGED = ("Tip:", "`weights_only` was not set", "Loading `train_dataloader` to estimate")


def silence_run() -> None:
    """For the whole process, which trains one run: what is meant to be so is not said."""
    for message in (INSIDE, *MEANT):
        warnings.filterwarnings("ignore", message)
    logging.getLogger("pytorch_lightning.utilities.rank_zero").addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    return not any(one in record.getMessage() for one in LOGGED)


@contextmanager
def silenced(quiet: bool) -> Iterator[None]:
    """Inside the block nothing that Lightning warns of; where quiet, errors alone are logged."""
    lightning = logging.getLogger("pytorch_lightning")
    before = lightning.level
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="pytorch_lightning|lightning_fabric")
        warnings.filterwarnings("ignore", INSIDE)
        lightning.setLevel(logging.ERROR if quiet else before)
        try:
            yield
        finally:
            lightning.setLevel(before)
