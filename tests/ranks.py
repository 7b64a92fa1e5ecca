"""Processes that train together, started as a launcher does."""

import os
import socket
import subprocess
import sys
from collections.abc import Sequence


def start_ranks(*arguments: Sequence[str], **streams: int) -> list[subprocess.Popen[str]]:
    """``python`` with the arguments of every rank, on one machine; streams as Popen takes them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "WORLD_SIZE": str(len(arguments)),
        "NODE_RANK": "0",
    }
    return [
        subprocess.Popen(
            [sys.executable, *own],
            env={**os.environ, **shared, "LOCAL_RANK": str(rank)},
            text=True,
            **streams,
        )
        for rank, own in enumerate(arguments)
    ]
