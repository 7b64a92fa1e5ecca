"""The end of all processes of a training when one of them has died."""

import json
import logging
import os
import platform
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from io import BufferedRWPair
from typing import Any, NoReturn

import torch
from pytorch_lightning import Callback, LightningModule, Trainer

from dcsomrl.errors import DcsomrlError
from dcsomrl.training.callbacks.time_limit import TimeIsOver

log = logging.getLogger(__name__)

# Seconds in which the processes must have found each other.
MEETING = 60
# Seconds and bytes in which one that connects must have said who it is.
PATIENCE, LONGEST = 10, 1000
# Seconds in which a process may still say itself why the training ends, as another did.
GRACE = 1.0
# A machine that is gone is noticed after so many seconds and so many further probes.
IDLE, BETWEEN, PROBES = 30, 10, 3
# What a process says when it leaves; one that says nothing has died.
DONE, FAILED = b"done\n", b"failed\n"
REMEDY = "then go on from the last checkpoint by the same command with ckpt_path=last"

# A connection to another process, to read from and to write to.
Stream = BufferedRWPair


class WatchProcesses(Callback):
    """Ends every process of a training, with a sentence, when one of them has died.

    Without it they would wait for the dead one as long as the collective operations of torch allow,
    which are many minutes on GPUs, and then fail with a traceback. Every process holds a connection
    to that of rank 0, which the system closes when either dies, however hard; rank 0 tells the
    others. Nothing is sent while all live, and a slow process is not taken for a dead one.

    A training of one process watches nothing.
    """

    def __init__(self) -> None:
        self._peers: dict[str, Stream] = {}
        self._reason: str | None = None
        self._noticed, self._left = threading.Event(), threading.Event()
        self._last_words = threading.Lock()

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Connect the processes; say in the log where that cannot be done."""
        if trainer.world_size == 1 or not torch.distributed.is_initialized():
            return
        rank, size = trainer.global_rank, trainer.world_size
        name = f"rank {rank} of {size} (process {os.getpid()} on {platform.node()})"
        address = os.environ.get("MASTER_ADDR", "127.0.0.1")
        try:
            self._peers = meet(name, rank, size, address, trainer.strategy.broadcast)
        except OSError as error:
            log.warning(
                "rank %d cannot reach rank 0 at %s (%s): if another process dies, this one notices "
                "it by the timeouts of torch alone",
                *(rank, address, error),
            )
        for peer in self._peers:
            threading.Thread(target=self._watch, args=(peer,), daemon=True).start()

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """The training is over: from now on each may end when it likes."""
        self._leave(DONE)

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Tell the others; end here where the error comes of the death of another process."""
        own = not isinstance(exception, Exception) or isinstance(
            exception, DcsomrlError | TimeIsOver
        )
        if self._peers and not own and self._noticed.wait(GRACE):
            self._end()
        self._leave(DONE if isinstance(exception, TimeIsOver) else FAILED)

    def _watch(self, peer: str) -> None:
        """Wait for what a process says or for its end; runs in a thread of its own."""
        try:
            line = self._peers[peer].readline()
        except OSError:  # its machine is gone
            line = b""
        if line == DONE or self._left.is_set():
            return
        if line in (b"", FAILED):
            self._reason = (
                f"{peer} has {'ended with an error' if line else 'died'}, and the training cannot "
                f"go on without it: see in its output "
                f"{'what to fix' if line else 'whether it ran out of memory or was killed'}, "
                f"{REMEDY}"
            )
        else:  # rank 0 passes on the reason
            self._reason = line.decode().strip()
        self._noticed.set()
        if line == FAILED:
            time.sleep(GRACE)
        if not self._left.is_set():
            self._end()

    def _leave(self, words: bytes) -> None:
        """Notice nothing any more, and let the others know."""
        self._left.set()
        self._tell(words)

    def _tell(self, words: bytes) -> None:
        for connection in self._peers.values():
            with suppress(OSError):  # it may be gone
                connection.write(words)
                connection.flush()

    def _end(self) -> NoReturn:
        """Say why, tell the others, and end at once: the main thread may wait for ever."""
        with self._last_words:  # of the first thread; the others end with the process
            self._tell(f"{self._reason}\n".encode())
            print(f"error: {self._reason}", file=sys.stderr, flush=True)
            os._exit(1)


def meet(
    name: str, rank: int, size: int, address: str, broadcast: Callable[[Any], Any]
) -> dict[str, Stream]:
    """Connections of rank 0 to all others, and of each other to rank 0, by the name of the other.

    Args:
        name: of this process, for people.
        rank: of this process.
        size: number of processes.
        address: under which all reach the machine of rank 0.
        broadcast: gives every process what that of rank 0 gives to it.

    Raises:
        OSError: one cannot be reached in time.
    """
    if rank > 0:
        port, token, first = broadcast(None)
        connection = socket.create_connection((address, port), timeout=MEETING)
        connection.sendall(f"{json.dumps([token, name])}\n".encode())
        _settle(connection)
        return {first: connection.makefile("rwb")}
    local = address in ("127.0.0.1", "localhost")
    with socket.create_server(("127.0.0.1" if local else "", 0), backlog=size) as server:
        # The token keeps strangers out, who may find the port.
        token = secrets.token_hex(16)
        broadcast((server.getsockname()[1], token, name))
        server.settimeout(MEETING)
        return _welcome(server, token, size - 1)


def _welcome(server: socket.socket, token: str, number: int) -> dict[str, Stream]:
    """So many connections that begin with the token, by name; fewer where the time is over."""
    found: dict[str, Stream] = {}
    while len(found) < number:
        try:
            connection, _ = server.accept()
        except TimeoutError:
            log.warning(
                "%d processes did not reach rank 0, which watches the others alone",
                number - len(found),
            )
            break
        with suppress(ValueError, OSError):
            connection.settimeout(PATIENCE)
            stream = connection.makefile("rwb")
            given, name = json.loads(stream.readline(LONGEST))
            if secrets.compare_digest(str(given), token):
                found[str(name)] = stream
                _settle(connection)
    return found


def _settle(connection: socket.socket) -> None:
    """From now on it is waited on without end, but for machines that are gone."""
    connection.settimeout(None)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    options = {"TCP_KEEPIDLE": IDLE, "TCP_KEEPINTVL": BETWEEN, "TCP_KEEPCNT": PROBES}
    for option, value in options.items():
        if hasattr(socket, option):  # not every system has all
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
