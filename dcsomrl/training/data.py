"""The data of a training, for those that know its trainer alone."""

from pytorch_lightning import Trainer

from dcsomrl.data import ClusterData


def get_data(trainer: Trainer) -> ClusterData:
    """The data of a training."""
    data = trainer.datamodule  # type: ignore[attr-defined]
    assert isinstance(data, ClusterData)
    return data
