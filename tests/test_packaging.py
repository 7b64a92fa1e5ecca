"""The wheel by itself: configuration inside, entry point from an unrelated folder."""

import ast
import json
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.conftest import SMALL
from tests.warm import PYTHON

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [PYTHON, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT],
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    return next(folder.glob("*.whl"))


def test_the_wheel_carries_code_and_configuration_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    inside = {name for name in names if ".dist-info/" not in name}
    code = [
        file
        for ending in (".py", "py.typed", ".html", ".css", ".js", ".ckpt")
        for file in ROOT.glob(f"dcsomrl/**/*{ending}")
    ]
    expected = {str(file.relative_to(ROOT)) for file in code} | {
        f"dcsomrl/{file.relative_to(ROOT)}" for file in (ROOT / "conf").rglob("*.yaml")
    }
    plugins = {name for name in expected if name.startswith("dcsomrl/plugins/")}
    expected = expected - plugins | {name.removeprefix("dcsomrl/plugins/") for name in plugins}
    assert inside == expected


def normalise(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~ ]", requirement)[0]).lower()


def test_what_is_imported_is_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    declared = {normalise(one) for group in groups for one in group}
    known, imported = packages_distributions(), {}
    for file in (ROOT / "dcsomrl").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            else:
                continue
            imported |= {name.split(".")[0]: file for name in names}
    own = {"dcsomrl", "hydra_plugins", *sys.stdlib_module_names}
    undeclared = {
        name: str(file)
        for name, file in imported.items()
        if name not in own
        # What is not installed goes by its own name, but for one.
        and not {
            normalise(one) for one in known.get(name, [{"umap": "umap-learn"}.get(name, name)])
        }
        & declared
    }
    assert undeclared == {}


def test_an_installed_wheel_trains_from_an_unrelated_folder(wheel, tmp_path):
    venv.create(tmp_path / "venv", with_pip=False)
    python = tmp_path / "venv" / "bin" / "python"
    site = Path(
        subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    )
    install = [PYTHON, "-m", "pip", "--python", python, "install", "--quiet"]
    subprocess.run([*install, "--no-index", "--no-deps", wheel], check=True)
    # What it needs is lent by this environment, whose own editable install stays out of sight.
    (site / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    where = subprocess.run(
        [python, "-c", "import dcsomrl; print(dcsomrl.__file__)"],
        cwd=elsewhere,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert where.stdout.startswith(str(site)), where.stderr

    # A search finds its plugin as well, and its one point is a training.
    searched = ("search=default", "hydra.sweeper.n_trials=1", "model.alpha=interval(0.01,1)")
    done = subprocess.run(
        [python, "-m", "dcsomrl.train", "-m", *SMALL, *searched],
        cwd=elsewhere,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "run directory: " in done.stdout
    folder = elsewhere / "runs" / "search" / "default-dcsomrl-digits"
    assert (folder / "trials.csv").exists()
    (metrics,) = folder.rglob("metrics.json")
    assert json.loads(metrics.read_text())["epochs"] == 2


def test_the_locked_versions_are_within_what_is_declared():
    lines = (ROOT / "experiments" / "requirements.lock").read_text().splitlines()
    locked = [Requirement(line) for line in lines if not line.startswith("#")]
    versions = {one.name: str(one.specifier).removeprefix("==") for one in locked}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    lines = project["dependencies"] + [
        line for name in ("train", "umap", "neighbors") for line in extras[name]
    ]
    for needed in map(Requirement, lines):
        if needed.name == project["name"]:  # an extra that takes in another
            continue
        assert needed.specifier.contains(versions[needed.name]), needed
