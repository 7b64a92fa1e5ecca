"""Jobs of a search that outlive what launched them: nobody trains beside them."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from filelock import FileLock, Timeout
from pytorch_lightning.utilities import rank_zero_only

from dcsomrl.locks import hold

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
GRID = (
    *("-m", "search=default", "model=kmeans", "trainer=cpu", "num_threads=1"),
    "hydra.sweeper.sampler._target_=dcsomrl.search.Grid",
)
# The second resumes where the first came to: at the end.
ONE_BY_ONE = "begin\nend\nbegin\nend\n"


@pytest.fixture
def held(tmp_path):
    """Begins a search whose trainings end when the file ``told`` is there."""
    hold = f"{{_target_: tests.search.accidents.Hold, told: '{tmp_path / 'told'}'}}"

    def run(*overrides):
        place = f"hydra.sweep.dir={tmp_path / 'search'}"
        arguments = [*GRID, *overrides, f"+callbacks.hold={hold}", place]
        return subprocess.Popen(
            [sys.executable, "-m", "dcsomrl.train", *arguments],
            cwd=tmp_path,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE.parents[1])},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    yield run
    (tmp_path / "told").touch()


def wait_until(condition):
    for _ in range(1500):
        if condition():
            return
        time.sleep(0.1)
    raise TimeoutError


def come_to(run):
    """Whether a second process has come to a run: it waits, or trains beside the first."""
    notes, log = run / "notes", run / "train.log"
    begun = notes.read_text().count("begin") if notes.exists() else 0
    return begun > 1 or (log.exists() and "another process trains in" in log.read_text())


def test_jobs_whose_search_was_killed_are_waited_for(held, tmp_path):
    command = ("model.n_clusters=choice(8,12)", "hydra.sweeper.n_trials=2",
               "hydra.sweeper.n_jobs=2", "hydra/launcher=joblib")  # fmt: skip
    runs = [tmp_path / "search" / str(point) / "seed0" for point in (0, 1)]
    first = held(*command)
    wait_until(lambda: all((run / "notes").exists() for run in runs))
    first.kill()
    first.wait()
    second = held(*command)
    wait_until(lambda: all(map(come_to, runs)))
    (tmp_path / "told").touch()
    assert second.wait(200) == 0
    assert [(run / "notes").read_text() for run in runs] == [ONE_BY_ONE] * 2
    trials = pd.read_csv(tmp_path / "search" / "trials.csv")
    assert list(trials["state"]) == ["complete"] * 2
    assert (trials["val/nmi"] > 0.4).all()


def test_a_lost_job_does_not_have_the_others_trained_beside_themselves(held, tmp_path):
    process = held(
        "+callbacks.kill={_target_: tests.search.accidents.Kill, n_clusters: 9}",
        *("model.n_clusters=choice(9,12)", "hydra.sweeper.n_trials=2", "hydra.sweeper.n_jobs=2"),
        *("hydra/launcher=submitit_local", "hydra.sweeper.max_failures=0.5"),
    )
    run = tmp_path / "search" / "1" / "seed0"
    wait_until(lambda: come_to(run))
    (tmp_path / "told").touch()
    assert process.wait(200) == 0
    assert (run / "notes").read_text() == ONE_BY_ONE
    trials = pd.read_csv(tmp_path / "search" / "trials.csv")
    assert list(trials["state"]) == ["fail", "complete"]


def test_the_first_process_of_a_distributed_job_holds_for_all(tmp_path, monkeypatch):
    other = FileLock(tmp_path / ".training.lock")
    with hold(tmp_path, wait=False):
        with pytest.raises(Timeout):
            other.acquire(timeout=0)
        monkeypatch.setattr(rank_zero_only, "rank", 1)
        with hold(tmp_path, wait=False):
            pass
    with other.acquire(timeout=0):
        pass
