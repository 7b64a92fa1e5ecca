"""What version 0.1 saved: checkpoints of all models, a search and a benchmark, in this version.

``tests/data/checkpoints/0.1`` was written by commit 32955c2: of every model a run of one epoch,
what it predicts, and what that commit reached when it resumed the run for a second one.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from dcsomrl import __version__, migrations
from dcsomrl.benchmark import benchmark
from dcsomrl.checkpoints import read_checkpoint
from dcsomrl.configuration import compose_config
from dcsomrl.data.sources import digits
from dcsomrl.errors import CheckpointError
from dcsomrl.evaluate import evaluate
from dcsomrl.loading import load
from dcsomrl.migrations import follow_moves, list_differences, migrate
from dcsomrl.predict import predict
from dcsomrl.report import report
from dcsomrl.train import train

pytestmark = pytest.mark.slow

KEPT = Path(__file__).parent / "data" / "checkpoints" / "0.1"
MODELS = sorted(folder.name for folder in KEPT.iterdir() if (folder / "last.ckpt").exists())
NETWORK = ["dataset=digits", "model.autoencoder.hidden_dims=[6]"]
CODES = [*NETWORK, "model.autoencoder.latent_dim=4"]
MAP = ["model.som.max_nodes=20", "model.som.activation_threshold=0.9999"]
# What each was trained with.
SETTINGS = {
    "dcsomrl": [*CODES, *MAP],
    "autoencoder": [*CODES, "model=autoencoder"],
    "desom": [*CODES, "model=desom"],
    "somvae": [*CODES, "model=somvae", "dataset.val_fraction=0"],
    "dec": [*NETWORK, "model=dec", "model.pretrain_epochs=1", "model.n_init=1"],
    "idec": [*NETWORK, "model=idec", "model.pretrain_epochs=1", "model.n_init=1"],
    "kmeans": ["dataset=digits", "model=kmeans", "model.n_clusters=8"],
    "som": ["dataset=digits", "model=som"],
    "somrl": ["dataset=digits", "model=somrl", "model.som.max_nodes=20"],
    "larfdssom": ["dataset=digits", "model=larfdssom", "model.som.max_nodes=20"],
    "conv": [
        *("dataset=digits", "autoencoder=conv", "model.autoencoder.channels=[2]"),
        *("model.autoencoder.latent_dim=4", *MAP),
    ],
    "table": [
        "dataset=arrays",  # its model and settings were others then
        *(f"dataset.path={KEPT / 'blobs.npz'}", "dataset.batch_size=50"),
        *("model.autoencoder.hidden_dims=[6]", "model.autoencoder.latent_dim=3", *MAP),
    ],
}


def samples(name: str) -> torch.Tensor:
    """What the kept predictions are of."""
    if name == "table":
        return torch.from_numpy(np.load(KEPT / "blobs.npz")["x_test"])
    x = digits().test_x
    assert isinstance(x, torch.Tensor)
    return x[:100]


def test_every_model_is_kept():
    assert set(MODELS) == {*SETTINGS, "somrl_on_codes"}


@pytest.mark.parametrize("name", MODELS)
def test_a_checkpoint_of_every_model_predicts_what_it_did(name):
    trained = load(KEPT / name / "last.ckpt")
    with torch.no_grad():
        clustered = trained.model.cluster(trained.data.transform(samples(name)))
    kept = json.loads((KEPT / name / "predictions.json").read_text())
    assert clustered.winner.tolist() == kept["cluster"]
    torch.testing.assert_close(
        clustered.activation.double(),
        torch.tensor(kept["activation"], dtype=torch.float64),
        atol=2e-5,
        rtol=0,
    )


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_a_run_of_every_model_goes_on_and_is_reported(name, tmp_path):
    run_dir = tmp_path / "run"
    (run_dir / "checkpoints").mkdir(parents=True)
    shutil.copy(KEPT / name / "last.ckpt", run_dir / "checkpoints")
    overrides = ["trainer=cpu", "num_threads=1", "trainer.max_epochs=2", "ckpt_path=last"]
    metrics = train(compose_config("train", [*SETTINGS[name], *overrides], run_dir))
    kept = json.loads((KEPT / name / "after_resume.json").read_text())
    # To three decimals: processors differ in their rounding. To the map of dcsomrl the last bit may
    # matter: a sample of its fifth batch lies 4e-8 from the threshold, as far as float32 can tell.
    assert metrics["nodes"] == pytest.approx(kept.pop("nodes", metrics["nodes"]), abs=1)
    tolerance = 0.1 if name == "dcsomrl" else 2e-3
    assert {key: metrics[key] for key in kept} == pytest.approx(kept, abs=tolerance)
    if name in ("dcsomrl", "som"):
        assert report(compose_config("report", [f"run={run_dir}"], run_dir)).exists()


@pytest.mark.parametrize("name", ["dcsomrl", "table"])
def test_a_checkpoint_is_evaluated_and_predicts_by_the_commands(name, tmp_path):
    kept = json.loads((KEPT / name / "predictions.json").read_text())
    x = samples(name)
    given = [f"ckpt={KEPT / name / 'last.ckpt'}", f"output={tmp_path / 'scored'}"]
    given += [f"dataset.path={KEPT / 'blobs.npz'}"] if name == "table" else []
    metrics = evaluate(compose_config("evaluate", given, tmp_path))
    node = pd.read_parquet(tmp_path / "scored" / "assignments.parquet")["node"]
    assert node[: len(x)].tolist() == kept["cluster"]
    assert metrics["nodes_used"] == node.nunique()
    assert 0 < metrics["purity"] <= 1
    np.save(tmp_path / "x.npy", x.numpy())
    given = [f"ckpt={KEPT / name / 'last.ckpt'}", f"input={tmp_path / 'x.npy'}"]
    given += [f"output={tmp_path / 'predicted.csv'}"]
    table = predict(compose_config("predict", given, tmp_path))
    assert table["node"].tolist() == kept["cluster"]
    np.testing.assert_allclose(table["activation"], kept["activation"], atol=2e-5)


def test_a_search_goes_on_with_the_point_that_is_left(cli, tmp_path):
    folder = tmp_path / "search"
    shutil.copytree(KEPT / "search", folder)
    arguments = [
        *("-m", "search=default", "trainer=cpu", "num_threads=1", "trainer.max_epochs=1", *CODES),
        *("model.som.max_nodes=20", "model.alpha=interval(0.01,1)", "hydra.sweeper.n_trials=3"),
        f"hydra.sweep.dir={folder}",
    ]
    done = cli("train", *arguments)
    assert done.returncode == 0, done.stderr
    assert [n for n in (0, 1, 2) if (folder / f"{n}" / "seed0").exists()] == [2]
    assert len((folder / "trials.csv").read_text().splitlines()) == 4
    done = cli("train", *arguments, "model.som.life_decay=0.3")
    assert "model.som.life_decay was 0.4 and is 0.3" in done.stderr


def test_a_benchmark_goes_on_with_the_cell_that_is_left(tmp_path):
    shutil.copytree(KEPT / "benchmark", tmp_path / "benchmark")
    cfg = compose_config(
        "benchmark",
        [
            *("datasets=[digits]", "seeds=[0]", "against=kmeans"),
            "common=['trainer=cpu','trainer.max_epochs=1','dataset.val_fraction=0','num_threads=1']",
            f"runs_dir={tmp_path / 'benchmark' / 'runs'}",
            f"output={tmp_path / 'benchmark' / 'results'}",
        ],
        tmp_path,
    )
    cfg.methods = {"kmeans": ["model=kmeans"], "kmeans10": ["model=kmeans", "model.n_clusters=10"]}
    before = (KEPT / "benchmark" / "results" / "digits-kmeans-seed0.json").read_bytes()
    results = benchmark(cfg)
    assert [cell.method for cell in results] == ["kmeans", "kmeans10"]
    kept = tmp_path / "benchmark" / "results" / "digits-kmeans-seed0.json"
    assert kept.read_bytes() == before
    output = tmp_path / "benchmark" / "runs" / "kmeans10-digits" / "seed0" / "output.txt"
    assert "resuming from" in output.read_text()


def checkpoint(version: str | None = None, **config: object) -> dict:
    record = {"config": config} if version is None else {"config": config, "version": version}
    return {"dcsomrl": record, "state_dict": {"a": 1}}


def test_a_checkpoint_of_a_later_version_is_refused(tmp_path):
    path = tmp_path / "a.ckpt"
    torch.save(checkpoint("99.0"), path)
    with pytest.raises(CheckpointError, match=rf"dcsomrl 99\.0, and this is {__version__}"):
        read_checkpoint(path)
    torch.save(checkpoint("new"), path)
    with pytest.raises(CheckpointError, match="version 'new'"):
        read_checkpoint(path)


def test_migrations_run_in_order_from_the_version_that_wrote(monkeypatch):
    def renamed(old, new):
        def migrate(found):
            state = {
                new if key == old else key: value for key, value in found["state_dict"].items()
            }
            return {**found, "state_dict": state}

        return migrate

    steps = (("0.2.0", renamed("a", "b")), ("0.3.0", renamed("b", "c")))
    monkeypatch.setattr(migrations, "MIGRATIONS", steps)
    states = [
        list(migrate(checkpoint(version), "0.3.0")["state_dict"])
        for version in (None, "0.1.0", "0.2.0", "0.3.0")
    ]
    assert states == [["c"], ["c"], ["a"], ["a"]]


def test_a_class_that_moved_is_found_from_files_and_commands(monkeypatch, tmp_path):
    old = "dcsomrl.models.older.Model"
    moves = {old: "dcsomrl.models.KMeansModel", "dcsomrl.olddata": "dcsomrl.data"}
    monkeypatch.setattr(migrations, "MOVED", moves)
    assert follow_moves({"a": [{"_target_": "dcsomrl.olddata.sources.digits"}], "b": old}) == {
        "a": [{"_target_": "dcsomrl.data.sources.digits"}],
        "b": old,
    }
    path = tmp_path / "old.ckpt"
    kept = torch.load(KEPT / "kmeans" / "last.ckpt", weights_only=True)
    kept["dcsomrl"]["config"]["model"]["_target_"] = old
    kept["dcsomrl"]["config"]["dataset"]["_target_"] = "dcsomrl.olddata.ClusterData"
    torch.save(kept, path)
    assert load(path).model.n_clusters == 8
    overrides = ["trainer=cpu", "trainer.max_epochs=2", f"ckpt_path={path}", *SETTINGS["kmeans"]]
    metrics = train(
        compose_config("train", [*overrides, f"model._target_={old}"], tmp_path / "run")
    )
    assert metrics["epochs"] == 2


def test_an_absent_setting_counts_as_its_default(monkeypatch):
    now = {"model": {"_target_": "dcsomrl.models.DCSOMRL", "schedule": "constant"}}
    saved = {"model._target_": "dcsomrl.models.DCSOMRL"}
    here = {**saved, "model.schedule": "constant"}
    assert list_differences(saved, here, now) == []
    assert list_differences(here, saved, now) == []
    assert list_differences(saved, {**here, "model.schedule": "cosine"}, now) == [
        "model.schedule was constant and is cosine"
    ]
    assert list_differences(saved, {**saved, "views": 2}, now) == ["views was absent and is 2"]
    monkeypatch.setattr(migrations, "ADDED", {"views": 2})
    assert list_differences(saved, {**saved, "views": 2}, now) == []
    # A part that was not there is another model.
    part = {**saved, "model.som._target_": "dcsomrl.maps.SOMRL", "model.som.max_nodes": 200}
    assert list_differences(saved, part, {"model": {**now["model"], "som": {}}})


@pytest.mark.parametrize("losses", [{"clustering": {"weight": 0.2}}, {"reconstruction": {}}])
def test_alpha_follows_the_weight_that_counted(losses):
    model = {"_target_": "dcsomrl.models.DCSOMRL", "alpha": 0.1}
    found = migrate(checkpoint(model={**model, "losses": losses}), "0.2.0")
    expected = losses.get("clustering", {}).get("weight")
    assert found["dcsomrl"]["config"]["model"] == {**model, "losses": losses, "alpha": expected}
    before = checkpoint(model=model)["dcsomrl"]["config"]
    assert migrate(checkpoint(model=model), "0.2.0")["dcsomrl"]["config"] == before


def test_sums_of_an_unfinished_epoch_get_their_names():
    def kept(model: str, *sums: float) -> dict:
        config = {"model": {"_target_": f"dcsomrl.models.{model}"}}
        state = {"epoch_sums": torch.tensor(sums), "weight": torch.zeros(2)}
        return {"state_dict": state, "dcsomrl": {"version": "0.1.0", "config": config}}

    found = migrate(kept("DESOM", 3.0, 2.0, 1.0, 7.0), "0.2.0")
    assert list(found["state_dict"]) == ["weight"]
    expected = {"loss": 3.0, "reconstruction": 2.0, "som": 1.0, "steps": 7.0}
    assert {name: float(value) for name, value in found["epoch_sums"].items()} == expected
    assert migrate(found, "0.2.0")["epoch_sums"] is found["epoch_sums"]
    unknown = migrate(kept("Own", 3.0, 7.0), "0.2.0")["epoch_sums"]
    assert {name: float(value) for name, value in unknown.items()} == {"steps": 0.0}
