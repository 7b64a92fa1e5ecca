"""Reports as commands: of tables, of two runs, and of what is not a run."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from dcsomrl.errors import DataError
from dcsomrl.reporting.context import Context
from dcsomrl.reporting.odd import answer_odd
from dcsomrl.reporting.page import draw_report
from dcsomrl.reporting.run_data import read_run
from dcsomrl.reporting.sections.disturbances import draw_disturbances
from dcsomrl.reporting.sections.pairs import draw_pairs

pytestmark = pytest.mark.slow


def test_tables_have_features_in_the_place_of_images(cli, tmp_path):
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 3, 300)
    table = pd.DataFrame(rng.random((300, 4)) / 5 + kind[:, None] / 4, columns=["a", "b", "c", "d"])
    table.assign(kind=kind).to_csv(tmp_path / "table.csv", index=False)
    done = cli("train", "model=somrl", "dataset=arrays", f"dataset.path={tmp_path / 'table.csv'}",
               "dataset.target=kind", "dataset.batch_size=32", "trainer=cpu",
               "trainer.max_epochs=5", "hydra.run.dir=run")  # fmt: skip
    assert done.returncode == 0, done.stderr
    done = cli("report", "run=run", "embedding=pca")
    assert done.returncode == 0, done.stderr
    found = read_run(tmp_path / "run")
    assert found.feature_names == ["a", "b", "c", "d"]
    assert not found.image
    explorer = draw_report(found, "pca", 0)[1].explorer
    assert explorer.tiles is None
    assert explorer.relevance_names == ["a", "b", "c", "d"]
    assert explorer.profiles.shape == (len(found.slots), 4)
    # In what unit a column is given makes no difference.
    factor = np.array([1, 1000, 0.01, 1])
    other = replace(
        found, samples=found.samples * factor, decode=lambda z: found.decode(z) * factor
    )
    for section in (draw_disturbances, draw_pairs):
        measures = section(Context(found)).measures
        assert section(Context(other)).measures == pytest.approx(measures, rel=1e-4, nan_ok=True)
    odd = answer_odd(found)
    assert odd.pictures is None
    assert any(f"{found.activation.min():.4f}" in row for row in odd.rows)
    assert (tmp_path / "run" / "report" / "report.html").stat().st_size > 10_000
    assert torch.is_grad_enabled()


def test_what_is_no_finished_run_is_refused(cli, tmp_path):
    done = cli("report", "run=nowhere")
    assert done.returncode == 2
    assert "error: nowhere has no metrics.json: give the folder of a run" in done.stderr
    done = cli("report", "run=nowhere", "embedding=mds")
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["run=[]"], "run must be the folder of a finished run, or a list of some: got []"),
        (
            ['run="5"'],
            "5 has no metrics.json: give the folder of a run that "
            "python -m dcsomrl.train has finished",
        ),
        (["run=[a,a]"], "run names a folder twice: ['a', 'a']"),
        ([], "run is missing: give run=..."),
        (["run=a", "seed=-1"], "seed must be in [0, 4294967295], got -1"),
    ],
)
def test_what_names_no_run_is_said_in_a_sentence(given, sentence, cli, tmp_path):
    for name in ("metrics.json", "checkpoints/last.ckpt"):  # nothing is read of a
        (tmp_path / "a" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "a" / name).touch()
    done = cli("report", *given)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == f"error: {sentence}"


def test_damaged_results_are_said_in_a_sentence(trained, tmp_path):
    shutil.copytree(trained, tmp_path / "run")
    (tmp_path / "run" / "metrics.json").write_text('{"purity": 0.')
    with pytest.raises(DataError, match=r"metrics\.json is damaged \(.*\): train the run again"):
        read_run(tmp_path / "run")


def test_two_runs_that_differ_in_settings_alone_are_told_apart(trained, cli, tmp_path):
    shutil.copytree(trained, tmp_path / "a")
    shutil.copytree(trained, tmp_path / "b")
    done = cli("report", "run=[a,b]", "embedding=pca")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "a" / "compared" / "report.html").read_text()
    for run in "ab":
        assert f'<th scope="col">dcsomrl on digits, seed 0 ({run})</th>' in page
        assert f"<h2>Map: dcsomrl on digits, seed 0 ({run})</h2>" in page
    assert not (tmp_path / "a" / "report").exists()
    assert (tmp_path / "a" / "compared" / "run1" / "plane.png").stat().st_size > 1000
