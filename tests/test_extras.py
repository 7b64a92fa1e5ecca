"""An installation without extras: what works in it, and what is said of the rest."""

import json
import os
import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterable
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import numpy as np
import pytest
from hydra.utils import instantiate
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from sklearn.datasets import load_iris

from dcsomrl import GrowingSOM
from dcsomrl.__main__ import COMMANDS
from dcsomrl.extras import TRAIN, explain_absence
from dcsomrl.mistakes import explain
from tests.warm import PYTHON

ROOT = Path(__file__).parent.parent
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = SETTINGS["project"]
INSTALL = 'pip install "dcsomrl[train]"'


def follow(requirements: Iterable[str]) -> set[str]:
    """Names of the distributions that requirements bring, as they are installed here."""
    found: set[tuple[str, ...]] = set()
    ahead = [(Requirement(line), ("",)) for line in requirements]
    while ahead:
        one, extras = ahead.pop()
        if one.marker and not any(one.marker.evaluate({"extra": extra}) for extra in extras):
            continue
        key = (canonicalize_name(one.name), *sorted(one.extras))
        if key not in found:
            found.add(key)
            further = distribution(one.name).requires or []
            ahead += [(Requirement(line), ("", *one.extras)) for line in further]
    return {name for name, *_ in found}


@pytest.fixture(scope="session")
def core(tmp_path_factory):
    """A Python with the distributions that ``dependencies`` brings, lent by this environment."""
    folder = tmp_path_factory.mktemp("core")
    venv.create(folder, with_pip=False)
    (site,) = folder.glob("lib/python*/site-packages")
    for name in follow(PROJECT["dependencies"]):
        lent = distribution(name)
        for entry in {file.parts[0] for file in lent.files or []} - {"..", "__pycache__"}:
            if not (site / entry).exists() and not entry.endswith(".pth"):
                (site / entry).symlink_to(Path(str(lent.locate_file(entry))))
    (site / "dcsomrl.pth").write_text(f"{ROOT}\n")
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    environment["OMP_NUM_THREADS"] = "1"

    def run(*arguments: str, cwd: Path = folder) -> subprocess.CompletedProcess:
        return subprocess.run(
            [folder / "bin" / "python", *arguments],
            cwd=cwd,
            env=environment,
            capture_output=True,
            text=True,
            timeout=200,
        )

    return run


def test_what_an_extra_brings_is_known_by_what_is_imported():
    core = follow(PROJECT["dependencies"])
    lines = PROJECT["optional-dependencies"]["train"]
    extra = {canonicalize_name(Requirement(line).name) for line in lines}
    assert not extra & core
    provided = {
        module: {canonicalize_name(name) for name in names}
        for module, names in packages_distributions().items()
    }
    assert {name for module in TRAIN for name in provided[module]} == extra
    (contract,) = [
        one for one in SETTINGS["tool"]["importlinter"]["contracts"] if "no extra" in one["name"]
    ]
    assert tuple(contract["forbidden_modules"]) == TRAIN


PROGRAM = """
import json, sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from pytorch_lightning import Trainer
from sklearn.datasets import load_iris

import dcsomrl as d
from dcsomrl.data import files, images, sources, stream_files
from dcsomrl.extras import TRAIN

folder = Path.cwd()
found = {"there": [name for name in TRAIN if find_spec(name)]}
for name in d.__all__:
    getattr(d, name)

som = d.SOMRL(n_features=5, activation_threshold=0.98).train()
som(torch.rand(100, 5))
found["nodes"] = len(som.prototypes())

rows = load_iris().data
found["clusters"] = d.GrowingSOM(max_epochs=2, random_state=0).fit(rows).predict(rows).tolist()
found["deep"] = len(d.DeepSOM(max_epochs=1, random_state=0).fit_predict(rows))

data = d.ClusterData(sources.digits, "digits", batch_size=64, neighbors=d.Neighbors(2))
model = d.DCSOMRL(
    d.MLPAutoencoder((1, 8, 8), 5, [16]), d.SOMRL(5),
    losses={"map": d.RelevanceDistance(), "rec": d.Reconstruction(), "near": d.NeighborContrast()},
)
trainer = Trainer(
    max_epochs=1, limit_train_batches=1, accelerator="cpu", logger=False,
    enable_checkpointing=False, enable_progress_bar=False,
)
before = [one.clone() for one in model.autoencoder.parameters()]
trainer.fit(model, datamodule=data)
found["trained"] = any(
    (a != b).any().item() for a, b in zip(before, model.autoencoder.parameters())
)
found["scored"] = d.score(model, data.split_dataloader("test"), 10)[0]["purity"]

trained = d.load("fashion")
with torch.no_grad():
    black = torch.zeros(3, 1, 28, 28, dtype=torch.uint8)
    shown = trained.model.cluster(trained.data.transform(black))
found["loaded"] = shown.winner.tolist()
d.load("usps")

(folder / "table.csv").write_text("a,b\\n" + "\\n".join(f"{i},{i % 7}" for i in range(40)))
found["table"] = list(files.arrays(str(folder / "table.csv")).train_x.shape)
(folder / "images").mkdir()
for i in range(10):
    noise = np.random.default_rng(i).integers(0, 256, (8, 8)).astype("uint8")
    Image.fromarray(noise).save(folder / "images" / f"{i}.png")
found["images"] = len(images.images(str(folder / "images")).train_x)

np.save(folder / "rows.npy", np.random.default_rng(0).random((200, 3), np.float32))
found["stream"] = list(stream_files.stream(str(folder / "rows.npy")).train_x.shape)


def attempt(what):
    try:
        what()
    except d.MissingPackageError as error:
        return str(error)
    return "nothing"


def draw():
    from dcsomrl.figures.drift import draw_drift

def report():
    from dcsomrl.reporting.page import write_report

def command():
    from dcsomrl.report import report

def search():
    from dcsomrl.search import LatinHypercube

def correct():
    from dcsomrl.analysis.holm import correct_p_values
    correct_p_values([0.1])

for name in ("table.parquet", "usps.h5"):
    (folder / name).write_bytes(b"PAR1")
found["said"] = {
    "pyarrow": attempt(lambda: files.arrays(str(folder / "table.parquet"))),
    "pyarrow of a stream": attempt(lambda: stream_files.stream(str(folder / "table.parquet"))),
    "h5py": attempt(lambda: sources.usps(str(folder / "usps.h5"))),
    "matplotlib": attempt(draw),
    "matplotlib of a report": attempt(report),
    "omegaconf of a command": attempt(command),
    "optuna of a search": attempt(search),
    "statsmodels": attempt(correct),
}
print(json.dumps(found))
"""


@pytest.mark.slow
def test_maps_models_estimators_and_data_need_no_extra_and_say_what_does(core, tmp_path):
    done = core("-c", PROGRAM, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["there"] == []
    assert found["nodes"] >= 1
    assert found["trained"]
    assert 0 < found["scored"] <= 1
    assert found["deep"] == 150
    assert len(found["loaded"]) == 3
    assert found["table"][1] == 2
    assert found["images"] == 8
    assert found["stream"] == [200, 3]
    # What the extra brings changes no result.
    rows = load_iris().data
    np.testing.assert_array_equal(
        found["clusters"], GrowingSOM(max_epochs=2, random_state=0).fit(rows).predict(rows)
    )
    for name, said in found["said"].items():
        package = name.partition(" ")[0]
        assert said == f"{package} is not installed, which this needs: {INSTALL}", name


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_says_what_installs_it(core, command):
    for arguments in ((f"dcsomrl.{command}",), ("dcsomrl", command, "seed=1")):
        done = core("-m", *arguments)
        assert done.returncode == 2
        assert done.stdout == ""
        assert done.stderr == f"error: omegaconf is not installed, which this needs: {INSTALL}\n"


def test_the_commands_are_listed_without_the_extra(core):
    done = core("-m", "dcsomrl")
    assert done.returncode == 0, done.stderr
    assert "train        Train a model on a dataset" in done.stdout


# A command in a process that does not find a package, as where it is not installed.
COMMAND = """
import runpy, sys
from importlib.machinery import PathFinder

lacking, *sys.argv = sys.argv[1:]

class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, *rest):
        return None if name == lacking else PathFinder.find_spec(name, *rest)

sys.meta_path[sys.meta_path.index(PathFinder)] = Without
runpy.run_module(f"dcsomrl.{sys.argv[0]}", run_name="__main__", alter_sys=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lacking", "arguments"),
    [
        ("matplotlib", ("report", "run=here")),
        ("rich", ("predict", "ckpt=fashion", "input=here")),
        ("pyarrow", ("predict", "ckpt=fashion", "input=here")),
        ("optuna", ("train", "-m", "search=default", "model.alpha=interval(0.1,1)")),
    ],
)
def test_a_command_says_what_it_lacks_of_the_extra(tmp_path, lacking, arguments):
    (tmp_path / "here" / "checkpoints").mkdir(parents=True)
    for name in ("metrics.json", "config.yaml", "checkpoints/last.ckpt"):
        (tmp_path / "here" / name).write_text("{}")
    done = subprocess.run(
        [PYTHON, "-c", COMMAND, lacking, *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 2, done.stderr
    said = f"error: {lacking} is not installed, which this needs: {INSTALL}"
    assert done.stderr.splitlines()[-1] == said
    assert "Traceback" not in done.stderr


def test_what_hydra_cannot_import_for_want_of_the_extra_is_said(tmp_path, monkeypatch):
    (tmp_path / "wanting.py").write_text("import optuna\n\nclass Thing: ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(Exception, match="wanting") as raised:
        instantiate({"_target_": "wanting.Thing"})
    said = explain(raised.value, "train", [])
    assert said == f"optuna is not installed, which this needs: {INSTALL}"


def test_other_absences_are_left_as_they_are():
    for name in ("no_such_package", "optuna.no_such_module"):
        with pytest.raises(ModuleNotFoundError) as raised:
            __import__(name)
        assert explain_absence(raised.value) is None
    assert explain_absence(None) is None
