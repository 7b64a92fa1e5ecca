"""Callbacks to whose run something happens."""

import os
import signal
from pathlib import Path

from pytorch_lightning import Callback


class Kill(Callback):
    """Kills the process of a run of so many clusters, as the system does where memory ends."""

    def __init__(self, n_clusters: int) -> None:
        self.n_clusters = n_clusters

    def on_train_start(self, trainer, pl_module):
        if pl_module.n_clusters == self.n_clusters:
            os.kill(os.getpid(), signal.SIGKILL)


class Edit(Callback):
    """Puts another file in the place of one while a run goes on."""

    def __init__(self, path: str, other: str) -> None:
        self.path, self.other = Path(path), Path(other)

    def on_train_start(self, trainer, pl_module):
        self.path.write_text(self.other.read_text())
