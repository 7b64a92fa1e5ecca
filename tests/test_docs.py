"""The examples of the documentation, run as they stand."""

import importlib.util
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import fowlkes_mallows_score

from dcsomrl.checkpoints import read_checkpoint
from dcsomrl.configuration import compose_config, find_config_dir
from dcsomrl.data import files, images, stream_files
from dcsomrl.data.sources import digits
from dcsomrl.keys import list_keys
from dcsomrl.metrics.catalogue import describe
from tests.conftest import SMALL, read_test_split

TOP = find_config_dir().parent
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (TOP / "docs").is_dir(),
        reason="the documentation is not part of an installed package",
    ),
]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)


def write_files(page: Path, folder: Path) -> None:
    """The files that a page names in the first lines of its blocks."""
    for block in (*blocks(page, "python"), *blocks(page, "yaml")):
        name, _, content = block.partition("\n")
        file = folder / name.removeprefix("# ")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)


def test_what_is_ones_own_trains_and_resumes(cli, tmp_path):
    page = TOP / "docs" / "extending.md"
    write_files(page, tmp_path)
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
    run_small(run_dir=tmp_path / "runs/neighbor_somrl-digits/seed0")
    monkeypatch.chdir(tmp_path)
    found: dict = {}
    for page in (TOP / "README.md", TOP / "docs" / "using.md"):
        for block in blocks(page, "python"):
            exec(block, found)  # what a reader would type
    assert found["found"].winner.shape == (1797,)
    assert 0.3 < found["scores"]["purity"] <= 1
    assert found["winner"].shape == (1000,)


@pytest.mark.timeout(900)
def test_the_tutorials_run(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found: dict = {}
    page = (TOP / "docs" / "tutorials.md").read_text()
    for language, block in re.findall(r"```(python|sh)\n(.*?)```", page, re.DOTALL):
        if language == "python":
            exec(block, found)
            continue
        for line in block.splitlines():
            command, *arguments = line.split()[2:]
            epochs = [one for one in arguments if one.startswith("trainer.max_epochs")]
            if command == "dcsomrl.train":
                shorter = "trainer.max_epochs=3" if epochs else "trainer.max_epochs=2"
                arguments = [one for one in arguments if one not in epochs]
                arguments += ["trainer=cpu", shorter]
            if command == "dcsomrl.report":
                arguments.append("embedding=pca")
            done = cli(command.removeprefix("dcsomrl."), *arguments, PYTHONPATH=str(TOP))
            assert done.returncode == 0, (line, done.stderr)
    assert found["three"]["cluster"].nunique() <= 3
    assert len(found["bottles"]) == 178
    assert found["given"]["code"].shape == (4, 22)
    assert found["served"] == found["given"]["cluster"].tolist()
    assert len(pd.read_csv("one.csv")) == 1
    assert len(found["trials"]) == 4
    assert Path("runs/wine-best/seed0/metrics.json").exists()
    assert (
        json.loads(Path("runs/neighbor_somrl-wine/seed0/metrics.json").read_text())["epochs"] == 3
    )


def test_the_readme_is_short():
    lines = (TOP / "README.md").read_text().splitlines()
    assert len(lines) <= 150
    assert max(map(len, lines)) <= 180


def test_the_examples_for_data_of_ones_own_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found: dict = {}
    for block in blocks(TOP / "docs" / "data.md", "python"):
        exec(block, found)
    found["data"].setup("fit")
    assert len(found["data"].arrays.test_x) == 10


def test_every_setting_of_a_source_is_in_the_page_on_data():
    page = (TOP / "docs" / "data.md").read_text()
    for source in (files.arrays, images.images, stream_files.stream):
        told = {"path", "target", "feature_names", "in_memory_limit", "test_path", "test_fraction"}
        for name in set(inspect.signature(source).parameters) - told:
            assert f"`{name}`" in page or f"source.{name}`" in page, name


def test_every_setting_that_the_documentation_gives_a_value_exists(tmp_path):
    known: set[str] = set()
    models = [f"model={file.stem}" for file in (find_config_dir() / "model").glob("*.yaml")]
    further = ["dataset=arrays", "dataset=images", "dataset=stream", "trainer=slurm"]
    further += ["callbacks=history", "callbacks=refresh_neighbors"]
    for choice in (*models, *further):
        given = [choice, "neighbors=nearest", "augmentation=in_place", "autoencoder=mlp"]
        known |= set(list_keys(compose_config("train", given, tmp_path)))
    known |= set(list_keys(compose_config("predict", ["ckpt=a", "input=b"], tmp_path)))
    unknown = []
    # What extending.md gives values is the reader's own, and runs in a test above.
    for page in (TOP / "README.md", *(TOP / "docs").glob("[!e]*.md")):
        text = re.sub(r"```(python|yaml|text)\n.*?```", "", page.read_text(), flags=re.DOTALL)
        found = set(re.findall(r"(?<![\w.+/@])([a-z_]+(?:\.[a-z_]+)+)=", text)) - known
        unknown += [key for key in found if not key.startswith(("hydra.", "logger."))]
    assert not unknown


def test_the_table_of_measures_is_of_the_catalogue():
    (table,) = re.findall(
        r"(?<=\n\n)\| key \| range .*?(?=\n\n)",
        (TOP / "docs" / "results.md").read_text(),
        re.DOTALL,
    )
    rows = table.splitlines()
    assert len(rows) > 20
    # A measure of one's own need not be in it.
    assert set(rows) <= set(describe().splitlines())


def test_a_measure_and_a_figure_are_a_file_and_a_line_in_the_package(tmp_path):
    page = TOP / "docs" / "extending.md"
    for name in ("dcsomrl", "conf"):
        shutil.copytree(TOP / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    write_files(page, tmp_path)
    measure, figure = blocks(page, "text")
    for file, start, line in (
        ("metrics/catalogue.py", "CATALOGUE = (\n", measure),
        ("reporting/sections/__init__.py", "NAMES = (\n", figure),
    ):
        path = tmp_path / "dcsomrl" / file
        path.write_text(path.read_text().replace(start, f"{start}    {line}"))

    # Both commands in one process, which starts from nothing: the package is a copy.
    both = (
        "import sys; from dcsomrl import report, train; train.main();"
        "sys.argv[1:] = ['run=runs/own/seed0', 'embedding=pca']; report.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", both, *SMALL, "name=own"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "runs" / "own" / "seed0"
    metrics = json.loads((folder / "metrics.json").read_text())
    clusters = read_test_split(folder)["node"]
    assert metrics["fowlkes_mallows"] == pytest.approx(
        fowlkes_mallows_score(digits().test_y, clusters), abs=1e-6
    )
    assert "val/fowlkes_mallows" in (folder / "metrics.csv").read_text()
    measures = json.loads((folder / "report" / "measures.json").read_text())
    assert measures["most_wins"] == clusters.value_counts().iloc[0]
    assert "Use of the nodes" in (folder / "report" / "report.html").read_text()


def test_the_names_that_the_migration_page_gives_are_there():
    rows = re.findall(r"^\|(.*)\|(.*)\|$", (TOP / "docs" / "migration.md").read_text(), re.M)
    named = [name for _, now in rows for name in re.findall(r"`(dcsomrl(?:\.\w+)+)", now)]
    assert len(named) > 10
    for name in named:
        module, _, last = name.rpartition(".")
        found = importlib.util.find_spec(name) if module == "dcsomrl" else None
        assert found or hasattr(importlib.import_module(module), last), name
