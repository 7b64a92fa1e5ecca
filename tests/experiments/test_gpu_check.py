"""The check on a GPU, walked through on a CPU without the packages that its machine may lack."""

import json
import os
import subprocess
import sys
from multiprocessing import forkserver
from pathlib import Path

import pytest
import torch

from dcsomrl.errors import DataError, DcsomrlError
from experiments.gpu import store
from experiments.gpu.render import render
from experiments.gpu.run import PARTS, Part, run_parts
from experiments.gpu.setting import Setting
from tests.conftest import Machine

pytestmark = pytest.mark.slow

TOP = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def its_own_server():
    """The check forks its parts from a server of its own, apart from the workers'."""
    forkserver._forkserver._stop()
    yield
    forkserver._forkserver._stop()


PARTS_OF_A_TEST = """
import os, time

def list_cells(setting):
    def log(word):
        with (setting.out / "log").open("a") as file:
            print(word, file=file)
        return {"word": word}

    def fail():
        log("fail")
        if (setting.out / "fixed").exists():
            return {"word": "fixed"}
        raise ValueError("on purpose")

    def die():
        log("die")
        if (setting.out / "fixed").exists():
            return {"word": "fixed"}
        os._exit(3)

    def hang():
        log("hang")
        if (setting.out / "fixed").exists():
            return {"word": "fixed"}
        os.system("sleep 600")

    mine = {"fails": {"one": lambda: log("one"), "two": fail, "three": lambda: log("three")},
            "dies": {"four": lambda: log("four"), "five": die},
            "hangs": {"six": hang},
            "ends": {"nan": lambda: {"x": float("nan")}, "seven": lambda: log("seven")}}
    return mine[NAME]
"""


def run(bare: Machine, folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """On a machine without optional packages."""
    return subprocess.run(
        [bare.python, "-m", "experiments.gpu", *arguments],
        cwd=folder,
        env=bare.environment,
        capture_output=True,
        text=True,
        timeout=290,
    )


def test_every_part_runs_without_optional_packages_and_what_is_there_stays(bare, tmp_path):
    done = run(bare, tmp_path, "--dry-run")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    out = tmp_path / "runs" / "gpu-dry"
    found = json.loads((out / store.FILE).read_text())
    setting = Setting(out, dry=True)
    assert set(found) == {
        f"{part.name}/{cell}" for part in PARTS for cell in part.list_cells(setting)
    }
    assert all(record["dry_run"] and "result" in record for record in found.values())
    # In one precision on one machine a resumed run is the run that was never stopped.
    assert found["resuming/32-true"]["result"]["bit for bit"]
    kept = json.loads((out / "benchmark" / "digits-kmeans-seed0.json").read_text())
    assert kept["method"] == "kmeans"
    assert kept["merged_purity"] > 0
    # A second call does what is missing and nothing else.
    lost = found.pop("maps/64 nodes, batch 64")
    (out / store.FILE).write_text(json.dumps(found))
    assert run(bare, tmp_path, "--dry-run").returncode == 0
    again = json.loads((out / store.FILE).read_text())
    assert again.pop("maps/64 nodes, batch 64")["result"].keys() == lost["result"].keys()
    assert again == found
    with pytest.raises(DataError, match="dry run"):
        render(out, tmp_path)
    # As if it had been measured.
    for record in found.values():
        record |= {"dry_run": False, "device": "A GPU"}
    found["waits/step"] = {**found["waits/step"], "error": "E: lost"}
    del found["waits/step"]["result"]
    (out / store.FILE).write_text(json.dumps(found))
    page = render(out, tmp_path).read_text()
    assert page.count(f"A GPU, torch {torch.__version__}") == 1
    assert "| float32, eager, batch 64 |" in page
    assert "Failed: waits/step (E: lost)" in page
    assert (tmp_path / "gpu-1.png").stat().st_size > 10_000


def test_what_fails_dies_or_hangs_is_recorded_and_tried_again(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    names = ("fails", "dies", "hangs", "ends")
    for name in names:
        (tmp_path / f"{name}.py").write_text(f"NAME = {name!r}\n{PARTS_OF_A_TEST}")
    parts = [Part(name, 5 if name == "hangs" else 60) for name in names]
    setting = Setting(tmp_path / "out", dry=True)
    setting.out.mkdir()
    with pytest.raises(DcsomrlError, match="4 failed and 0 are missing"):
        run_parts(setting, 120, parts)
    found = store.read(setting.out)
    errors = {name: record["error"] for name, record in found.items() if "error" in record}
    assert errors["fails/two"] == "ValueError: on purpose"
    assert errors["dies/five"] == "the process ended (3)"
    assert errors["hangs/six"].startswith("stopped after 5 s")
    assert errors["ends/nan"].startswith("ValueError")
    assert found["ends/seven"]["result"] == {"word": "seven"}
    (setting.out / "log").unlink()
    (setting.out / "fixed").touch()
    with pytest.raises(DcsomrlError, match="1 failed"):
        run_parts(setting, 120, parts)
    assert (setting.out / "log").read_text().split() == ["fail", "die", "hang"]
    assert store.read(setting.out)["dies/five"]["result"] == {"word": "fixed"}


def test_no_time_leaves_everything_for_the_next_call(tmp_path):
    with pytest.raises(DcsomrlError, match="0 failed and"):
        run_parts(Setting(tmp_path, dry=True), 0)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(TOP)}
    done = subprocess.run(
        [sys.executable, "-m", "experiments.gpu"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: there is no GPU")


def test_damaged_results_are_refused(tmp_path):
    (tmp_path / store.FILE).write_text("{")
    with pytest.raises(DataError, match="holds no results"):
        store.read(tmp_path)
