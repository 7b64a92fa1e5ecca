"""A result that says less than it seems to comes with a sentence, and none comes without."""

import json
import re
import warnings

import numpy as np
import pytest
from pytorch_lightning import Trainer

from dcsomrl.errors import TrainingError
from dcsomrl.evaluate import evaluate
from dcsomrl.loading import load
from dcsomrl.models import DEC
from dcsomrl.networks import MLPAutoencoder
from dcsomrl.report import report
from dcsomrl.search.sweeping import read_numbers
from dcsomrl.training.warnings import warn_of_map, warn_of_pretraining
from tests.test_evaluate_predict import call

LABEL_SCORES = {"purity", "nmi", "ari", "ami", "accuracy", "homogeneity", "completeness"}


def saved(tmp_path, **arrays):
    """Overrides for a file of features."""
    np.savez(tmp_path / "data.npz", **arrays)
    return ("dataset=arrays", f"dataset.path={tmp_path / 'data.npz'}", "dataset.batch_size=32")


def blobs(n=200, classes=3):
    rng = np.random.default_rng(0)
    y = rng.integers(classes, size=n)
    return rng.normal(size=(n, 4)) + 10 * y[:, None], y


@pytest.mark.slow
@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (
            ["model.som.activation_threshold=0.1"],
            r"one live node.*raise model\.som\.activation_threshold \(.*model\.alpha",
        ),
        (["model.som.max_nodes=4"], r"map is full: all 4.*Raise model\.som\.max_nodes"),
    ],
)
def test_a_degenerate_map_is_said_in_summary_and_results(
    run_small, tmp_path, capsys, overrides, said
):
    metrics = run_small(*overrides)
    written = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert written["warnings"] == metrics["warnings"]
    assert len(metrics["warnings"]) == 1
    assert metrics["warnings"][0] in capsys.readouterr().out
    pattern = re.compile(said)
    assert pattern.search(metrics["warnings"][0])
    ckpt = tmp_path / "run" / "checkpoints" / "last.ckpt"
    assert call(evaluate, "evaluate", tmp_path, f"ckpt={ckpt}")["warnings"] == metrics["warnings"]


@pytest.mark.slow
def test_a_report_names_what_to_change_by_its_key(run_small, tmp_path):
    run_small("model.som.max_nodes=4")
    page = call(report, "report", tmp_path, f"run={tmp_path / 'run'}", "embedding=pca")
    assert "Raise model.som.max_nodes, lower model.som.activation_threshold" in page.read_text()


def test_without_a_configuration_warnings_name_arguments():
    assert "Raise `max_nodes`" in warn_of_map(4, 4, grows=True)[0]


def test_a_sound_run_has_no_warning(run_small):
    assert run_small("model.som.max_nodes=200", "trainer.max_epochs=3")["warnings"] == []


@pytest.mark.slow
def test_a_test_split_without_labels_has_no_score_and_is_named(run_small, tmp_path):
    x, y = blobs()
    data = saved(tmp_path, x_train=x, y_train=y, x_test=x)
    said = "The test split has no labels, so scores against them are left out."
    with warnings.catch_warnings():
        warnings.filterwarnings("error", ".*compute.* method of metric")
        metrics = run_small(*data)
        ckpt = tmp_path / "run" / "checkpoints" / "last.ckpt"
        scored = call(evaluate, "evaluate", tmp_path, f"ckpt={ckpt}", "split=val")
        trained = load(ckpt)
        trainer = Trainer(accelerator="cpu", logger=False, enable_progress_bar=False)
        (tested,) = trainer.test(trained.model, datamodule=trained.data, verbose=False)
    assert not LABEL_SCORES & metrics.keys()
    assert said in metrics["warnings"]
    assert metrics["val/nmi"] == scored["nmi"]
    assert said not in scored["warnings"]
    assert tested.keys() == {"test/quantization_error", "test/nodes_used"}
    with pytest.raises(TrainingError, match="the test split has none: leave"):
        run_small(*data, "callbacks=step_scores", run_dir=tmp_path / "steps")


def test_a_validation_part_without_labels_has_no_score(run_small, tmp_path):
    x, y = blobs()
    with warnings.catch_warnings():
        warnings.filterwarnings("error", ".*compute.* method of metric")
        metrics = run_small(*saved(tmp_path, x_train=x, x_test=x, y_test=y))
    assert metrics["nmi"] >= 0
    assert "val/nodes" in metrics
    assert "val/nmi" not in metrics


def test_one_class_has_no_score(run_small, tmp_path):
    x, y = blobs(classes=1)
    metrics = run_small(*saved(tmp_path, x=x, y=y))
    assert not LABEL_SCORES & metrics.keys()
    assert any("one class" in one for one in metrics["warnings"])


def test_data_without_labels_is_not_blamed_for_it(run_small, tmp_path):
    metrics = run_small(*saved(tmp_path, x=blobs()[0]))
    assert not any("label" in one for one in metrics["warnings"])


def test_equal_samples_are_said(run_small, tmp_path):
    metrics = run_small(*saved(tmp_path, x=np.ones((100, 4)), y=np.arange(100) % 3))
    assert any("equal" in one for one in metrics["warnings"])


def test_a_search_gets_no_score_of_nothing(run_small, tmp_path):
    x, y = blobs()
    returned = run_small(*saved(tmp_path, x_train=x, y_train=y, x_test=x))
    assert "nmi" not in read_numbers({**returned, "split": "val"})


def test_results_lie_beside_a_checkpoint_outside_of_a_run(run_small, tmp_path):
    run_small()
    folder = tmp_path / "elsewhere" / "models"
    folder.mkdir(parents=True)
    (tmp_path / "run" / "checkpoints" / "last.ckpt").rename(folder / "m.ckpt")
    call(evaluate, "evaluate", tmp_path, f"ckpt={folder / 'm.ckpt'}")
    assert (folder / "evaluate-digits-test" / "metrics.json").exists()
    assert [file.name for file in folder.parent.iterdir()] == ["models"]
    call(evaluate, "evaluate", tmp_path, f"ckpt={folder / 'm.ckpt'}", f"output={tmp_path / 'o'}")
    assert (tmp_path / "o" / "metrics.json").exists()


def test_a_training_that_ended_within_its_pretraining_has_no_clusters_yet():
    model = DEC(MLPAutoencoder((3,), hidden_dims=[4], latent_dim=2), n_clusters=2, seed=0)
    (said,) = warn_of_pretraining(model)
    assert "ended within the 20 epochs of pretraining" in said
    model.started.fill_(True)
    assert warn_of_pretraining(model) == []
