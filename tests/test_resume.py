"""A run that was stopped and taken up again equals one that never stopped, bit for bit."""

import json
import random
import signal
import subprocess
import sys
import textwrap
import time

import pandas as pd
import pytest
import torch

from dcsomrl.checkpoints import read_checkpoint
from dcsomrl.errors import CheckpointError
from dcsomrl.loading import load
from tests.conftest import SMALL

pytestmark = pytest.mark.slow

EPOCHS = 8
RUN = (*SMALL, f"trainer.max_epochs={EPOCHS}", "num_threads=1")

# Trains; where told so, dies in the middle of writing its n-th checkpoint.
VICTIM = """
    import io, os, signal, sys, torch
    dies_at, saved, save = int(sys.argv.pop(1)), 0, torch.save
    def mortal(checkpoint, file, **settings):
        global saved
        saved += 1
        if saved == dies_at:
            whole = io.BytesIO()
            save(checkpoint, whole, **settings)
            file.write(whole.getvalue()[: len(whole.getvalue()) // 2])
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        save(checkpoint, file, **settings)
    torch.save = mortal
    from dcsomrl.train import main
    main()
"""


def start(run_dir, *overrides, dies_at=0, run=RUN):
    settings = [*run, *overrides, f"hydra.run.dir={run_dir}", "ckpt_path=last"]
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(VICTIM), str(dies_at), *settings],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(run_dir, *overrides):
    process = start(run_dir, *overrides)
    output = "".join(process.communicate(timeout=200))
    assert process.returncode == 0, output
    return output


def same(one, two):
    """Equal values, tensors to the bit."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, two)
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(two) and all(map(same, one, two))
    return one == two


def assert_same_run(run_dir, whole_dir):
    one, two = (
        read_checkpoint(path / "checkpoints" / "last.ckpt") for path in (run_dir, whole_dir)
    )
    for part in ("state_dict", "optimizer_states", "epoch", "global_step"):
        assert same(one[part], two[part]), part
    best = [read_checkpoint(path / "checkpoints" / "best.ckpt") for path in (run_dir, whole_dir)]
    assert same(best[0]["state_dict"], best[1]["state_dict"])
    assert (run_dir / "metrics.csv").read_bytes() == (whole_dir / "metrics.csv").read_bytes()
    metrics = [json.loads((path / "metrics.json").read_text()) for path in (run_dir, whole_dir)]
    for content in metrics:
        del content["seconds"]
    assert metrics[0] == metrics[1]
    tables = [pd.read_parquet(path / "assignments.parquet") for path in (run_dir, whole_dir)]
    pd.testing.assert_frame_equal(*tables, check_exact=True)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The run that nothing interrupted."""
    run_dir = tmp_path_factory.mktemp("whole")
    assert "starting afresh" in finish(run_dir)
    return run_dir


def epochs_of(run_dir):
    """Epochs that a run has behind it, by its table."""
    table = run_dir / "metrics.csv"
    return len(table.read_text().splitlines()) - 1 if table.exists() else 0


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_stopped_at_random_moments(whole, tmp_path, sign):
    moments = random.Random(int(sign))
    stopped = 0
    for _ in range(4):
        process = start(tmp_path)
        epochs = moments.randint(1, EPOCHS - 3)
        while process.poll() is None and epochs_of(tmp_path) < epochs:
            time.sleep(0.01)
        time.sleep(moments.uniform(0, 0.2))
        stopped += process.poll() is None
        process.send_signal(sign)
        process.communicate(timeout=60)
    finish(tmp_path)
    assert stopped > 0
    assert_same_run(tmp_path, whole)


@pytest.mark.parametrize("dies_at", [1, 2, 7, 8])
def test_killed_in_the_middle_of_a_save(whole, tmp_path, dies_at):
    process = start(tmp_path, dies_at=dies_at)
    process.communicate(timeout=200)
    assert process.returncode == -signal.SIGKILL
    assert list((tmp_path / "checkpoints").glob("*.part"))
    output = finish(tmp_path)
    # The best and the last checkpoint of an epoch are saved in this order.
    expected = "starting afresh" if dies_at <= 2 else "resuming from"
    assert expected in output
    assert_same_run(tmp_path, whole)


def test_a_map_that_grows_anew_is_the_same_after_a_kill(tmp_path):
    # Of eight epochs the map grows anew after four: killed before, and after.
    ours = ("model=neighbor_somrl", "model.som.activation_threshold=null",
            "callbacks=refresh_neighbors",
            f"dataset.neighbors.cache_dir={tmp_path / 'cache'}")  # fmt: skip
    finish(tmp_path / "whole", *ours)
    for dies_at in (5, 12):
        process = start(tmp_path / "part", *ours, dies_at=dies_at)
        process.communicate(timeout=200)
        assert process.returncode == -signal.SIGKILL
    finish(tmp_path / "part", *ours)
    assert_same_run(tmp_path / "part", tmp_path / "whole")
    one, two = (
        read_checkpoint(tmp_path / name / "checkpoints" / "last.ckpt") for name in ("part", "whole")
    )
    for part in ("connectivity", "lr_schedulers"):
        assert same(one[part], two[part]), part
    deaths = pd.read_csv(tmp_path / "whole" / "metrics.csv")["deaths"]
    assert deaths.iloc[4] >= deaths.iloc[3] + 5


def test_a_run_may_go_on_for_longer_than_it_was_meant_to(whole, run_small, tmp_path):
    run_small(*RUN[len(SMALL) :], "trainer.max_epochs=3", run_dir=tmp_path)
    finish(tmp_path)
    assert_same_run(tmp_path, whole)


def test_the_log_says_from_where(run_small, tmp_path, caplog):
    caplog.set_level("INFO", "dcsomrl")
    run_small("ckpt_path=last")
    assert "starting afresh" in caplog.text
    caplog.clear()
    run_small("ckpt_path=last", "trainer.max_epochs=3")
    steps = read_checkpoint(tmp_path / "run" / "checkpoints" / "last.ckpt")["global_step"]
    assert f"after epoch 2, step {2 * steps // 3}" in caplog.text


def test_another_configuration_is_refused_and_nothing_is_lost(run_small, tmp_path):
    run_small()
    path = tmp_path / "run" / "checkpoints" / "last.ckpt"
    before = path.read_bytes()
    with pytest.raises(CheckpointError, match=r"model\.alpha was 0\.1 and is 0\.3"):
        run_small("ckpt_path=last", "model.alpha=0.3")
    assert path.read_bytes() == before
    path.write_bytes(before[:1000])
    with pytest.raises(CheckpointError, match="cannot be read"):
        run_small("ckpt_path=last")
    with pytest.raises(CheckpointError, match="no checkpoint at"):
        run_small("ckpt_path=nowhere.ckpt")


def lose(*keys):
    def damage(checkpoint):
        node = checkpoint
        for key in keys[:-1]:
            node = node[key]
        del node[keys[-1]]

    return damage


def cut_weights(checkpoint):
    weights = checkpoint["state_dict"]
    checkpoint["state_dict"] = {name: one[:1] if one.ndim else one for name, one in weights.items()}


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lose("global_step"), "'global_step' is missing"),
        (lose("loops"), "'loops' is missing"),
        (lose("state_dict"), "'state_dict' is missing"),
        (lose("lr_schedulers"), "scheduler state"),
        (lose("optimizer_states", 0), "the state of its optimiser is missing"),
        (lose("state_dict", "som.centers"), r"Missing key\(s\) in state_dict: \"som\.centers\""),
        (cut_weights, "size mismatch for autoencoder"),
    ],
)
def test_a_checkpoint_that_lacks_a_part_is_refused_in_a_sentence(run_small, tmp_path, damage, said):
    run_small("trainer.max_epochs=1")
    path = tmp_path / "run" / "checkpoints" / "last.ckpt"
    checkpoint = read_checkpoint(path)
    damage(checkpoint)
    torch.save(checkpoint, path)
    with pytest.raises(CheckpointError, match=rf"cannot be used \(.*{said}.*\): it is damaged"):
        run_small("ckpt_path=last")


def test_weights_that_are_no_numbers_are_not_evaluated(run_small, tmp_path):
    run_small("trainer.max_epochs=1")
    path = tmp_path / "run" / "checkpoints" / "last.ckpt"
    checkpoint = read_checkpoint(path)
    checkpoint["state_dict"]["som.centers"].fill_(float("nan"))
    torch.save(checkpoint, path)
    with pytest.raises(CheckpointError, match=r"its som\.centers holds NaN.*training diverged"):
        load(path)
