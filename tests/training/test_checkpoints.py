import resource
import subprocess
import sys
import textwrap

import pytest
import torch

from dcsomrl.checkpoints import read_checkpoint
from dcsomrl.errors import CheckpointError
from dcsomrl.training.checkpoints import AtomicCheckpointIO, check_same_run, find_checkpoint


def content(value=0.0):
    return {"weight": torch.full((1000,), value)}


def plugin(**config):
    return AtomicCheckpointIO(config)


def test_what_is_saved_is_read_back(tmp_path):
    path = tmp_path / "folder" / "last.ckpt"
    plugin(seed=3).save_checkpoint(content(1.5), path)
    read = plugin().load_checkpoint(path)
    assert read["dcsomrl"]["config"] == {"seed": 3}
    assert torch.equal(read["weight"], torch.full((1000,), 1.5))
    assert [file.name for file in path.parent.iterdir()] == ["last.ckpt"]


class Surprise:
    """What a checkpoint must not hold: an object of a class."""


def test_a_checkpoint_with_code_in_it_is_refused(tmp_path):
    path = tmp_path / "last.ckpt"
    torch.save({"dcsomrl": Surprise()}, path)
    with pytest.raises(CheckpointError, match="cannot be read"):
        plugin().load_checkpoint(path, weights_only=False)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_truncated_checkpoint_is_named(tmp_path, share):
    path = tmp_path / "last.ckpt"
    plugin().save_checkpoint(content(), path)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(share * len(raw))])
    with pytest.raises(CheckpointError, match=r"last\.ckpt cannot be read"):
        read_checkpoint(path)


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"no checkpoint at .*none\.ckpt"):
        read_checkpoint(tmp_path / "none.ckpt")


def test_a_checkpoint_of_another_program_is_refused(tmp_path):
    path = tmp_path / "other.ckpt"
    torch.save({"state_dict": {}}, path)
    with pytest.raises(CheckpointError, match="not a checkpoint that train wrote"):
        read_checkpoint(path)


# A limit on the size of a file acts on a write as a full disk does.
FULL_DISK = """
    import resource, sys, torch
    from dcsomrl.errors import CheckpointError
    from dcsomrl.training.checkpoints import AtomicCheckpointIO
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
    try:
        AtomicCheckpointIO({}).save_checkpoint({"weight": torch.zeros(100_000)}, sys.argv[1])
    except CheckpointError as error:
        print(error)
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="no limit on file sizes here")
def test_a_full_disk_is_reported_and_the_old_checkpoint_survives(tmp_path):
    path = tmp_path / "last.ckpt"
    plugin().save_checkpoint(content(2.0), path)
    command = [sys.executable, "-c", textwrap.dedent(FULL_DISK), str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "could not write the checkpoint" in done.stdout, done.stderr
    assert "File too large" in done.stdout
    assert torch.equal(read_checkpoint(path)["weight"], torch.full((1000,), 2.0))
    assert [file.name for file in tmp_path.iterdir()] == ["last.ckpt"]


def test_last_is_the_newest_of_the_runs_own_and_the_schedulers(tmp_path):
    assert find_checkpoint(tmp_path, "last") is None
    assert find_checkpoint(tmp_path, None) is None
    own = tmp_path / "checkpoints" / "last.ckpt"
    plugin().save_checkpoint(content(), own)
    assert find_checkpoint(tmp_path, None) is None
    assert find_checkpoint(tmp_path, "last") == own
    requeued = tmp_path / "hpc_ckpt_1.ckpt"
    plugin().save_checkpoint(content(), requeued)
    assert find_checkpoint(tmp_path, "last") == requeued
    plugin().save_checkpoint(content(), own)
    assert find_checkpoint(tmp_path, "last") == own
    with pytest.raises(CheckpointError, match="no checkpoint at elsewhere"):
        find_checkpoint(tmp_path, "elsewhere")


CONFIG = {
    "seed": 1,
    "name": "a",
    "data_dir": "here",
    "dataset": {"name": "mnist", "batch_size": 4, "source": {"data_dir": "here"}},
    "model": {"alpha": 0.1, "som": {"max_nodes": 9}},
    "trainer": {"max_epochs": 3, "precision": "32-true"},
}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 2}, "seed was 1 and is 2"),
        ({"model": {"alpha": 0.1, "som": {"max_nodes": 8}}}, "max_nodes was 9 and is 8"),
        ({"model": {"gamma": 0.1}}, "model.alpha was 0.1 and is absent"),
        ({"trainer": {"max_epochs": 3, "precision": "bf16-mixed"}}, "trainer.precision was 32"),
    ],
)
def test_another_configuration_is_refused_by_name(tmp_path, change, named):
    checkpoint = {"dcsomrl": {"config": CONFIG}}
    with pytest.raises(CheckpointError, match=named):
        check_same_run(checkpoint, {**CONFIG, **change}, tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"name": "b", "data_dir": "there", "logger": {"x": 1}},
        {"trainer": {"max_epochs": 9, "precision": "32-true", "accelerator": "gpu"}},
        {"dataset": {**CONFIG["dataset"], "source": {"data_dir": "there"}}},
        # The name of one's own data is its file's; that the samples are the same is told by them.
        {"dataset": {**CONFIG["dataset"], "name": "moved"}},
    ],
)
def test_where_and_how_long_a_run_goes_may_change(tmp_path, change):
    check_same_run({"dcsomrl": {"config": CONFIG}}, {**CONFIG, **change}, tmp_path)
