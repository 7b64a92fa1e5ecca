"""One process at a time in a folder; every lock dies with the process that holds it."""

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from pytorch_lightning.utilities import rank_zero_only

from dcsomrl.errors import ConfigError

log = logging.getLogger(__name__)


class Lock(FileLock):
    """A lock on a file, whose errors name the file."""

    def acquire(self, *arguments: Any, **settings: Any) -> Any:
        """Take the lock; see filelock.

        Raises:
            Timeout: another process has it.
            OSError: there can be no lock, as on a file system without such.
        """
        try:
            return super().acquire(*arguments, **settings)
        except OSError as error:
            if error.filename is not None or isinstance(error, Timeout):
                raise
            raise OSError(error.errno, error.strerror, self.lock_file) from error


def make_lock(folder: Path, name: str = "") -> Lock:
    """A lock, not yet taken, on something in a folder, which is made.

    Args:
        folder: where the lock's file lies.
        name: what is locked in it; nothing for the folder itself.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return Lock(folder / (f".{name}.lock" if name else ".lock"))


def claim(folder: Path) -> Lock | None:
    """A lock on a folder, which is made; None where another process has it."""
    lock = make_lock(folder)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return None
    return lock


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
    lock = make_lock(run_dir, "training")
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


@contextmanager
def lend(run_dir: Path) -> Iterator[int | None]:
    """Hold a run directory for a process to be started; None where another one has it.

    Gives the lock's descriptor.

    A training that inherits the descriptor holds the directory too: if the process that started it
    is killed, nobody else begins the same training beside it.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    with (run_dir / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        except OSError as error:
            raise OSError(error.errno, error.strerror, file.name) from error
        else:
            yield file.fileno()
