"""``trainer.precision=auto``: what is chosen, that it is kept, and that all processes have it."""

import subprocess
import textwrap

import pytest
import torch
import yaml

from dcsomrl.checkpoints import read_checkpoint
from dcsomrl.errors import CheckpointError
from dcsomrl.migrations import RECORD
from dcsomrl.networks import ResNetAutoencoder
from dcsomrl.training.callbacks import choose_precision
from dcsomrl.training.callbacks.choose_precision import HALF, SINGLE, time_steps
from tests.conftest import SMALL
from tests.networks.two_processes import TWO
from tests.ranks import start_ranks


def read_run(folder):
    """The precision that a run's files name, and its weights."""
    checkpoint = read_checkpoint(folder / "checkpoints" / "last.ckpt")
    named = {
        checkpoint[RECORD]["config"]["trainer"]["precision"],
        yaml.safe_load((folder / "config.yaml").read_text())["trainer"]["precision"],
    }
    return named, checkpoint["state_dict"]


def assert_same(one, two):
    for name, value in one.items():
        assert torch.equal(value, two[name]), name


def test_a_cpu_trains_in_single_precision_and_says_so(run_small, tmp_path, caplog):
    with caplog.at_level("INFO"):
        metrics = run_small(run_dir=tmp_path / "auto")
    assert "trainer.precision=auto: this training takes 32-true, since a seed" in caplog.text
    run_small("trainer.precision=32-true", run_dir=tmp_path / "set")
    named, weights = read_run(tmp_path / "auto")
    assert named == {metrics["precision"]} == {"32-true"}
    assert_same(weights, read_run(tmp_path / "set")[1])


@pytest.fixture
def half_is_faster(monkeypatch):
    """As on a GPU that has bf16."""
    measured = (HALF, "it took 1 ms in place of 2 ms")
    monkeypatch.setattr(choose_precision, "choose_precision", lambda *of: measured)


def test_what_is_chosen_trains_as_if_it_were_set(run_small, tmp_path, half_is_faster, caplog):
    with caplog.at_level("INFO"):
        metrics = run_small(run_dir=tmp_path / "auto")
    assert "takes bf16-mixed, since it took 1 ms in place of 2 ms" in caplog.text
    run_small("trainer.precision=bf16-mixed", run_dir=tmp_path / "set")
    run_small("trainer.precision=32-true", run_dir=tmp_path / "single")
    named, weights = read_run(tmp_path / "auto")
    assert named == {metrics["precision"]} == {"bf16-mixed"}
    assert_same(weights, read_run(tmp_path / "set")[1])
    single = read_run(tmp_path / "single")[1]
    assert not all(torch.equal(weights[name], single[name]) for name in weights)


def test_a_training_that_is_resumed_keeps_what_it_began_with(run_small, tmp_path, caplog):
    # Begun where bf16 was faster, taken up on a CPU, where single precision would be chosen.
    run_small("trainer.precision=bf16-mixed", run_dir=tmp_path / "whole")
    run_small("trainer.precision=bf16-mixed", "trainer.max_epochs=1", run_dir=tmp_path / "part")
    with caplog.at_level("INFO"):
        metrics = run_small("ckpt_path=last", run_dir=tmp_path / "part")
    assert "in bf16-mixed" in caplog.text
    named, weights = read_run(tmp_path / "part")
    assert named == {metrics["precision"]} == {"bf16-mixed"}
    assert_same(weights, read_run(tmp_path / "whole")[1])
    with pytest.raises(CheckpointError, match="precision was bf16-mixed and is 32-true"):
        run_small("ckpt_path=last", "trainer.precision=32-true", run_dir=tmp_path / "part")


def test_the_test_of_a_network_leaves_no_trace():
    network = ResNetAutoencoder((1, 8, 8), latent_dim=3, channels=[2, 3]).eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.get_rng_state()
    single, half = time_steps(network, torch.rand(4, 1, 8, 8, generator=torch.Generator()))
    assert min(single, half) > 0
    assert torch.equal(torch.get_rng_state(), state)
    assert_same(before, network.state_dict())
    assert not network.training
    assert all(weight.grad is None for weight in network.parameters())


# Each process would choose another one.
RANK = """
    import os, sys
    from pathlib import Path
    from pytorch_lightning import Callback
    from dcsomrl.train import main
    from dcsomrl.training.callbacks import choose_precision

    rank, folder = os.environ["LOCAL_RANK"], Path(sys.argv.pop(1))
    choice = {"0": "bf16-mixed", "1": "32-true"}[rank]
    choose_precision.choose_precision = lambda *of: (choice, "it was measured")

    class Note(Callback):
        def on_train_start(self, trainer, pl_module):
            (folder / rank).write_text(trainer.precision)

    main()
"""


@pytest.mark.slow
def test_all_processes_train_in_the_precision_of_the_first(tmp_path):
    note = "+callbacks.note={_target_: __main__.Note}"
    settings = (*TWO, *SMALL[2:], "trainer.max_epochs=1", note)
    run_dir = f"hydra.run.dir={tmp_path / 'run'}"
    rank = ("-c", textwrap.dedent(RANK), str(tmp_path), *settings, run_dir)
    ranks = start_ranks(rank, rank, stderr=subprocess.PIPE)
    said = [one.communicate(timeout=200)[1] for one in ranks]
    assert [one.returncode for one in ranks] == [0, 0], said
    assert [(tmp_path / str(one)).read_text() for one in range(2)] == [HALF, HALF] != [SINGLE] * 2
    assert read_run(tmp_path / "run")[0] == {HALF}
