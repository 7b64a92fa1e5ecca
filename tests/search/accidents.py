"""Callbacks to whose run something happens."""

import os
import signal
import time
import weakref
from pathlib import Path
from typing import ClassVar

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


class Count(Callback):
    """Writes how many models of earlier runs there still are, then fails."""

    models: ClassVar[list[weakref.ref]] = []

    def __init__(self, path: str) -> None:
        self.path = Path(path)

    def on_train_start(self, trainer, pl_module):
        with self.path.open("a") as file:
            file.write(f"{sum(model() is not None for model in self.models)}\n")
        self.models.append(weakref.ref(pl_module))
        raise RuntimeError("out of memory")


class Hold(Callback):
    """Notes in the folder of a run when training begins and ends; ends when it is told to."""

    def __init__(self, told: str) -> None:
        self.told = Path(told)

    def on_train_start(self, trainer, pl_module):
        self._note(trainer, "begin")
        while not self.told.exists():
            time.sleep(0.05)

    def on_train_end(self, trainer, pl_module):
        self._note(trainer, "end")

    def _note(self, trainer, what):
        with (Path(trainer.default_root_dir) / "notes").open("a") as file:
            file.write(f"{what}\n")
