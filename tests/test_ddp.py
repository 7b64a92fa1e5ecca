import json

import pandas as pd
import pytest
import torch

from dcsomrl.checkpoints import read_checkpoint
from tests.conftest import SMALL

# In double precision, so that the order of sums over processes does not grow into a difference.
RUN = (*SMALL, "trainer.precision=64-true", "dataset.batch_size=60")


def test_two_processes_train_what_one_does(cli, run_small, tmp_path):
    one = run_small(*RUN[len(SMALL) :], run_dir=tmp_path / "one")
    done = cli(
        "train",
        "trainer=ddp",
        *RUN[1:],
        "trainer.accelerator=cpu",
        "trainer.devices=2",
        f"hydra.run.dir={tmp_path / 'two'}",
    )
    assert done.returncode == 0, done.stderr
    two = json.loads((tmp_path / "two" / "metrics.json").read_text())
    states = [
        read_checkpoint(tmp_path / name / "checkpoints" / "last.ckpt") for name in ("one", "two")
    ]
    assert states[0]["global_step"] == states[1]["global_step"]
    for name, value in states[0]["state_dict"].items():
        torch.testing.assert_close(value, states[1]["state_dict"][name], msg=name)
    for name in ("purity", "nmi", "nodes", "nodes_used"):
        assert two[name] == pytest.approx(one[name]), name
    tables = [
        # The deviation of the codes is that within a process's own part of the batch.
        pd.read_csv(tmp_path / name / "metrics.csv").drop(
            columns=["train/latent_spread", "val/latent_spread"]
        )
        for name in ("one", "two")
    ]
    pd.testing.assert_frame_equal(*tables, rtol=1e-6, check_exact=False)
