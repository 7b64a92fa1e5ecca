"""The examples of the documentation, run as they stand."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dcsomrl.app import config_dir
from dcsomrl.checkpoints import read_checkpoint
from dcsomrl.metrics.catalogue import describe

TOP = config_dir().parent
pytestmark = pytest.mark.skipif(
    not (TOP / "docs").is_dir(), reason="the documentation is not part of an installed package"
)


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)


def test_what_is_ones_own_trains_and_resumes(cli, tmp_path):
    page = TOP / "docs" / "extending.md"
    for block in (*blocks(page, "python"), *blocks(page, "yaml")):
        name, _, content = block.partition("\n")
        file = tmp_path / name.removeprefix("# ")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    commands = [block.split()[3:] for block in blocks(page, "sh")]
    names = ["train", "train", "evaluate", "train", "train"]
    assert [one[0] for one in commands] == [f"dcsomrl.{name}" for name in names]
    *commands, evaluation, network, loss = commands
    for command in commands:
        arguments = [*command[1:], "trainer=cpu", "trainer.max_epochs=2"]
        done = cli("train", *arguments, PYTHONPATH=f".:{TOP}")
        assert done.returncode == 0, done.stderr
    longer = [*commands[1][1:], "trainer=cpu", "trainer.max_epochs=30", "ckpt_path=last"]
    done = cli("train", *longer, PYTHONPATH=f".:{TOP}")
    assert done.returncode == 0, done.stderr
    metrics = json.loads((tmp_path / "runs/quantizer-rings/seed0/metrics.json").read_text())
    assert metrics["nodes"] == 16
    assert metrics["purity"] > 0.9
    assert metrics["epochs"] == 30
    done = cli("evaluate", *evaluation[1:], PYTHONPATH=f".:{TOP}")
    assert done.returncode == 0, done.stderr
    done = cli("evaluate", *evaluation[1:-1], PYTHONPATH=f".:{TOP}")
    assert "trust=[quantizer]" in done.stderr.splitlines()[-1]
    done = cli("train", *network[1:], "trainer=cpu", "trainer.max_epochs=2", PYTHONPATH=f".:{TOP}")
    assert done.returncode == 0, done.stderr
    state = read_checkpoint(tmp_path / "runs/normalized/seed0/checkpoints/last.ckpt")["state_dict"]
    assert state["autoencoder.encoder.2.running_mean"].shape == (32,)
    done = cli("train", *loss[1:], "trainer=cpu", "trainer.max_epochs=2", PYTHONPATH=f".:{TOP}")
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "runs/decorrelated/seed0/metrics.csv")
    terms = ("reconstruction", "clustering", "decorrelation")
    for part in ("train", "val"):
        one, two, three = (table[f"{part}/{name}"] for name in terms)
        np.testing.assert_allclose(
            table[f"{part}/loss"], one + 0.1 * two + 0.02 * three, rtol=1e-4, err_msg=part
        )


def test_the_examples_in_python_run(run_small, tmp_path, monkeypatch):
    run_small(run_dir=tmp_path / "runs/dcsomrl-digits/seed0")
    monkeypatch.chdir(tmp_path)
    found: dict = {}
    for block in blocks(TOP / "README.md", "python"):
        exec(block, found)  # what a reader would type
    assert found["found"].winner.shape == (1797,)
    assert 0.3 < found["scores"]["purity"] <= 1
    assert found["winner"].shape == (1000,)


def test_the_table_of_measures_is_the_catalogues():
    assert f"\n\n{describe()}\n" in (TOP / "docs" / "results.md").read_text()
