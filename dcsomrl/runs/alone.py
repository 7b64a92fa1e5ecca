"""One process at a time in a run directory."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from pytorch_lightning.utilities import rank_zero_only

log = logging.getLogger(__name__)


@contextmanager
def alone(run_dir: Path) -> Iterator[None]:
    """Hold a run directory; waits for a process that trains there, and its lock dies with it.

    Of a distributed training the first process holds the directory for all of them.
    """
    if rank_zero_only.rank != 0:  # type: ignore[attr-defined]
        yield
        return
    lock = FileLock(run_dir / ".training.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log.info("another process trains in %s: waiting for its end", run_dir)
        lock.acquire(poll_interval=1)
    try:
        yield
    finally:
        lock.release()
