import json
import math

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from pytorch_lightning import Trainer
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import (
    adjusted_mutual_info_score,
    adjusted_rand_score,
    completeness_score,
    homogeneity_score,
    normalized_mutual_info_score,
)

from dcsomrl.checkpoints import read_checkpoint
from dcsomrl.data import sources
from dcsomrl.loading import load
from dcsomrl.training.trainer import warn_of_slow_half
from tests.conftest import SMALL, read_test_split


@pytest.mark.parametrize(
    ("vectors", "precision", "warned"),
    [("AVX2", "bf16-mixed", True), ("AVX512", "bf16-mixed", False), ("AVX2", "32-true", False)],
)
def test_bf16_on_a_cpu_without_it_is_warned_of(vectors, precision, warned, monkeypatch, caplog):
    monkeypatch.setattr("torch.backends.cpu.get_cpu_capability", lambda: vectors)
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    warn_of_slow_half(Trainer(accelerator="cpu", precision=precision, logger=False))
    assert ("no bf16 arithmetic" in caplog.text) == warned


def test_a_run_leaves_its_results(run_small, tmp_path):
    metrics = run_small("seed=3")
    run_dir = tmp_path / "run"
    tested = {name: value for name, value in metrics.items() if not name.startswith("val/")}
    written = {name: None if value != value else value for name, value in tested.items()}
    assert json.loads((run_dir / "metrics.json").read_text()) == written
    names = {"model", "dataset", "split", "seed", "precision", "purity", "nmi", "nmi_geometric"}
    names |= {"ari", "ami", "homogeneity", "completeness", "accuracy", "nodes", "nodes_used"}
    names |= {"quantization_error", "seconds", "epochs", "device", "torch", "dcsomrl"}
    names |= {"git_commit"}
    assert names <= metrics.keys()
    told = {name: metrics[name] for name in ("model", "dataset", "split", "seed", "epochs")}
    expected = {"model": "dcsomrl", "dataset": "digits", "split": "test", "seed": 3, "epochs": 2}
    assert told == expected
    assert (run_dir / "prototypes.png").stat().st_size > 1000
    assert (run_dir / "clusters.png").stat().st_size > 1000
    config = yaml.safe_load((run_dir / "config.yaml").read_text())
    assert config["input_shape"] == [1, 8, 8]
    assert config["seed"] == 3
    epochs = pd.read_csv(run_dir / "metrics.csv")
    assert list(epochs["epoch"]) == [0, 1]
    assert not epochs.isna().any().any()
    logged = {"train/loss", "train/reconstruction", "train/clustering", "train/latent_spread"}
    logged |= {"nodes", "births", "deaths", "val/purity", "val/nmi", "val/loss"}
    assert logged <= set(epochs.columns)
    assert (epochs["births"] - epochs["deaths"] == epochs["nodes"]).all()


def test_scores_are_scikit_learns_on_the_assignments(run_small, tmp_path):
    metrics = run_small()
    assigned = read_test_split(tmp_path / "run")
    labels = sources.digits().test_y.numpy()
    assert list(assigned["index"]) == list(range(len(labels)))
    named = ["index", "split", "node", "cluster", "activation", "second", "distance", "outlier"]
    assert list(assigned.columns) == named
    merged = assigned["cluster"]
    assert metrics["clusters"] >= merged.nunique() >= 1
    assert metrics["cluster_nmi"] == pytest.approx(normalized_mutual_info_score(labels, merged))
    assert metrics["cluster_ari"] == pytest.approx(adjusted_rand_score(labels, merged))
    table = pd.crosstab(merged, labels).to_numpy()
    matched = table[linear_sum_assignment(-table)].sum()
    assert metrics["cluster_accuracy"] == pytest.approx(matched / len(labels))
    assert metrics["cluster_purity"] == pytest.approx(table.max(1).sum() / len(labels))
    assert (assigned.groupby("node")["cluster"].nunique() == 1).all()
    cluster = assigned["node"]
    assert metrics["nmi"] == pytest.approx(normalized_mutual_info_score(labels, cluster))
    assert metrics["ari"] == pytest.approx(adjusted_rand_score(labels, cluster))
    assert metrics["ami"] == pytest.approx(adjusted_mutual_info_score(labels, cluster))
    assert metrics["homogeneity"] == pytest.approx(homogeneity_score(labels, cluster))
    assert metrics["completeness"] == pytest.approx(completeness_score(labels, cluster))
    majority = pd.crosstab(cluster, labels).max(axis=1).sum()
    assert metrics["purity"] == pytest.approx(majority / len(labels))
    assert metrics["nodes_used"] == cluster.nunique()
    assert assigned["activation"].between(0, 1).all()


@pytest.mark.slow
def test_training_lowers_the_loss_and_beats_chance(run_small, tmp_path):
    metrics = run_small("trainer.max_epochs=10", "model.autoencoder.hidden_dims=[64]")
    loss = pd.read_csv(tmp_path / "run" / "metrics.csv")["train/reconstruction"]
    assert loss.iloc[-1] < 0.7 * loss.iloc[0]
    assert metrics["purity"] > 0.4


@pytest.mark.slow
def test_the_same_seed_gives_the_same_run_and_another_does_not(run_small, tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        run_small(f"seed={seed}", run_dir=tmp_path / name)
    weights = [
        read_checkpoint(tmp_path / name / "checkpoints" / "last.ckpt")["state_dict"]
        for name in "abc"
    ]
    for key, value in weights[0].items():
        assert torch.equal(value, weights[1][key]), key
    assert not torch.equal(weights[0]["som.centers"], weights[2]["som.centers"])


@pytest.mark.slow
def test_labels_never_touch_training(run_small, tmp_path, monkeypatch):
    run_small(run_dir=tmp_path / "true")
    honest = sources.digits

    def shuffled(**settings):
        arrays = honest(**settings)
        order = torch.randperm(len(arrays.train_y), generator=torch.Generator().manual_seed(5))
        return sources.Arrays(arrays.train_x, arrays.train_y[order], arrays.test_x, arrays.test_y)

    monkeypatch.setattr(sources, "digits", shuffled)
    run_small(run_dir=tmp_path / "shuffled")
    for name in ("last", "best"):
        one, two = (
            read_checkpoint(tmp_path / run / "checkpoints" / f"{name}.ckpt")["state_dict"]
            for run in ("true", "shuffled")
        )
        for key, value in one.items():
            assert torch.equal(value, two[key]), (name, key)


def test_without_labels_training_works_and_label_scores_are_left_out(run_small, tmp_path):
    x = torch.rand(120, 6, generator=torch.Generator().manual_seed(0)).numpy()
    pd.DataFrame(x).to_csv(tmp_path / "table.csv", index=False)
    metrics = run_small(
        "dataset=arrays", f"dataset.path={tmp_path / 'table.csv'}", "dataset.batch_size=16"
    )
    assert "purity" not in metrics
    assert metrics["nodes"] >= 1
    assert (tmp_path / "run" / "prototypes.png").exists()
    columns = pd.read_csv(tmp_path / "run" / "metrics.csv").columns
    assert "val/purity" not in columns
    assert "val/quantization_error" in columns


@pytest.mark.slow
@pytest.mark.parametrize(
    "overrides",
    [
        ("autoencoder=conv", "model.autoencoder.channels=[4,8]"),
        ("trainer.precision=bf16-mixed",),
        ("dataset.val_fraction=0",),
        ("model.som.distance_mode=spread", "model.som.neighborhood_form=quotient"),
    ],
)
def test_a_run_of_every_network_repulsion_and_distance_learns_something(
    run_small, overrides, tmp_path
):
    conv = "autoencoder=conv" in overrides
    small = tuple(item for item in SMALL if not (conv and "hidden_dims" in item))
    metrics = run_small(*overrides, small=small)
    assert metrics["purity"] > 0.1
    assert math.isfinite(pd.read_csv(tmp_path / "run" / "metrics.csv")["train/loss"].iloc[-1])


@pytest.mark.data
@pytest.mark.parametrize(("dataset", "share"), [("mnist", 1.0), ("fashion", 0.6)])
def test_an_epoch_on_the_real_images(run_small, data_dir, dataset, share):
    metrics = run_small(
        f"experiment=paper_{dataset}",
        f"data_dir={data_dir}",
        "trainer.max_epochs=1",
        f"+trainer.limit_train_batches={share}",
        small=("trainer=cpu",),
    )
    assert metrics["dataset"] == dataset
    assert metrics["purity"] > 0.55
    assert 20 < metrics["nodes"] <= 200


def test_the_caller_keeps_its_denormal_numbers(run_small):
    run_small()
    assert torch.tensor(1e-40) * torch.tensor(1.0) > 0
    assert 5e-324 * 1.0 > 0


def test_scores_of_every_step_are_written(run_small, tmp_path):
    run_small("callbacks=step_scores")
    table = pd.read_csv(tmp_path / "run" / "step_scores.csv")
    steps = read_checkpoint(tmp_path / "run" / "checkpoints" / "last.ckpt")["global_step"]
    assert list(table["step"]) == list(range(1, steps + 1))
    assert table["purity"].between(0.1, 1).all()


@pytest.mark.slow
def test_the_way_of_samples_is_kept_and_taken_up_again(run_small, tmp_path):
    run_small("callbacks=history", "trainer.max_epochs=2")
    before = np.load(tmp_path / "run" / "paths.npz")
    run_small("callbacks=history", "trainer.max_epochs=4", "ckpt_path=last")
    paths = np.load(tmp_path / "run" / "paths.npz")
    assert paths["slot"].shape == (4, 10)
    assert paths["decoded"].shape == (4, 10, 1, 8, 8)
    for name in ("slot", "decoded"):
        np.testing.assert_array_equal(paths[name][:2], before[name])
    # After the last epoch they are on the nodes of the trained model.
    assignments = read_test_split(tmp_path / "run")
    rows = torch.linspace(0, len(assignments) - 1, 10).long()
    assert paths["slot"][-1].tolist() == assignments["node"].iloc[rows].tolist()
    trained = load(tmp_path / "run" / "checkpoints" / "last.ckpt")
    prototypes = trained.data.denormalize(trained.model.decoded_prototypes())
    number = trained.model.codebook.live_slots().tolist()
    expected = np.stack([prototypes[number.index(slot)] for slot in paths["slot"][-1]])
    np.testing.assert_allclose(paths["decoded"][-1], expected, atol=1e-6)
    np.testing.assert_allclose(paths["sample"], sources.digits().test_x[rows], atol=1e-6)


@pytest.mark.slow
def test_watching_every_step_changes_nothing(run_small, tmp_path):
    run_small(run_dir=tmp_path / "plain")
    run_small("callbacks=history", run_dir=tmp_path / "watched")
    one, two = (
        load(tmp_path / name / "checkpoints" / "last.ckpt") for name in ("plain", "watched")
    )
    for key, value in one.model.state_dict().items():
        assert torch.equal(value, two.model.state_dict()[key]), key


@pytest.mark.slow
def test_a_fresh_run_keeps_what_an_earlier_one_left(run_small, tmp_path):
    run_small("seed=0")
    before = (tmp_path / "run" / "metrics.json").read_bytes()
    run_small("seed=1")
    assert (tmp_path / "run" / "previous-1" / "metrics.json").read_bytes() == before
    assert (tmp_path / "run" / "previous-1" / "checkpoints" / "last.ckpt").exists()


def test_tensorboard_gets_the_epochs(run_small, tmp_path):
    run_small("logger=tensorboard")
    events = list((tmp_path / "run" / "tensorboard").glob("events.out.tfevents.*"))
    assert events
    assert b"val/purity" in events[0].read_bytes()
