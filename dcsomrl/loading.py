"""A trained model back from its checkpoint, which is all that is needed."""

import os
from typing import Any, NamedTuple

from hydra.utils import instantiate
from omegaconf import OmegaConf

from dcsomrl.checkpoints import RECORD, epochs_done, read_checkpoint
from dcsomrl.data import ClusterData
from dcsomrl.models import ClusteringModule


class Trained(NamedTuple):
    """A trained model and what it was trained on.

    Attributes:
        model: in evaluation mode, on the CPU.
        data: the datamodule with the normalisation of the training, nothing loaded yet.
        config: the resolved configuration of the run.
        epochs: epochs that it has been trained for.
    """

    model: ClusteringModule
    data: ClusterData
    config: dict[str, Any]
    epochs: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the samples that the model takes."""
        return tuple(self.config["input_shape"])


def load(path: str | os.PathLike[str], data_dir: str | None = None) -> Trained:
    """Load a checkpoint written by ``train``; nothing but tensors and plain values is read.

    It names the classes that are made from it: load only those that you trust.

    Args:
        path: the checkpoint.
        data_dir: folder of the datasets; None for the one of the training.

    Raises:
        CheckpointError: the file is missing, damaged, or not of this package.
    """
    checkpoint = read_checkpoint(path)
    config = checkpoint[RECORD]["config"]
    model = instantiate(OmegaConf.create(config["model"]))
    model.load_state_dict(checkpoint["state_dict"])
    dataset = OmegaConf.create(config["dataset"])
    if data_dir is not None and "data_dir" in dataset.source:
        dataset.source.data_dir = data_dir
    data = instantiate(dataset)
    data.load_state_dict(checkpoint[type(data).__qualname__])
    return Trained(model.eval(), data, config, epochs_done(checkpoint))
