import json
import subprocess
import textwrap

import pandas as pd
import pytest
import torch

from dcsomrl.checkpoints import read_checkpoint
from tests.conftest import SMALL
from tests.networks.two_processes import TWO
from tests.ranks import start_ranks

pytestmark = pytest.mark.slow

# In double precision, so that the order of sums over processes does not grow into a difference.
SETTINGS = ("trainer.max_epochs=2", "trainer.precision=64-true", "dataset.batch_size=60")
NARROW = ("model.autoencoder.hidden_dims=[16]", "model.autoencoder.latent_dim=5")
MODELS = {
    "dcsomrl": SMALL[2:],
    "neighbor_somrl": (*NARROW, "callbacks=refresh_neighbors"),
    "desom": NARROW,
    "dec": (*NARROW, "model.pretrain_epochs=1", "model.n_init=2", "model.update_interval=5"),
    "som": (),
    "somrl": (),
}
# Not a sum over samples: the deviation of the codes, the loss by a target from the batch's own q.
OF_A_BATCH = {
    "dcsomrl": ["train/latent_spread", "val/latent_spread"],
    "neighbor_somrl": [
        *("train/latent_spread", "val/latent_spread", "val/loss", "val/neighbors"),
        *("train/reconstruction", "val/reconstruction", "train/loss"),
    ],
    "dec": ["val/loss", "val/clustering"],
}


@pytest.mark.parametrize("model", MODELS)
def test_two_processes_train_what_one_does(model, cli, run_small, tmp_path):
    run = (f"model={model}", *MODELS[model], *SETTINGS)
    one = run_small(run_dir=tmp_path / "one", small=("trainer=cpu", *run))
    two_cpus = ("trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2")
    done = cli("train", *two_cpus, *run, f"hydra.run.dir={tmp_path / 'two'}")
    assert done.returncode == 0, done.stderr
    assert "has died" not in done.stderr
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
        pd.read_csv(tmp_path / name / "metrics.csv").drop(columns=OF_A_BATCH.get(model, []))
        for name in ("one", "two")
    ]
    pd.testing.assert_frame_equal(*tables, rtol=1e-6, check_exact=False)


# Counts the collective operations that the code of this package asks for within the steps.
COUNTED = """
    import json, os, sys
    from collections import Counter
    from pathlib import Path
    import torch
    from pytorch_lightning import Callback
    from dcsomrl.train import main
    from tests.maps.test_somrl_engine import COLLECTIVES, counting

    counted, folder = Counter(), Path(sys.argv.pop(1))

    class Count(Callback):
        def on_train_start(self, trainer, pl_module):
            for name in COLLECTIVES:
                setattr(torch.distributed, name, counting(name, counted))

        def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
            counted.clear()

        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            with (folder / os.environ["LOCAL_RANK"]).open("a") as file:
                print(json.dumps(counted), file=file)

    main()
"""


def test_a_step_of_the_training_has_one_all_reduce_beside_those_of_the_gradients(tmp_path):
    # DDP's own, of the gradients, do not go through Python.
    count = "+callbacks.count={_target_: __main__.Count}"
    settings = (*TWO, *SMALL[2:], "trainer.max_epochs=1", count)
    rank = ("-c", textwrap.dedent(COUNTED), str(tmp_path), *settings)
    run_dir = f"hydra.run.dir={tmp_path / 'run'}"
    ranks = start_ranks((*rank, run_dir), (*rank, run_dir), stderr=subprocess.PIPE)
    said = [one.communicate(timeout=200)[1] for one in ranks]
    assert [one.returncode for one in ranks] == [0, 0], said
    for number in range(2):
        steps = (tmp_path / str(number)).read_text().splitlines()
        assert len(steps) > 5
        assert set(steps) == {'{"all_reduce": 1}'}


def test_what_learns_sample_by_sample_takes_one_process(cli):
    done = cli("train", "trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2",
               "model=larfdssom")  # fmt: skip
    assert done.returncode != 0
    assert "error: LARFDSSOM learns sample by sample" in done.stderr
