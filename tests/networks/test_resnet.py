"""The ResNet with BatchNorm through every model: trained, resumed, on two processes, reported."""

import subprocess
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from dcsomrl.checkpoints import read_checkpoint
from dcsomrl.errors import ConfigError
from dcsomrl.networks import ResNetAutoencoder
from dcsomrl.reporting.page import draw_report
from dcsomrl.reporting.run_data import read_run
from tests.networks.two_processes import SETTINGS, TWO, WITH_NETWORK
from tests.ranks import start_ranks

pytestmark = pytest.mark.slow

STOP = "+callbacks.stop={_target_: tests.test_baselines.StopAfter, epoch: 0}"
NOISY = (
    "model.autoencoder._target_=tests.networks.noisy.NoisyAutoencoder",
    *("~model.autoencoder.hidden_dims", "model.autoencoder.latent_dim=5"),
)
ON_CODES = {
    "kmeans": ("model.n_clusters=12",),
    "som": ("model.rows=3",),
    "somrl": ("model.som.max_nodes=30", "model.som.activation_threshold=0.96"),
    "larfdssom": ("model.som.max_nodes=12", "model.som.age_wins=200"),
}


def weights(run_dir):
    return read_checkpoint(run_dir / "checkpoints" / "last.ckpt")["state_dict"]


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name


@pytest.mark.parametrize("shape", [(1, 17, 23), (1, 28, 28), (2, 1, 9), (3, 32, 32)])
@pytest.mark.parametrize("blocks", [1, 2])
def test_images_of_any_size_become_a_code_and_are_made_of_one(shape, blocks):
    network = ResNetAutoencoder(shape, 3, (4, 6), blocks)
    x = torch.randn(4, *shape)
    code = network.encode(x)
    assert code.shape == (4, 3)
    assert network.decode(code).shape == x.shape
    assert network.encode(x).min() < 0  # linear, as the output


def test_no_layer_before_a_normalization_has_a_bias_and_all_others_do():
    network = ResNetAutoencoder((3, 9, 9), 5, (4, 6), blocks=2)
    sequences = [part for part in network.modules() if isinstance(part, nn.Sequential)]
    normalized = 0
    for one, after in (pair for sequence in sequences for pair in pairwise(sequence)):
        if isinstance(one, nn.Unflatten):
            one = network.decoder[0]
        if isinstance(one, nn.Conv2d | nn.Linear) or one is network.decoder[0]:
            assert (one.bias is None) == isinstance(after, nn.BatchNorm2d | nn.Unflatten)
            normalized += one.bias is None
    assert normalized > 10
    assert network.encoder[-1].bias is not None
    assert network.decoder[-1].bias is not None


@pytest.mark.parametrize("model", WITH_NETWORK)
def test_a_training_is_resumed_bit_for_bit_and_inspected(model, run_small, tmp_path):
    small = ("trainer=cpu", *SETTINGS, f"model={model}", *WITH_NETWORK[model])
    metrics = run_small(run_dir=tmp_path / "whole", small=small)
    run_small(STOP, run_dir=tmp_path / "broken", small=small)
    assert read_checkpoint(tmp_path / "broken" / "checkpoints" / "last.ckpt")["epoch"] == 0
    run_small("ckpt_path=last", run_dir=tmp_path / "broken", small=small)
    assert_same(weights(tmp_path / "whole"), weights(tmp_path / "broken"))
    found = read_run(tmp_path / "whole")
    again = read_run(tmp_path / "whole")
    np.testing.assert_array_equal(found.latent, again.latent)
    np.testing.assert_array_equal(found.find(found.latent), found.winner)
    assert len(found.slots) == metrics["nodes"]


def test_dropout_goes_on_where_it_stopped_and_callbacks_disturb_nothing(run_small, tmp_path):
    small = ("trainer=cpu", "trainer.max_epochs=2", "dataset.batch_size=128", *NOISY)
    small = (*small, *WITH_NETWORK["dcsomrl"])
    for name, more in {"whole": (), "watched": ("callbacks=history",), "broken": (STOP,)}.items():
        run_small(*more, run_dir=tmp_path / name, small=small)
    torch.rand(5)
    run_small("ckpt_path=last", run_dir=tmp_path / "broken", small=small)
    whole = weights(tmp_path / "whole")
    assert_same(whole, weights(tmp_path / "watched"))
    assert_same(whole, weights(tmp_path / "broken"))
    with_drop = run_small(run_dir=tmp_path / "other", small=(*small, "+model.autoencoder.drop=0"))
    assert with_drop["epochs"] == 2
    assert not torch.equal(whole["som.centers"], weights(tmp_path / "other")["som.centers"])


def test_a_report_is_made_of_a_map_over_a_resnet(run_small, tmp_path):
    small = ("trainer=cpu", *SETTINGS, *WITH_NETWORK["dcsomrl"])
    run_small("callbacks=history", run_dir=tmp_path, small=small)
    found = read_run(tmp_path)
    names = {section.name for section in draw_report(found, "pca", 0)[0]}
    assert {"prototypes", "plane", "relevances", "steps", "paths", "life"} <= names
    kept = np.load(tmp_path / "paths.npz")
    np.testing.assert_array_equal(kept["slot"][-1] >= 0, True)
    np.testing.assert_allclose(
        kept["decoded"][-1], found.decoded[kept["slot"][-1]], atol=1e-5
    )  # as the callback saw it in training


def test_maps_on_the_codes_of_a_trained_resnet_leave_its_statistics(run_small, tmp_path):
    deep = (*("trainer=cpu", *SETTINGS), "model=autoencoder", "model.n_clusters=12")
    run_small(run_dir=tmp_path / "deep", small=deep)
    frozen = {f"features.{name}": value for name, value in weights(tmp_path / "deep").items()}
    path = f"model.pretrained={tmp_path}/deep/checkpoints/last.ckpt"
    for model, settings in ON_CODES.items():
        small = ("trainer=cpu", f"model={model}", *SETTINGS, *settings, path)
        run_small(run_dir=tmp_path / model, small=small)
        after = weights(tmp_path / model)
        names = [name for name in after if "autoencoder" in name]
        assert any(name.endswith("running_var") for name in names)
        assert_same({name: after[name] for name in names}, {name: frozen[name] for name in names})


def test_two_processes_end_with_one_network_which_the_checkpoint_holds(tmp_path):
    rank = ("-m", "tests.networks.two_processes", str(tmp_path))
    processes = start_ranks(rank, rank, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    outputs = [process.communicate(timeout=250)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    for model in WITH_NETWORK:
        one, other = (torch.load(tmp_path / model / f"rank{rank}.pt") for rank in (0, 1))
        assert any(name.endswith("running_mean") for name in one["state"])
        assert_same(one["state"], other["state"])
        assert_same(one["state"], weights(tmp_path / model))
        if one["target"] is not None:
            assert torch.equal(one["target"], other["target"])


def test_statistics_over_the_processes_of_a_cpu_are_refused_before_they_start(run_small):
    small = (*TWO, *SETTINGS, *WITH_NETWORK["dcsomrl"])
    with pytest.raises(ConfigError, match="sync_batchnorm=true works on GPUs alone"):
        run_small("+trainer.sync_batchnorm=true", small=small)
