"""One process at a time in a run directory."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from pytorch_lightning.utilities import rank_zero_only

from dcsomrl.errors import ConfigError

log = logging.getLogger(__name__)


@contextmanager
def hold(run_dir: Path, wait: bool) -> Iterator[None]:
    """Hold a run directory; the lock dies with its process.

    Of a distributed training the first process holds the directory for all of them.

    Args:
        run_dir: the directory.
        wait: whether to wait for a process that trains there.

    Raises:
        ConfigError: one does, and there is no waiting for it.
    """
    if rank_zero_only.rank != 0:  # type: ignore[attr-defined]
        yield
        return
    run_dir.mkdir(parents=True, exist_ok=True)
    lock = FileLock(run_dir / ".training.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if not wait:
            raise ConfigError(
                f"another process trains in {run_dir}: wait for its end, or choose another folder "
                "by name=... or seed=..."
            ) from None
        log.info("another process trains in %s: waiting for its end", run_dir)
        lock.acquire(poll_interval=1)
    try:
        yield
    finally:
        lock.release()
