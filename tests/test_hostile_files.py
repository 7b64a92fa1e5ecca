"""A checkpoint or a kept search that names something else than a model makes nothing run."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from dcsomrl.checkpoints import read_checkpoint
from dcsomrl.configuration import compose_config, find_config_dir
from dcsomrl.construction import build
from dcsomrl.data.files import arrays
from dcsomrl.errors import CheckpointError, ConfigError, DataError
from dcsomrl.evaluate import evaluate
from dcsomrl.inputs import LAST
from dcsomrl.kept import check_kept
from dcsomrl.loading import load
from dcsomrl.models import DCSOMRL
from dcsomrl.predict import predict
from dcsomrl.report import report
from dcsomrl.train import train
from tests.conftest import SMALL

pytestmark = pytest.mark.slow

EVIL = {
    "os": {"_target_": "os.system", "command": "touch pwned"},
    "builtins": {"_target_": "builtins.exec", "_args_": ["open('pwned', 'w')"]},
    "pandas": {"_target_": "pandas.read_pickle", "filepath_or_buffer": "evil.pkl"},
    "joblib": {"_target_": "joblib.load", "filename": "evil.pkl"},
    "torch": {"_target_": "torch.load", "f": "evil.pkl", "weights_only": False},
    "numpy": {"_target_": "numpy.load", "file": "evil.pkl", "allow_pickle": True},
    "sympy": {"_target_": "sympy.sympify", "a": "__import__('os').system('touch pwned')"},
    "pickle": {"_target_": "pickle.loads", "data": "cos\nsystem\n(S'touch pwned'\ntR."},
    "through an import of ours": {
        "_target_": "dcsomrl.data.tables.pd.read_pickle",
        "filepath_or_buffer": "evil.pkl",
    },
    "through torch.nn": {"_target_": "torch.nn.init.torch.load", "f": "evil.pkl"},
    "through a module's globals": {"_target_": "dcsomrl.app.os.system", "command": "touch pwned"},
    "a function of ours that moves files": {
        "_target_": "dcsomrl.training.results.set_aside",
        "run_dir": ".",
    },
    "a class of ours that writes": {
        "_target_": "dcsomrl.training.tables.GrowingTable",
        "path": "pwned",
        "key": "x",
    },
    "a class of ours by another way": {
        "_target_": "dcsomrl.models.DCSOMRL.load_from_checkpoint",
        "checkpoint_path": "evil.pkl",
    },
    "instantiate itself": {
        "_target_": "hydra.utils.instantiate",
        "config": {"_target_": "os.system", "command": "touch pwned"},
    },
    "a module beside": {"_target_": "evil_module.anything"},
    "no path": {"_target_": ["os", "system"]},
    "nowhere": {"_target_": "dcsomrl.models.Nothing"},
}


class Pickled:
    """Leaves a file where it is unpickled."""

    def __reduce__(self):
        return (open, ("pwned", "w"))


@pytest.fixture(autouse=True)
def in_a_folder_with_traps(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    torch.save(Pickled(), "evil.pkl")
    (tmp_path / "evil_module.py").write_text("open('pwned', 'w')\n")
    yield
    assert not (tmp_path / "pwned").exists()
    assert "evil_module" not in sys.modules


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A checkpoint of a short run."""
    run_dir = tmp_path_factory.mktemp("run")
    train(compose_config("train", [*SMALL, "trainer.max_epochs=1"], run_dir))
    return run_dir / "checkpoints" / "last.ckpt"


def altered(trained, place, value):
    """The checkpoint with another value somewhere in its configuration."""
    checkpoint = read_checkpoint(trained)
    node = checkpoint["dcsomrl"]["config"]
    for key in place[:-1]:
        node = node[key]
    node[place[-1]] = value
    torch.save(checkpoint, "altered.ckpt")
    return "altered.ckpt"


@pytest.mark.parametrize("evil", EVIL.values(), ids=EVIL.keys())
@pytest.mark.parametrize(
    "place",
    [
        ("model",),
        ("model", "autoencoder"),
        ("model", "autoencoder", "hidden_dims"),
        ("model", "optimizer"),
        ("dataset",),
        ("dataset", "source"),
    ],
    ids=".".join,
)
def test_nothing_else_is_made_from_a_checkpoint(trained, place, evil):
    with pytest.raises(CheckpointError):
        load(altered(trained, place, evil))


def test_a_list_and_a_partial_are_looked_into(trained):
    evil = {**EVIL["os"], "_partial_": True}
    with pytest.raises(CheckpointError, match=r"os\.system was not made"):
        load(altered(trained, ("dataset", "source"), evil))
    with pytest.raises(CheckpointError, match=r"os\.system was not made"):
        load(altered(trained, ("model", "autoencoder", "hidden_dims"), [16, [EVIL["os"]]]))


def test_a_configuration_asks_for_no_environment_variable(trained, monkeypatch):
    monkeypatch.setenv("SECRET", "known")
    config = load(altered(trained, ("dataset", "name"), "${oc.env:SECRET}"))
    assert config.data.name == "${oc.env:SECRET}"


@pytest.mark.parametrize("content", [None, [], {"model": None}, {"model": {}, "dataset": {}}])
def test_a_configuration_of_another_form_is_named(trained, content):
    checkpoint = read_checkpoint(trained)
    checkpoint["dcsomrl"]["config"] = content
    torch.save(checkpoint, "altered.ckpt")
    with pytest.raises(CheckpointError, match=r"altered\.ckpt"):
        load("altered.ckpt")


@pytest.mark.parametrize("lost", ["state_dict", "ClusterData", "loops", "global_step"])
def test_a_checkpoint_that_lacks_a_part_is_named(trained, lost):
    checkpoint = read_checkpoint(trained)
    del checkpoint[lost]
    torch.save(checkpoint, "altered.ckpt")
    with pytest.raises(CheckpointError, match=r"altered\.ckpt cannot be used"):
        load("altered.ckpt")


OWN = """
from dcsomrl.data.sources import digits
from dcsomrl.models import DCSOMRL
from torch import nn
import os

class Mine(DCSOMRL):
    pass

class Plain(nn.Linear):
    pass

def source():
    return digits()
"""


@pytest.fixture
def own_package(tmp_path):
    (tmp_path / "own_package.py").write_text(OWN)
    yield "own_package"
    sys.modules.pop("own_package", None)


def test_a_package_of_ones_own_is_made_when_it_is_trusted(trained, own_package):
    file = altered(trained, ("model", "_target_"), "own_package.Mine")
    with pytest.raises(CheckpointError, match=r"trust=\[own_package\]"):
        load(file)
    assert own_package not in sys.modules
    model = load(file, trust=[own_package]).model
    assert type(model).__name__ == "Mine"
    assert isinstance(model, DCSOMRL)
    import own_package as imported

    assert type(load(file, trust=[imported]).model) is imported.Mine


def test_what_derives_from_a_class_of_ours_is_known_once_the_caller_has_imported_it(
    trained, own_package
):
    import own_package as imported

    assert type(load(altered(trained, ("model", "_target_"), "own_package.Mine")).model) is (
        imported.Mine
    )
    # Not so what does not derive from one.
    for name in ("Plain", "source", "os.system"):
        with pytest.raises(CheckpointError, match="was not made"):
            build({"_target_": f"own_package.{name}"})


def test_trust_in_a_package_does_not_reach_what_it_imports(own_package):
    with pytest.raises(CheckpointError, match=r"own_package\.os\.system was not made"):
        build({"_target_": "own_package.os.system", "command": "touch pwned"}, ["own_package"])
    with pytest.raises(CheckpointError, match=r"own_package_not\.x"):
        build({"_target_": "own_package_not.x"}, ["own_package"])


@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_the_commands_take_the_trust_of_the_user(trained, own_package, command, tmp_path):
    file = altered(trained, ("dataset", "source", "_target_"), "own_package.source")
    extra = [] if command == "evaluate" else ["input=x.npy", "output=p.csv"]
    np.save("x.npy", np.full((4, 1, 8, 8), 200, np.uint8))

    def call(*trust):
        arguments = ["-m", f"dcsomrl.{command}", f"ckpt={file}", *extra, *trust]
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
        )

    refused = call()
    assert refused.returncode == 2
    assert "trust=[own_package]" in refused.stderr.splitlines()[-1]
    assert call("trust=[own_package]").returncode == 0


KEPT = "# @package _global_\ndefaults:\n- override /model: dec\nname: best\n"


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ("model:\n  autoencoder:\n    _target_: os.system\n", "os.system was not made"),
        ("x: [{_target_: pandas.read_pickle}]\n", "pandas.read_pickle was not made"),
        ("hydra: {callbacks: {x: {_target_: os.system}}}\n", "it sets hydra"),
        ("hydra.run.dir: elsewhere\n", "it sets hydra.run.dir"),
        ("name: ${oc.env:HOME}\n", "it asks for"),
        ("x: !!python/object/apply:os.system ['touch pwned']\n", "could not determine"),
        ("defaults: [../../x]\n", "it refers to experiment/../../x"),
        ("defaults: [{/0/seed0: config}]\n", "it refers to 0/seed0/config"),
        ("defaults: [{override /hydra/launcher: joblib}]\n", "it refers to hydra/launcher"),
        ("# @package hydra.job_logging\nroot: {}\n", "it goes into hydra.job_logging"),
        ("zz: oc.env\nname: k${${zz}:HOME}\n", "it asks for"),
        ("defaults: [{override /model@hydra.run: dec}]\n", "it puts model into hydra.run"),
        ("- 1\n", "holds more"),
    ],
)
@pytest.mark.parametrize(
    "way",
    ["--config-dir {}", "--config-dir={}", "--config-di {}", "hydra.searchpath=[file://{}]"],
)
def test_a_kept_search_holds_settings_only(tmp_path, added, said, way):
    folder = tmp_path / "kept"
    (folder / "experiment").mkdir(parents=True)
    arguments = way.format(folder).split()
    file = folder / "experiment" / "best.yaml"
    file.write_text(KEPT)
    (folder / "search.json").write_text("{}")
    check_kept(arguments, find_config_dir())
    file.write_text((KEPT if "defaults" not in added else "") + added)
    with pytest.raises(ConfigError, match="holds more") as caught:
        check_kept(arguments, find_config_dir())
    assert said in str(caught.value)
    (folder / "search.json").unlink()  # a folder of one's own
    check_kept(arguments, find_config_dir())


def test_every_file_of_a_kept_search_that_hydra_would_read_is_looked_at(tmp_path):
    folder = tmp_path / "kept"
    for place in ("experiment", "0/seed0"):
        (folder / place).mkdir(parents=True)
    (folder / "search.json").write_text("{}")
    (folder / "experiment" / "best.yaml").write_text(KEPT)
    evil = "callbacks: {x: {_target_: os.system}}\n"
    (folder / "0" / "seed0" / "config.yaml").write_text(evil)  # no group of the package's
    check_kept([f"--config-dir={folder}"], find_config_dir())
    (folder / "experiment" / "config.yaml").write_text(evil)
    with pytest.raises(ConfigError, match=r"os\.system was not made"):
        check_kept([f"--config-dir={folder}"], find_config_dir())
    (folder / "experiment" / "config.yaml").unlink()
    (tmp_path / "elsewhere").mkdir()
    (folder / "callbacks").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="is a link, which no search makes"):
        check_kept([f"--config-dir={folder}"], find_config_dir())


def test_a_source_of_data_is_not_called_while_a_checkpoint_is_read(trained, tmp_path):
    source = {"_target_": "dcsomrl.data.sources.mnist", "data_dir": str(tmp_path / "made")}
    for place in (("dataset", "source"), ("model", "optimizer")):
        with pytest.raises(CheckpointError, match="was not called"):
            load(altered(trained, place, source))
    assert not (tmp_path / "made").exists()


def test_a_checkpoint_chooses_no_folder(trained, tmp_path):
    altered(trained, ("dataset", "name"), "x/../../out/y")
    evaluate(compose_config("evaluate", ["ckpt=altered.ckpt", "device=cpu"], tmp_path))
    assert (tmp_path / "evaluate-x_.._.._out_y-test" / "metrics.json").exists()
    assert not (tmp_path.parent / "out").exists()


def test_a_kept_search_may_name_what_is_trusted(tmp_path, own_package):
    folder = tmp_path / "kept"
    (folder / "experiment").mkdir(parents=True)
    (folder / "search.json").write_text("{}")
    mine = "model: {_target_: own_package.Mine, optimizer: {_target_: torch.optim.SGD}}\n"
    (folder / "experiment" / "best.yaml").write_text(KEPT + mine)
    with pytest.raises(ConfigError, match=r"own_package\.Mine was not made"):
        check_kept(["--config-dir", str(folder)], find_config_dir())
    check_kept([], find_config_dir())
    check_kept(["--config-dir", str(folder), "trust=[own_package]"], find_config_dir())


@pytest.mark.parametrize("name", ["x.npy", "x.npz", "y.npz", "x.pt", "x.csv", "x.parquet"])
def test_samples_that_are_a_pickle_are_not_unpickled(name):
    evil = np.array([[Pickled(), 1.0]] * 20, dtype=object)
    if name == "x.npz":
        np.savez(name, x=evil)
    elif name == "y.npz":
        np.savez(name, x=np.random.default_rng(0).random((20, 2)), y=evil[:, 0])
    elif name == "x.npy":
        np.save(name, evil, allow_pickle=True)
    else:
        torch.save(Pickled(), name)
    with pytest.raises(DataError, match=name.replace(".", r"\.")):
        arrays(name)


MARKUP = "<script>alert('x')</script>"
FORMULA = '=HYPERLINK("http://x","a")'


def test_names_in_a_table_are_text_on_the_page_and_in_what_predict_writes():
    rows = np.random.default_rng(0).random((60, 2))
    table = pd.DataFrame(rows, columns=[MARKUP, f"b{MARKUP}"])
    table["kind"] = [f"c{MARKUP}", "@d"] * 30
    table.insert(0, "id", [f"{FORMULA} {i}" for i in range(60)])
    table.to_csv("<b>.csv", index=False)
    given = ["dataset=arrays", "dataset.path='<b>.csv'", "dataset.target=kind", "trainer=cpu"]
    run = Path("run")
    run.mkdir()
    train(compose_config("train", [*given, "model=som", "trainer.max_epochs=1"], run))
    report(compose_config("report", ["run=run", "embedding=pca"], run))
    page = (run / "report" / "report.html").read_text()
    assert "alert(" in page
    assert "<script>alert" not in page
    assert "<b>.csv" not in page
    for picture in (run / "report").glob("*.svg"):
        assert "<script>alert" not in picture.read_text(), picture.name
    predict(
        compose_config(
            "predict", [f"ckpt={run / LAST}", "input='<b>.csv'", "output=p.csv", "keep=kind"], run
        )
    )
    written = pd.read_csv("p.csv")
    assert list(written["id"]) == list(table["id"])  # as they are: a spreadsheet would run them
    assert list(written["kind"]) == list(table["kind"])
