"""Trains the ResNet in every model as one of two processes: ``python -m`` with a folder."""

import sys
from pathlib import Path

import torch
from pytorch_lightning import Callback

from dcsomrl.configuration import compose_config
from dcsomrl.train import train

# The last batch of an epoch has 14 samples.
SETTINGS = (
    *("autoencoder=resnet", "model.autoencoder.channels=[3,4]", "model.autoencoder.latent_dim=5"),
    *("trainer.max_epochs=2", "dataset.batch_size=128", "num_threads=1"),
)
DEC = ("model.pretrain_epochs=1", "model.update_interval=4", "model.n_init=2")
WITH_NETWORK = {
    "dcsomrl": ("model.som.max_nodes=40", "model.som.activation_threshold=0.999"),
    "neighbor_somrl": ("model.som.max_nodes=12", "dataset.neighbors.cache_dir=null"),
    "autoencoder": ("model.n_clusters=12",),
    "desom": ("model.rows=3",),
    "somvae": ("model.columns=3",),
    "dec": (*DEC, "model.tolerance=0"),
    "idec": (*DEC, "model.tolerance=0"),
}
TWO = ("trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2")


class KeepEach(Callback):
    """Writes what each process ends with.

    Args:
        folder: gets ``rank0.pt`` and ``rank1.pt``.
    """

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    def on_train_end(self, trainer, pl_module):
        kept = {"state": pl_module.state_dict(), "target": getattr(pl_module, "_target", None)}
        torch.save(kept, self.folder / f"rank{trainer.global_rank}.pt")


if __name__ == "__main__":
    for model, settings in WITH_NETWORK.items():
        run_dir = Path(sys.argv[1]) / model
        run_dir.mkdir(parents=True, exist_ok=True)
        keep = f"{{_target_: tests.networks.two_processes.KeepEach, folder: {run_dir}}}"
        settings = (*TWO, *SETTINGS, f"model={model}", *settings, f"+callbacks.keep={keep}")
        train(compose_config("train", settings, run_dir))
