"""DC-SOMRL with neighbours and views: its training, and its clusters in every result."""

import json
import math

import numpy as np
import pandas as pd
import pytest
import torch

from dcsomrl.checkpoints import read_checkpoint
from dcsomrl.commands.evaluate import evaluate
from dcsomrl.commands.predict import predict
from dcsomrl.configuration import compose_config
from dcsomrl.data.sources import digits
from dcsomrl.errors import ConfigError
from dcsomrl.loading import load
from dcsomrl.losses import RelevanceDistance
from dcsomrl.maps import SOMRL
from dcsomrl.models import DCSOMRL
from dcsomrl.models.schedule import cosine
from dcsomrl.networks import MLPAutoencoder
from dcsomrl.train import train
from tests.conftest import read_test_split
from tests.test_resume import same

OURS = (
    "model=neighbor_somrl",
    "trainer=cpu",
    "trainer.max_epochs=4",
    "model.autoencoder.hidden_dims=[32]",
    "model.autoencoder.latent_dim=6",
    "dataset.neighbors.cache_dir=null",
)


@pytest.fixture(scope="module")
def trained_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return folder, train(compose_config("train", [*OURS, "n_clusters=7"], folder))


@pytest.mark.slow
def test_every_loss_is_logged_and_falls(trained_run):
    table = pd.read_csv(trained_run[0] / "metrics.csv")
    names = {"loss", "reconstruction", "clustering", "neighbors", "latent_spread"}
    assert {f"{part}/{name}" for part in ("train", "val") for name in names} <= set(table.columns)
    assert not table.isna().any().any()
    assert table["train/neighbors"].iloc[-1] < table["train/neighbors"].iloc[0]
    assert (table["births"] - table["deaths"] == table["nodes"]).all()


@pytest.mark.slow
def test_neighbours_and_views_tell_more_than_the_paper_s_loss(run_small, tmp_path):
    few = ("trainer.max_epochs=10", "model.autoencoder.hidden_dims=[64]", "n_clusters=10")
    ours = run_small(*few, small=OURS, run_dir=tmp_path / "ours")
    alone = run_small(
        *few, "model.losses.neighbors.weight=0", small=OURS, run_dir=tmp_path / "alone"
    )
    assert ours["purity"] > 0.7
    assert ours["cluster_nmi"] > alone["cluster_nmi"] + 0.1


@pytest.mark.slow
def test_the_map_grows_anew_once(trained_run, run_small, tmp_path):
    table = pd.read_csv(trained_run[0] / "metrics.csv")
    deaths = table["deaths"].diff().fillna(table["deaths"].iloc[0])
    # The half of four epochs lies between the second and the third.
    assert deaths.iloc[2] >= table["nodes"].iloc[1]
    assert (deaths.drop(2) < table["nodes"].iloc[1]).all()
    never = run_small("model.regrow=null", small=OURS, run_dir=tmp_path / "never")
    table = pd.read_csv(tmp_path / "never" / "metrics.csv")
    assert (table["deaths"] < table["nodes"]).all()
    assert never["nodes"] == table["nodes"].iloc[-1]


def test_codes_are_drawn_to_the_map_that_has_grown_anew(trained_run):
    table = pd.read_csv(trained_run[0] / "metrics.csv")
    before = 0.05 * table["train/reconstruction"] + 0.1 * table["train/neighbors"]
    after = before + 0.1 * table["train/clustering"]
    begun = table["epoch"] >= 2
    np.testing.assert_allclose(table["train/loss"], after.where(begun, before), rtol=1e-5)
    assert (table["train/clustering"] > 0).all()


def test_the_schedule_is_half_a_cosine():
    assert cosine(0, 100) == 1
    assert cosine(50, 100) == pytest.approx(0.505)
    assert cosine(100, 100) == pytest.approx(0.01)
    assert cosine(500, 100) == pytest.approx(0.01)


def test_the_learning_rate_follows_the_schedule(trained_run):
    checkpoint = read_checkpoint(trained_run[0] / "checkpoints" / "last.ckpt")
    (optimizer,) = checkpoint["optimizer_states"]
    assert optimizer["param_groups"][0]["lr"] == pytest.approx(1e-5)
    assert optimizer["param_groups"][0]["initial_lr"] == 1e-3


@pytest.mark.parametrize("key", ["model.schedule=constant", "model.regrow=null"])
def test_what_goes_by_the_end_of_a_training_needs_one(key, run_small):
    with pytest.raises(ConfigError, match="has no end: set"):
        run_small("trainer.max_epochs=-1", "+trainer.max_time=00:00:01:00", key, small=OURS)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"regrow": 1.0}, "regrow must be above 0 and below 1 or"),
        ({"regrow": 0}, "regrow must be above 0 and below 1 or"),
        ({"schedule": "linear"}, "schedule must be constant or cosine, got 'linear'"),
        ({"losses": {"pull": RelevanceDistance(begin=0.1)}}, "must count from the beginning"),
    ],
)
def test_settings_out_of_range_are_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        DCSOMRL(MLPAutoencoder([4], 3, [5]), SOMRL(3), **settings)


@pytest.mark.parametrize("begin", [-0.1, 1, float("nan")])
def test_a_term_begins_within_the_training(begin):
    with pytest.raises(ValueError, match=r"begin must be .*in \[0, 1\)"):
        RelevanceDistance(begin=begin)


@pytest.mark.parametrize("settings", [{"radius": 0.5}, {"activation_threshold": None}])
def test_a_map_has_a_threshold_or_a_radius(settings):
    with pytest.raises(ValueError, match="a map has an activation_threshold or a radius"):
        SOMRL(3, **settings)
    with pytest.raises(ValueError, match="radius must be above 0"):
        SOMRL(3, activation_threshold=None, radius=0)


def test_neighbours_that_no_term_compares_are_said(run_small, trained_run):
    metrics = run_small("neighbors=nearest", "dataset.neighbors.cache_dir=null")
    assert any("The data finds neighbours, and no term" in one for one in metrics["warnings"])
    assert not any("no term" in one for one in trained_run[1]["warnings"])


@pytest.mark.slow
def test_a_table_has_no_views(run_small, tmp_path, caplog):
    caplog.set_level("INFO")
    x = np.random.default_rng(0).normal(size=(300, 5))
    np.savez(tmp_path / "t.npz", x=x)
    run_small("dataset=arrays", f"dataset.path={tmp_path / 't.npz'}", "dataset.batch_size=64",
              small=OURS)  # fmt: skip
    assert "not images: no views of them are made" in caplog.text


def test_a_number_of_clusters_is_kept_to_in_every_result(trained_run, tmp_path):
    folder, metrics = trained_run
    assert metrics["clusters"] == 7
    ckpt = folder / "checkpoints" / "last.ckpt"
    assigned = read_test_split(folder)
    assert set(assigned["cluster"]) <= set(range(7))

    def run(task, name, *overrides):
        return task(compose_config(name, [f"ckpt={ckpt}", *overrides], tmp_path))

    np.save(tmp_path / "x.npy", digits().test_x)
    given = (f"input={tmp_path / 'x.npy'}", f"output={tmp_path / 'p.csv'}")
    table = run(predict, "predict", *given)
    assert (table[["node", "cluster"]] == assigned[["node", "cluster"]]).all().all()
    again = run(evaluate, "evaluate", f"output={tmp_path / 'e'}")
    assert {key: again[key] for key in again if key.startswith("cluster")} == {
        key: metrics[key] for key in metrics if key.startswith("cluster")
    }
    for number in (2, 5):
        few = run(predict, "predict", *given, f"n_clusters={number}")
        assert set(few["cluster"]) <= set(range(number))
        assert (few["node"] == table["node"]).all()
        assert run(evaluate, "evaluate", f"output={tmp_path / 'e'}", f"n_clusters={number}")[
            "clusters"
        ] == number  # fmt: skip
    model = load(ckpt).model
    found = int(model.merged().max()) + 1
    assert run(evaluate, "evaluate", f"output={tmp_path / 'e'}", "n_clusters=auto")["clusters"] == (
        found
    )
    written = json.loads((tmp_path / "e" / "metrics.json").read_text())
    assert written["clusters"] == found


@pytest.mark.parametrize("given", ["0", "-1", "2.5", "many", "true"])
def test_a_number_of_clusters_that_is_none_is_refused(given, run_small, trained_run, tmp_path):
    said = "n_clusters must be (a whole number of )?at least 1, auto or null"
    with pytest.raises(ConfigError, match=said):
        run_small(f"n_clusters={given}", small=OURS)
    ckpt = trained_run[0] / "checkpoints" / "last.ckpt"
    cfg = [f"ckpt={ckpt}", "input=nothing.npy", f"n_clusters={given}"]
    with pytest.raises(ConfigError, match=said):
        predict(compose_config("predict", cfg, tmp_path))


def test_a_checkpoint_knows_how_its_nodes_hang_together(trained_run):
    ckpt = trained_run[0] / "checkpoints" / "last.ckpt"
    model = load(ckpt).model
    saved = read_checkpoint(ckpt)["connectivity"]
    assert same(model.connectivity.state(), saved)
    assert int(saved["wins"].sum()) == 1294  # the training part
    assert math.isclose(model.connectivity.between.sum(), 2 * 1294)
    merged = model.merged(4)
    assert merged[~model.codebook.live].eq(-1).all()
    model.connectivity = None
    with pytest.raises(ConfigError, match="does not say how its nodes hang together"):
        model.merged(4)
    merged = model.merged()[model.codebook.live]
    assert torch.equal(merged, torch.arange(len(merged)))
