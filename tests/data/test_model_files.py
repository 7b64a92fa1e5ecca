"""Files of networks that are given as samples are called by what they are, and samples are read."""

import numpy as np
import pytest
import torch
from torch import nn

from dcsomrl.data.files import arrays
from dcsomrl.errors import DataError

X = torch.rand(30, 3)
NETWORK = nn.Sequential(nn.Linear(3, 40), nn.BatchNorm1d(40), nn.GRU(40, 5))
WEIGHTS = NETWORK.state_dict()
OPTIMIZER = torch.optim.Adam(NETWORK.parameters()).state_dict()
MODELS = {
    "weights": (WEIGHTS, "the weights of a network"),
    "one layer": (nn.Linear(3, 40).state_dict(), "the weights of a network"),
    "an embedding": (nn.Embedding(40, 3).state_dict(), "the weights of a network"),
    "attention": (nn.MultiheadAttention(4, 2).state_dict(), "the weights of a network"),
    "lightning": (
        {"state_dict": WEIGHTS, "epoch": 3, "pytorch-lightning_version": "2.0"},
        "is a checkpoint of a training",
    ),
    "checkpoint": ({"epoch": 3, "model": WEIGHTS, "loss": X}, "is a checkpoint of a training"),
    "optimizer": (OPTIMIZER, "is a checkpoint of a training"),
    "network": (NETWORK, r"an object of torch\.nn\.modules\.container\.Sequential"),
}


def refuse(path, said):
    with pytest.raises(DataError, match=said) as caught:
        arrays(str(path))
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("suffix", ["pt", "pth"])
@pytest.mark.parametrize("kind", MODELS)
def test_a_model_is_no_file_of_samples(tmp_path, kind, suffix):
    content, said = MODELS[kind]
    path = tmp_path / f"t.{suffix}"
    torch.save(content, path)
    refuse(path, said)


def test_neither_is_one_with_its_code(tmp_path):
    path = tmp_path / "t.pt"
    torch.jit.trace(nn.Linear(3, 4), X).save(str(path))
    refuse(path, "is a network with its code")


def test_neither_are_weights_in_npz_nor_a_checkpoint_by_its_suffix(tmp_path):
    np.savez(tmp_path / "t.npz", **{"dense/kernel:0": X.numpy(), "dense/bias:0": X[0].numpy()})
    refuse(tmp_path / "t.npz", "the weights of a network")
    torch.save(WEIGHTS, tmp_path / "last.ckpt")
    refuse(tmp_path / "last.ckpt", "a file of torch, as checkpoints are")


@pytest.mark.parametrize(
    "content", [{"weight": X}, {"x": X, "scale.weight": X[0]}, {"codes": X, "bias": X[0]}]
)
@pytest.mark.parametrize("kind", ["pt", "npz"])
def test_samples_may_be_called_as_weights(tmp_path, content, kind):
    path = tmp_path / f"t.{kind}"
    save = torch.save if kind == "pt" else lambda held, path: np.savez(path, **held)
    save(content, path)
    assert arrays(str(path)).train_x.shape[1] == 3
