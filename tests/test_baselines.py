"""Every model through the entry points: trains, resumes, is evaluated from its checkpoint."""

import json

import numpy as np
import pytest
import torch
from pytorch_lightning import Callback

from dcsomrl.checkpoints import read_checkpoint
from dcsomrl.configuration import compose_config
from dcsomrl.errors import CheckpointError, ConfigError, DataError
from dcsomrl.evaluate import evaluate
from dcsomrl.loading import load

pytestmark = pytest.mark.slow

NETWORK = ("model.autoencoder.hidden_dims=[16]", "model.autoencoder.latent_dim=5")
MODELS = {
    "autoencoder": (*NETWORK, "model.n_clusters=12"),
    "desom": (*NETWORK, "model.rows=3"),
    "somvae": (*NETWORK, "model.columns=3"),
    "dec": (*NETWORK, "model.pretrain_epochs=1", "model.update_interval=7", "model.n_init=2"),
    "idec": (*NETWORK, "model.pretrain_epochs=2", "model.n_init=2", "model.optimizer.lr=0.01"),
    "kmeans": ("model.n_clusters=12",),
    "som": ("model.topology=hexagonal",),
    "somrl": ("model.som.max_nodes=30", "model.som.activation_threshold=0.96"),
    "larfdssom": ("model.som.max_nodes=12", "model.som.age_wins=200"),
}
SMALL = ("trainer=cpu", "trainer.max_epochs=4", "dataset.batch_size=128", "num_threads=1")


class StopAfter(Callback):
    """Ends a training after an epoch, as a kill between two epochs would."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_train_epoch_end(self, trainer, pl_module):
        trainer.should_stop |= trainer.current_epoch == self.epoch


def overrides(model):
    return (*SMALL, f"model={model}", *MODELS[model])


def weights(run_dir):
    return read_checkpoint(run_dir / "checkpoints" / "last.ckpt")["state_dict"]


@pytest.mark.parametrize("model", MODELS)
def test_a_model_trains_resumes_and_is_evaluated(model, run_small, tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    metrics = run_small(run_dir=whole, small=overrides(model))
    assert metrics["model"] == model
    assert metrics["purity"] > 0.2
    assert (whole / "prototypes.png").stat().st_size > 1000
    assert (metrics["topographic_error"] == metrics["topographic_error"]) == (
        model not in ("autoencoder", "dec", "idec", "kmeans")
    )

    stop = "+callbacks.stop={_target_: tests.test_baselines.StopAfter, epoch: 1}"
    run_small(stop, run_dir=broken, small=overrides(model))
    again = run_small("ckpt_path=last", run_dir=broken, small=overrides(model))
    if model != "kmeans":  # has nothing left to do, and takes one more look
        assert again["epochs"] == metrics["epochs"] == 4
    one, other = weights(whole), weights(broken)
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name

    cfg = compose_config(
        "evaluate", [f"ckpt={whole}/checkpoints/last.ckpt", "device=cpu"], tmp_path
    )
    scored = evaluate(cfg)
    for name in ("purity", "nmi", "quantization_error", "nodes"):
        assert scored[name] == pytest.approx(metrics[name], abs=1e-6), name


def test_shallow_models_take_the_codes_of_a_trained_network(run_small, tmp_path):
    run_small(run_dir=tmp_path / "deep", small=overrides("autoencoder"))
    path = tmp_path / "deep" / "checkpoints" / "last.ckpt"
    on_codes = ("autoencoder=mlp", *NETWORK, f"model.pretrained={path}")
    for model in ("kmeans", "som", "somrl", "larfdssom", "idec"):
        run_dir = tmp_path / model
        metrics = run_small(*on_codes, run_dir=run_dir, small=overrides(model))
        assert metrics["purity"] > 0.2
    frozen = {f"features.{name}": value for name, value in weights(tmp_path / "deep").items()}
    for name, value in weights(tmp_path / "som").items():
        if "autoencoder" in name:
            assert torch.equal(value, frozen[name]), name
    path.unlink()
    loaded = load(tmp_path / "som" / "checkpoints" / "last.ckpt").model
    codes = loaded.encode(torch.rand(50, 1, 8, 8))
    assert 0 <= codes.min() <= codes.max() <= 1


def test_dec_begins_with_the_network_that_it_is_given(run_small, tmp_path):
    run_small(run_dir=tmp_path / "deep", small=overrides("autoencoder"))
    path = tmp_path / "deep" / "checkpoints" / "last.ckpt"
    # Without a weight on any term it ends with what it began with.
    still = ("model.pretrain_epochs=0", "model.reconstruction=0", "model.clustering=0")
    small = (*overrides("dec"), *still, f"model.pretrained={path}")
    run_small(run_dir=tmp_path / "dec", small=small)
    began, ended = weights(tmp_path / "deep"), weights(tmp_path / "dec")
    names = [name for name in began if name.startswith("autoencoder.")]
    assert len(names) == 8
    for name in names:
        assert torch.equal(ended[name], began[name]), name


def test_a_network_of_another_shape_or_none_is_refused(run_small, tmp_path):
    run_small(run_dir=tmp_path / "deep", small=overrides("autoencoder"))
    path = tmp_path / "deep" / "checkpoints" / "last.ckpt"
    with pytest.raises(CheckpointError, match="no autoencoder of this shape"):
        run_small("autoencoder=mlp", f"model.pretrained={path}", small=overrides("kmeans"))
    with pytest.raises(Exception, match="pretrained needs a network"):
        run_small(f"model.pretrained={path}", small=overrides("kmeans"))


@pytest.mark.parametrize("model", ["dcsomrl", "desom", "dec"])
def test_a_model_that_trains_a_network_says_that_it_needs_one(model, run_small):
    with pytest.raises(ConfigError, match="trains a network: choose autoencoder=mlp"):
        run_small(small=(f"model={model}", "autoencoder=none"))


def test_maps_with_relevances_refuse_samples_outside_the_cube(run_small):
    with pytest.raises(DataError, match=r"dataset\.normalization=minmax"):
        run_small("dataset.normalization=standard", small=overrides("somrl"))


def test_kmeans_is_that_of_scikit_learn(run_small, tmp_path):
    from sklearn.cluster import KMeans

    run_small("dataset.val_fraction=0", run_dir=tmp_path, small=overrides("kmeans"))
    trained = load(tmp_path / "checkpoints" / "last.ckpt")
    trained.data.setup("test")
    x = torch.cat([batch.x for batch in trained.data.split_dataloader("train")]).flatten(1)
    expected = KMeans(12, n_init=1, random_state=0).fit(x.numpy()).cluster_centers_
    np.testing.assert_allclose(trained.model.centers, expected, rtol=1e-5, atol=1e-6)


def test_a_sequence_stays_whole_and_in_order(run_small, tmp_path):
    small = (*overrides("somvae"), "dataset.val_fraction=0", "dataset.sequence_length=8")
    run_small("model.gamma=0.1", "model.tau=0.1", run_dir=tmp_path, small=small)
    config = load(tmp_path / "checkpoints" / "last.ckpt").config
    assert config["model"]["sequence_length"] == 8
    table = (tmp_path / "metrics.csv").read_text()
    assert "train/transition" in table
    assert json.loads((tmp_path / "metrics.json").read_text())["epochs"] == 4
