"""What a stranger sees first: the names of the package, and the commands under one name."""

import json
import pkgutil
import subprocess
import sys

import pytest

import dcsomrl
from dcsomrl.__main__ import COMMANDS
from tests.conftest import SMALL
from tests.warm import PYTHON

pytestmark = pytest.mark.slow


def python(*arguments: str) -> subprocess.CompletedProcess:
    """In a process that starts from nothing, as a user's does."""
    return subprocess.run([PYTHON, *arguments], capture_output=True, text=True, timeout=120)


def test_every_name_can_be_had_and_is_listed():
    for name in dcsomrl.__all__:
        assert getattr(dcsomrl, name).__name__ == name
        assert name in dir(dcsomrl)
    with pytest.raises(AttributeError, match="no attribute 'SOM'"):
        _ = dcsomrl.SOM
    assert dcsomrl.__all__ == sorted(dcsomrl.__all__, key=lambda name: (not name.isupper(), name))


def test_a_model_can_be_put_together_from_the_names_of_the_package(tmp_path):
    script = """
import torch, dcsomrl as d
losses = {"reconstruction": d.Reconstruction(relative=True), "near": d.NeighborContrast(),
          "map": d.RelevanceDistance(), "views": d.Consistency()}
x, views = torch.rand(64, 1, 8, 8), d.Augmentation()
data = d.ClusterData(x, neighbors=d.Neighbors(2), augmentation=views)
model = d.DCSOMRL(d.MLPAutoencoder((1, 8, 8), 3, [8]), d.SOMRL(3), losses=losses)
data.setup()
print(sorted(model.losses), d.score(model, data.split_dataloader("test"), 0)[0]["nodes"])
"""
    done = python("-c", script)
    assert done.stdout.startswith("['map', 'near', 'reconstruction', 'views']"), done.stderr


@pytest.mark.parametrize(
    "path",
    [
        "dcsomrl.data.ClusterData",
        "dcsomrl.data.datamodule.ClusterData",
        "dcsomrl.data.files.arrays",
        "dcsomrl.data.files.Features",
        "dcsomrl.data.files.Reading",
        "dcsomrl.data.tables.Roles",
        "dcsomrl.data.tables.Table",
    ],
)
def test_what_files_and_pickles_name_is_where_they_name_it(path):
    assert pkgutil.resolve_name(path).__name__ == path.rpartition(".")[2]


def test_the_package_is_imported_without_what_it_does_not_need():
    script = "import dcsomrl, sys; print(*sys.modules)"
    loaded = python("-c", script).stdout.split()
    assert "dcsomrl" in loaded
    assert not {"torch", "pytorch_lightning", "hydra", "numpy"} & set(loaded)


# Runs a command and says whether what takes seconds to import was imported.
COMMAND = """
import runpy, sys
sys.argv = ["dcsomrl", *sys.argv[2:]] if sys.argv[1] == "" else sys.argv[1:]
name = sys.argv[0]
try:
    runpy.run_module(f"dcsomrl.{name}", run_name="__main__", alter_sys=True)
except SystemExit as ended:
    print("status", ended.code)
print("heavy", [m for m in ("torch", "pytorch_lightning", "pandas") if m in sys.modules])
"""


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_answered_without_torch(command):
    done = python("-c", COMMAND, command, "--help")
    assert f"python -m dcsomrl.{command}" in done.stdout
    assert "heavy []" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "datset=mnist"], "did you mean dataset?"),
        (["train", "dataset=mnsit"], "did you mean dataset=mnist?"),
        (["train", "experiment=nope"], "there is no experiment=nope"),
        (["train", "model.alpah=1"], "did you mean model.alpha?"),
        (["predict", "inptu=x"], "did you mean input?"),
        (["evaluate", "ckpt=nowhere"], "there is no checkpoint at nowhere: check the path"),
        (["predict", "ckpt=nowhere", "input=x"], "there is no checkpoint at nowhere: check"),
        (["export", "run=nowhere"], "no checkpoint at nowhere/checkpoints/last.ckpt"),
        (["report", "run=nowhere"], "nowhere has no metrics.json: give the folder of a run"),
        (["report", "run=[nowhere,there]"], "nowhere has no metrics.json: give the folder"),
    ],
)
def test_a_mistake_is_answered_without_torch(arguments, said):
    done = python("-c", COMMAND, *arguments)
    assert said in done.stderr
    assert "heavy []" in done.stdout


def test_commands_are_listed_with_what_they_do():
    for arguments in ([], ["--help"]):
        done = python("-m", "dcsomrl", *arguments)
        assert done.returncode == 0
        for command in COMMANDS:
            assert f"\n  {command} " in done.stdout
    assert "train        Train a model on a dataset" in done.stdout
    assert python("-m", "dcsomrl", "--version").stdout == f"dcsomrl {dcsomrl.__version__}\n"


def test_an_unknown_command_is_answered_with_the_nearest():
    done = python("-m", "dcsomrl", "tarin")
    assert done.returncode == 2
    assert "there is no command tarin; did you mean train?" in done.stderr


def test_a_command_is_the_module_of_its_name(cli, tmp_path):
    small = [*SMALL, "trainer.max_epochs=1"]
    one = subprocess.run(
        [sys.executable, "-m", "dcsomrl", "train", *small, "name=one"],
        cwd=tmp_path, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert one.returncode == 0, one.stderr
    two = cli("train", *small, "name=two")
    assert two.returncode == 0, two.stderr
    metrics = [
        json.loads((tmp_path / "runs" / name / "seed0" / "metrics.json").read_text())
        for name in ("one", "two")
    ]
    for found in metrics:
        del found["seconds"]
    assert metrics[0] == metrics[1]
    assert (tmp_path / "runs" / "one" / "seed0" / "train.log").exists()
