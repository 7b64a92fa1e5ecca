"""Limits of a training: refused where they make no sense, kept where they do."""

import json
import time
from contextlib import nullcontext
from itertools import count
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from pytorch_lightning import Trainer
from pytorch_lightning.utilities import rank_zero_only

from dcsomrl.checkpoints import read_checkpoint
from dcsomrl.configuration import compose_config
from dcsomrl.errors import ConfigError, DataError, DcsomrlError
from dcsomrl.train import train
from dcsomrl.training.callbacks import time_limit
from dcsomrl.training.limits import check_names
from dcsomrl.training.trainer import check_nodes
from tests.conftest import SMALL
from tests.test_resume import same


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Folder of a run of three epochs."""
    folder = tmp_path_factory.mktemp("finished")
    train(compose_config("train", [*SMALL, "trainer.max_epochs=3"], folder))
    return folder


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("trainer.max_epochs=0", r"trainer\.max_epochs must be at least 1, -1 or null, got 0"),
        ("trainer.max_epochs=-5", "got -5"),
        ("trainer.max_epochs=abc", "got abc"),
        ("trainer.max_epochs=1.5", r"got 1\.5"),
        ("+trainer.max_steps=0", r"trainer\.max_steps must be .* got 0"),
        (
            "+trainer.limit_train_batches=0",
            r"batches must be at least 1, in \(0, 1\] or null, got 0",
        ),
        ("+trainer.limit_train_batches=0.0", r"in \(0, 1\] or null, got 0.0"),
        ("+trainer.limit_train_batches=1e-9", "the trainer cannot train: .*1e-09"),
        ("+trainer.max_time=1h", "must be days:hours:minutes:seconds above 0"),
        ("+trainer.max_time=5", "got 5"),
        ("+trainer.max_time=00:00:00:00", "above 0"),
        ("+trainer.max_time={seconds: -1}", "above 0"),
        ("+trainer.max_time={moons: 1}", "got"),
        (
            "trainer.precision=fp16",
            r"trainer\.precision must be 64, .*, auto or null, got fp16",
        ),
        ("+trainer.max_stepz=1", "has no max_stepz; did you mean trainer.max_steps"),
        ("+trainer.gpus=1", r"no gpus any more: set trainer\.accelerator=gpu"),
        ("+trainer.profiler=foo", "profiler parameter of Trainer, it can only be one of"),
        ("+trainer.limit_val_batches=0", r"in \(0, 1\] or null, got 0"),
        ("+trainer.gradient_clip_val=-1", "must be at least 0 and finite or null, got -1"),
        ("+trainer.model_registry=mine", "no checkpoint to a registry"),
        ("+trainer.logger=false", "loggers are chosen by logger=NAME"),
        ("+trainer.callbacks=[]", r"chosen by callbacks=NAME"),
        ("+trainer.plugins=[]", "a run has one of its own"),
        ("+trainer.limit_test_batches=0", "the whole test split is scored"),
        ("+trainer.min_epochs=5", r"trainer\.min_epochs=5 is above trainer\.max_epochs=2"),
        ("+trainer.num_nodes=2", r"num_nodes=2 would wait for machines"),
        ("trainer.accelerator=tpu", r"tpu needs a device .* set trainer\.accelerator=auto"),
        ("trainer.devices=0", r"trainer\.devices must be at least 1, -1, auto, .*, got 0"),
    ],
)
def test_a_mistake_is_refused_and_a_finished_run_stays_as_it_was(
    run_small, finished, override, said
):
    files = {
        file: file.read_bytes()
        for file in finished.rglob("*")
        if file.is_file() and file.name != ".training.lock"
    }
    with pytest.raises((DcsomrlError, Exception), match=said) as caught:
        run_small(override, run_dir=finished)
    assert isinstance(caught.value, DcsomrlError)
    assert all(file.read_bytes() == before for file, before in files.items())
    assert not list(finished.glob("previous-*"))


@pytest.mark.parametrize(
    "launched",
    [
        {"MASTER_ADDR": "10.0.0.1", "NODE_RANK": "1"},
        {"TORCHELASTIC_RUN_ID": "a", "RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "0"},
        {"SLURM_NTASKS": "2", "SLURM_JOB_NAME": "train", "SLURM_NTASKS_PER_NODE": "1",
         "SLURM_PROCID": "1", "SLURM_LOCALID": "0", "SLURM_NODEID": "1", "SLURM_NNODES": "2"},
        {},
    ],
    ids=["by hand", "torchrun", "SLURM", "by nothing"],
)  # fmt: skip
def test_several_machines_are_waited_for_where_a_launcher_knows_them(launched, monkeypatch):
    for name in ("MASTER_ADDR", "SLURM_NTASKS", "TORCHELASTIC_RUN_ID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in launched.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(rank_zero_only, "rank", 0)  # which the trainer sets, is set back
    trainer = Trainer(accelerator="cpu", devices=1, num_nodes=2, logger=False)
    with nullcontext() if launched else pytest.raises(ConfigError, match="num_nodes=2"):
        check_nodes(trainer)


def test_an_argument_of_a_trainer_of_ones_own_is_its_own_matter():
    def make(devices: int = 1, **further: int) -> None: ...

    check_names({"_target_": "a.b", "anything": 1}, make)
    with pytest.raises(ConfigError, match=r"no max_epoch; did you mean trainer\.max_epochs"):
        check_names({"max_epoch": 1}, Trainer)


@pytest.mark.slow
def test_few_samples_are_gone_over_more_often(run_small, tmp_path):
    x = np.random.default_rng(0).normal(size=(40, 3))
    np.savez(tmp_path / "t.npz", x=x)
    metrics = run_small(
        *("model=dcsomrl", "dataset=arrays", f"dataset.path={tmp_path / 't.npz'}"),
        *("dataset.batch_size=8", "dataset.val_fraction=0", "dataset.passes=auto"),
    )
    # 32 samples are trained on: four batches, five times an epoch.
    assert (metrics["epochs"], metrics["step"]) == (2, 2 * 20)
    with pytest.raises(Exception, match=r"passes must be (a whole number of )?at least 1 or auto"):
        run_small("dataset.passes=0")


def test_sequences_longer_than_the_data_are_refused(run_small, tmp_path):
    with pytest.raises((ConfigError, DataError)):
        run_small(
            "dataset.sequence_length=2048", "dataset.batch_size=2048", "dataset.val_fraction=0"
        )
    assert not (tmp_path / "run" / "metrics.json").exists()


@pytest.mark.slow
def test_a_limit_of_time_ends_a_run_and_is_said(run_small, tmp_path, capsys):
    began = time.monotonic()
    metrics = run_small("trainer.max_epochs=100000", "+trainer.max_time=00:00:00:02")
    assert 2 <= metrics["seconds"] < time.monotonic() - began
    assert any("time limit ended the training" in one for one in metrics["warnings"])
    assert "time limit ended the training" in capsys.readouterr().out
    written = json.loads((tmp_path / "run" / "metrics.json").read_text())
    checkpoint = read_checkpoint(tmp_path / "run" / "checkpoints" / "last.ckpt")
    assert written["step"] == checkpoint["global_step"] > 0


@pytest.mark.slow
def test_a_limit_counts_anew_in_every_process(run_small):
    first = run_small("trainer.max_epochs=100000", "+trainer.max_time=00:00:00:01")
    limit = "+trainer.max_time={seconds: 1}"
    again = run_small("trainer.max_epochs=100000", limit, "ckpt_path=last")
    assert again["step"] > first["step"] + 2


def count_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock for the limit alone that goes on by a second when it is asked."""
    asks = count()
    monkeypatch.setattr(time_limit, "time", SimpleNamespace(monotonic=lambda: float(next(asks))))


@pytest.mark.slow
@pytest.mark.parametrize("after", [1, 9, 20, 21, 22, 41, 42])
def test_a_run_ended_by_its_time_goes_on_as_if_it_had_not_been(
    run_small, finished, tmp_path, monkeypatch, after
):
    """Also in the middle of an epoch of 21 steps, in its last step, and in the first."""
    count_asks(monkeypatch)
    stopped = run_small("trainer.max_epochs=3", f"+trainer.max_time={{seconds: {after}}}")
    assert 0 < stopped["step"] < 63
    monkeypatch.undo()
    run_small("trainer.max_epochs=3", "ckpt_path=last")
    folders = (tmp_path / "run", finished)
    one, two = (read_checkpoint(folder / "checkpoints" / "last.ckpt") for folder in folders)
    for part in ("state_dict", "optimizer_states", "epoch", "global_step"):
        assert same(one[part], two[part]), part
    tables = [(folder / "metrics.csv").read_bytes() for folder in folders]
    assert tables[0] == tables[1]


def test_a_run_without_an_end_may_have_a_limit_of_time(run_small, monkeypatch):
    count_asks(monkeypatch)
    metrics = run_small("trainer.max_epochs=-1", "+trainer.max_time={seconds: 60}")
    assert metrics["epochs"] > 1


@pytest.mark.parametrize("limit", ["trainer.max_epochs=2", "+trainer.max_steps=42"])
def test_dec_that_would_never_cluster_is_refused(run_small, tmp_path, limit):
    small = ("trainer=cpu", "model=dec", "model.autoencoder.hidden_dims=[16]", "model.n_init=1")
    with pytest.raises(ConfigError, match="ends before the clustering begins"):
        run_small("model.pretrain_epochs=2", limit, small=small)
    assert not (tmp_path / "run" / "checkpoints").exists()
    metrics = run_small("model.pretrain_epochs=1", limit, small=small)
    assert torch.isfinite(torch.tensor(metrics["nmi"]))
