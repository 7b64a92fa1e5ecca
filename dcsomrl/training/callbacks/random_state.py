"""torch's random numbers over a stop."""

from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer


class RandomState(Callback):
    """Keeps in a checkpoint where torch's generators stood, so that dropout goes on from there.

    Every process of a run has drawn as many numbers from the same seed.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Any] = {}

    def state_dict(self) -> dict[str, Any]:
        """States of the generators: ``cpu``, and ``cuda`` where it is in use."""
        kept = {"cpu": torch.get_rng_state()}
        if torch.cuda.is_available() and torch.cuda.is_initialized():
            kept["cuda"] = torch.cuda.get_rng_state()
        return kept

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take them, for when the training goes on."""
        self._kept = state_dict

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Put the generators there, once."""
        kept, self._kept = self._kept, {}
        if "cpu" in kept:
            torch.set_rng_state(kept["cpu"])
        if "cuda" in kept and pl_module.device.type == "cuda":
            torch.cuda.set_rng_state(kept["cuda"], pl_module.device)
