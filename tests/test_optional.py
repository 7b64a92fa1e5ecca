"""A training without the packages that it can do without."""

import json
import subprocess

import pandas as pd
import pytest

from tests.conftest import SMALL
from tests.warm import PYTHON

pytestmark = pytest.mark.slow


def test_a_training_without_optional_packages_is_the_same_and_says_what_it_leaves_out(
    bare, run_small, tmp_path
):
    done = subprocess.run(
        [PYTHON, "-S", "-m", "dcsomrl.train", *SMALL, "name=plain"],
        cwd=tmp_path,
        env=bare.environment,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    assert "pyarrow is not installed: the assignments are written to" in done.stdout
    assert "matplotlib is not installed: no picture of the prototypes is drawn" in done.stdout
    run_dir = tmp_path / "runs" / "plain" / "seed0"
    assert {path.name for path in run_dir.iterdir() if not path.name.startswith(".")} == {
        *("assignments.csv", "checkpoints", "clusters.csv", "config.yaml", "metrics.csv"),
        *("metrics.json", "train.log"),
    }
    metrics = run_small()
    assert json.loads((run_dir / "metrics.json").read_text())["nmi"] == metrics["nmi"]
    whole = pd.read_parquet(tmp_path / "run" / "assignments.parquet")
    table = pd.read_csv(run_dir / "assignments.csv")
    assert (table["cluster"] == whole["cluster"]).all()
    # A run that goes on where pyarrow is has both.
    run_small("trainer.max_epochs=3", "ckpt_path=last", run_dir=run_dir)
    again = pd.read_parquet(run_dir / "assignments.parquet")
    assert (pd.read_csv(run_dir / "assignments.csv")["node"] == again["node"]).all()
    assert len(again) == len(table)
