"""What an earlier run left is moved when a training has its first batch, and not before."""

import json
import shutil
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest
import torch

from dcsomrl.checkpoints import read_checkpoint
from dcsomrl.configuration import compose_config
from dcsomrl.errors import CheckpointError, ConfigError, DataError
from dcsomrl.locks import hold
from dcsomrl.reporting.run_data import read_run
from dcsomrl.train import train
from tests.conftest import SMALL

pytestmark = pytest.mark.slow

RESULTS = (
    *("metrics.json", "assignments.parquet", "assignments.csv", "clusters.csv"),
    *("prototypes.png", "clusters.png", "typical.png"),
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Folder of a run with its history."""
    folder = tmp_path_factory.mktemp("finished")
    train(compose_config("train", [*SMALL, "callbacks=history"], folder))
    return folder


def test_everything_of_an_earlier_run_moves_together(run_small, tmp_path):
    run_small("callbacks=history")
    run = tmp_path / "run"
    for name in ("report", "compared", "evaluate-digits-test"):
        (run / name).mkdir()
        (run / name / "page").write_text("of the first")
    before = {file.name for file in run.iterdir()} - {".training.lock", "train.log"}
    run_small("seed=1")
    aside = run / "previous-1"
    assert {file.name for file in aside.iterdir()} == before
    assert (aside / "report" / "page").read_text() == "of the first"
    assert not (run / "report").exists()
    assert "seed: 1" in (run / "config.yaml").read_text()
    assert "seed: 0" in (aside / "config.yaml").read_text()


def test_of_a_run_that_was_stopped_in_its_first_epoch_nothing_is_kept(run_small, tmp_path):
    run_small("callbacks=history", "trainer.max_epochs=1")
    run = tmp_path / "run"
    for name in ("checkpoints", *RESULTS):
        shutil.rmtree(run / name) if (run / name).is_dir() else (run / name).unlink()
    (run / "checkpoints").mkdir()
    (run / "checkpoints" / "best.ckpt").write_text("of the first epoch")
    (run / "checkpoints" / "last.ckpt.part").write_text("half")
    run_small("callbacks=history", "ckpt_path=last")
    assert not (run / "previous-1").exists()
    assert not list(run.rglob("*.part"))
    assert list(pd.read_csv(run / "metrics.csv")["epoch"]) == [0, 1]
    # Of a longer one its tables are worth something, also without a checkpoint.
    for name in ("checkpoints", *RESULTS):
        shutil.rmtree(run / name) if (run / name).is_dir() else (run / name).unlink()
    run_small("callbacks=history", "ckpt_path=last")
    assert (run / "previous-1" / "metrics.csv").exists()


def test_results_are_there_once_everything_is(run_small, tmp_path, monkeypatch):
    def stop(*arguments):
        assert (tmp_path / "run" / "assignments.parquet").exists()
        raise KeyboardInterrupt

    monkeypatch.setattr("dcsomrl.training.results.draw_pictures", stop)
    with pytest.raises(KeyboardInterrupt):
        run_small()
    assert not (tmp_path / "run" / "metrics.json").exists()


def test_a_run_that_fails_before_its_first_batch_moves_nothing(run_small, tmp_path):
    run_small()
    files = sorted(file.relative_to(tmp_path) for file in tmp_path.rglob("*"))
    with pytest.raises(DataError):
        run_small("dataset.sequence_length=2048", "dataset.val_fraction=0", "seed=1")
    with pytest.raises(Exception, match="broken"):
        run_small("seed=1", "+callbacks.x={_target_: tests.training.test_begin.Broken}")
    assert sorted(file.relative_to(tmp_path) for file in tmp_path.rglob("*")) == files
    assert "seed: 0" in (tmp_path / "run" / "config.yaml").read_text()


def Broken():
    """A callback that cannot be made."""
    raise RuntimeError("broken")


def test_results_of_before_do_not_stay_beside_a_run_that_goes_on(run_small, tmp_path):
    run_small("callbacks=history")
    run = tmp_path / "run"
    (run / "report").mkdir()
    run_small("trainer.max_epochs=3", "ckpt_path=last", "callbacks=history")
    aside = run / "previous-1"
    assert {file.name for file in aside.iterdir()} == {*RESULTS, "report"}
    assert list(pd.read_csv(run / "metrics.csv")["epoch"]) == [0, 1, 2]
    run_small(
        "trainer.max_epochs=3", "ckpt_path=last", "callbacks=history"
    )  # nothing left to train
    assert not (run / "previous-2").exists()


def test_a_checkpoint_of_another_folder_brings_no_tables_of_this_one(run_small, tmp_path):
    run_small("callbacks=history", run_dir=tmp_path / "one")
    run_small("callbacks=history", "trainer.max_epochs=1", "seed=1", run_dir=tmp_path / "two")
    other = tmp_path / "one" / "checkpoints" / "last.ckpt"
    run_small(
        *("callbacks=history", f"ckpt_path={other}", "trainer.max_epochs=3"),
        run_dir=tmp_path / "two",
    )
    kept = tmp_path / "two" / "previous-1"
    assert "seed: 1" in (kept / "config.yaml").read_text()
    assert (kept / "checkpoints" / "last.ckpt").exists()
    assert list(pd.read_csv(tmp_path / "two" / "metrics.csv")["epoch"]) == [2]
    with np.load(tmp_path / "two" / "paths.npz") as paths:
        assert len(paths["slot"]) == 1


def damaged_table(path):
    path.write_text(path.read_text()[:-30] + "\x00,1,2,3\n4,a")


def damaged_arrays(path):
    path.write_bytes(path.read_bytes()[:-200])


def other_arrays(path):
    np.savez(path, sample=np.zeros((3, 2)), slot=np.zeros(4), decoded=np.zeros((2, 3)))


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("metrics.csv", damaged_table),
        ("metrics.csv", lambda path: path.write_bytes(b"\xff\xfe\x00")),
        ("metrics.csv", lambda path: path.write_text("step,nodes\n1,2\n")),
        ("metrics.csv", lambda path: path.write_text("epoch,nodes\n0,2\n1,abc\n")),
        ("step_scores.csv", damaged_table),
        ("paths.npz", damaged_arrays),
        ("paths.npz", other_arrays),
        ("paths.npz", lambda path: path.write_text("no zip")),
        ("paths.npz", lambda path: path.write_bytes(b"")),
        ("paths.npz", lambda path: np.savez(path, slot=np.zeros(3))),
        (
            "paths.npz",
            lambda path: np.savez(path, sample=np.array([{}]), slot=[1], decoded=[1]),
        ),
    ],
)
def test_what_is_only_for_show_stops_no_run(run_small, finished, tmp_path, caplog, name, damage):
    run = shutil.copytree(finished, tmp_path / "run")
    damage(run / name)
    found = read_run(run)
    assert f"{name} is damaged" in caplog.text
    shown = {"metrics.csv": found.history, "step_scores.csv": found.steps, "paths.npz": found.paths}
    assert shown[name] is None or len(shown[name]) == 0
    content = (run / name).read_bytes()
    caplog.clear()
    run_small("callbacks=history", "ckpt_path=last", "trainer.max_epochs=3")
    assert f"{name} is damaged" in caplog.text
    assert (run / f"{name}.damaged").read_bytes() == content
    read_run(run)


def test_results_of_another_state_are_not_shown(run_small, tmp_path):
    run_small()
    run = tmp_path / "run"
    stale = (run / "metrics.json").read_text()
    run_small("trainer.max_epochs=3", "ckpt_path=last")
    read_run(run)
    (run / "metrics.json").write_text(stale)
    with pytest.raises(DataError, match=r"epoch 2, step 42, but the checkpoint is of epoch 3"):
        read_run(run)


@pytest.mark.parametrize("content", ["[]", "{}", '{"epochs": 2}', "null", "3"])
def test_results_of_another_form_are_damaged(finished, tmp_path, content):
    run = shutil.copytree(finished, tmp_path / "run")
    (run / "metrics.json").write_text(content)
    with pytest.raises(DataError, match="is damaged"):
        read_run(run)


def test_a_folder_is_held_by_one_training(run_small, tmp_path):
    run_small()
    run = tmp_path / "run"
    script = """
        import sys, time
        from pathlib import Path
        from dcsomrl.locks import hold
        with hold(Path(sys.argv[1]), wait=False):
            print("held", flush=True)
            time.sleep(100)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(run)]
    other = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline() == "held\n"
        before = json.loads((run / "metrics.json").read_text())
        with pytest.raises(ConfigError, match="another process trains in"):
            run_small("seed=1")
        assert json.loads((run / "metrics.json").read_text()) == before
    finally:
        other.kill()
        other.wait()
    run_small("seed=1")  # the lock has died with its process
    with hold(run, wait=False):
        pass


def test_a_flipped_bit_is_found(run_small, tmp_path):
    run_small()
    path = tmp_path / "run" / "checkpoints" / "last.ckpt"
    raw, whole = path.read_bytes(), read_checkpoint(path)["state_dict"]
    rng = np.random.default_rng(0)
    refused = 0
    for place in rng.integers(len(raw), size=60):
        flipped = bytearray(raw)
        flipped[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(flipped)
        try:
            state = read_checkpoint(path)["state_dict"]
        except CheckpointError:
            refused += 1
            continue
        assert all(torch.equal(state[name], whole[name]) for name in whole)
    assert refused >= 50
