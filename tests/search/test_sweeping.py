"""Searches as Hydra multiruns: what is searched, how it resumes, what it leaves."""

import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from optuna.distributions import IntDistribution

from dcsomrl.search import LatinHypercube

pytestmark = pytest.mark.slow

KMEANS = ("-m", "search=default", "model=kmeans", "trainer=cpu", "num_threads=1")
HERE = Path(__file__).parent
CLUSTERS = "model.n_clusters=int(interval(5,24))"


@pytest.fixture
def search(cli, tmp_path):
    """Search for settings of k-means on the digits; returns what it printed and its trials."""

    def run(*overrides, folder="search"):
        place = f"hydra.sweep.dir={tmp_path / folder}"
        done = cli("train", *KMEANS, place, *overrides, PYTHONPATH=str(HERE.parents[1]))
        trials = tmp_path / folder / "trials.csv"
        return done, pd.read_csv(trials) if trials.exists() else None

    return run


def test_a_search_is_a_latin_hypercube_that_resumes_and_repeats_nothing(search, cli, tmp_path):
    command = (CLUSTERS, "hydra.sweeper.n_trials=4")
    done, trials = search(*command)
    assert done.returncode == 0, done.stderr
    assert "4/4, 0 failed, 0:00:00 left; best: val/nmi 0." in done.stderr
    clusters = trials["params/model.n_clusters"]
    assert sorted((clusters - 5) // 5) == [0, 1, 2, 3]
    assert (trials["val/nmi"] > 0.4).all()
    assert "nmi" not in trials
    page = tmp_path / "search" / "sensitivity" / "sensitivity.md"
    assert "| n_clusters |" in page.read_text()
    assert f"what matters: {page}" in done.stdout

    best = trials["point"][trials["val/nmi"].idxmax()]
    assert "experiment=best" in done.stdout
    again = cli("train", "--config-dir", str(tmp_path / "search"), "experiment=best",
                "trainer=cpu", "--cfg", "job")  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert f"n_clusters: {clusters[trials['point'] == best].item()}" in again.stdout
    assert "KMeans" in again.stdout

    files = list((tmp_path / "search").glob("*/seed0/metrics.json"))
    assert len(files) == 4
    before = {file: file.stat().st_mtime_ns for file in files}
    done, resumed = search(*command)
    assert "resuming: 4 of 4 points are done" in done.stdout
    pd.testing.assert_frame_equal(trials, resumed)
    assert {file: file.stat().st_mtime_ns for file in files} == before
    done, _ = search(CLUSTERS, "hydra.sweeper.n_trials=4", "model.n_init=3")
    assert done.returncode == 2
    assert "holds another search (model.n_init was" in done.stderr
    assert "model.n_init=3" not in (tmp_path / "search" / "multirun.yaml").read_text()


def test_a_search_in_a_folder_of_the_users_own(cli, tmp_path):
    """Its printed command works, though there is one --config-dir alone."""
    files = {
        "experiment/own": "dataset: {batch_size: 33}",
        "search/own": "defaults: [default]\nhydra: {sweeper: {n_trials: 2, params: "
        "{experiment: own, model.n_clusters: 'choice(8,12)', callbacks: stop_collapsed}}}",
    }
    for name, text in files.items():
        file = tmp_path / "my conf" / f"{name}.yaml"
        file.parent.mkdir(parents=True)
        file.write_text(f"# @package _global_\n{text}\n")
    mine = ("--config-dir", "my conf", "-m", "search=own", "model=kmeans", "trainer=cpu")
    done = cli("train", *mine, "hydra.sweep.dir=found here", "~model.n_init")
    assert done.returncode == 0, done.stderr
    trials = pd.read_csv(tmp_path / "found here" / "trials.csv")
    best = trials.loc[trials["val/nmi"].idxmax(), "params/model.n_clusters"]
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("the best: ")]
    words = shlex.split(line.removeprefix("the best: "))
    assert words[:3] == ["python", "-m", "dcsomrl.train"]
    again = cli("train", *words[3:], "--cfg", "job")
    assert again.returncode == 0, again.stderr
    assert f"n_clusters: {best}\n" in again.stdout
    assert "batch_size: 33\n" in again.stdout
    assert "KMeans" in again.stdout
    assert "StopCollapsed" in again.stdout
    assert "n_init" not in again.stdout


def test_a_sampler_that_learns_searches_a_map(cli, tmp_path):
    done = cli(
        *("train", "-m", "search=tpe", "trainer=cpu", "num_threads=1", "trainer.max_epochs=1"),
        *("model.autoencoder.hidden_dims=[16]", "hydra.sweeper.n_trials=2", "hydra.sweep.dir=tpe"),
    )
    assert done.returncode == 0, done.stderr
    trials = pd.read_csv(tmp_path / "tpe" / "trials.csv")
    assert list(trials["state"]) == ["complete"] * 2
    assert trials["params/model.som.max_nodes"].between(20, 300).all()
    assert trials["val/nmi"].between(0, 1).all()


def test_the_map_with_neighbours_is_searched_without_labels(cli, tmp_path):
    done = cli(
        *("train", "-m", "search=neighbors", "model=neighbor_somrl", "trainer=cpu"),
        *("model.autoencoder.hidden_dims=[16]", "hydra.sweeper.n_trials=2", "num_threads=1"),
        *("hydra.sweep.dir=search", "trainer.max_epochs=2", "dataset.neighbors.cache_dir=null"),
    )
    assert done.returncode == 0, done.stderr
    trials = pd.read_csv(tmp_path / "search" / "trials.csv")
    assert list(trials["state"]) == ["complete"] * 2
    assert trials["params/model.som.radius"].between(0.3, 1).all()
    assert trials["stability"].between(-1, 1).all()


def test_a_sampler_of_optuna_and_a_database_as_the_readme_says(search, tmp_path):
    command = (
        *("hydra.sweeper.sampler._target_=optuna.samplers.RandomSampler", CLUSTERS),
        *("+hydra.sweeper.sampler._partial_=true", "hydra.sweeper.storage=sqlite:///study.db"),
    )
    done, first = search(*command, "hydra.sweeper.n_trials=1")
    assert done.returncode == 0, done.stderr
    done, trials = search(*command, "hydra.sweeper.n_trials=3")
    assert "resuming: 1 of 3 points are done" in done.stdout
    assert list(trials["state"]) == ["complete"] * 3
    pd.testing.assert_frame_equal(trials.iloc[:1], first)
    assert trials["params/model.n_clusters"].nunique() > 1
    assert (tmp_path / "study.db").exists()
    assert not (tmp_path / "search" / "study.journal").exists()


def test_a_killed_search_ends_as_one_that_was_not(search, tmp_path):
    folder = tmp_path / "search"
    command = (CLUSTERS, "hydra.sweeper.n_trials=5")
    process = subprocess.Popen(
        [sys.executable, "-m", "dcsomrl.train", *KMEANS, *command, f"hydra.sweep.dir={folder}"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(600):
        if (folder / "1/seed0/checkpoints").exists():
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done, trials = search(*command)
    assert done.returncode == 0, done.stderr
    assert "of 5 points are done" in done.stdout
    assert list(trials["point"]) == [0, 1, 2, 3, 4]
    space = {"model.n_clusters": IntDistribution(5, 24)}
    points = LatinHypercube().make_points(space, 5)
    expected = [point["model.n_clusters"] for point in points]
    assert list(trials["params/model.n_clusters"]) == expected
    assert sorted((n - 5) // 4 for n in expected) == [0, 1, 2, 3, 4]


def test_a_grid_goes_on_after_a_failure_and_stops_after_too_many(search, tmp_path):
    grid = ("hydra.sweeper.sampler._target_=dcsomrl.search.Grid",)
    share = "+trainer.limit_train_batches=choice({},0.5,1.0)"  # of which the least trains nothing
    command = (*grid, share.format("1e-9,0.75"), "hydra.sweeper.n_trials=4")
    done, trials = search(*command)
    assert done.returncode == 0, done.stderr
    assert list(trials["state"]) == ["fail", "complete", "complete", "complete"]
    assert "the trainer cannot train: " in trials["error"][0]
    assert "4/4, 1 failed" in done.stderr

    done, _ = search(*command, "hydra.sweeper.max_failures=0.25",
                     share.format("1e-9,1e-8"), folder="failing")  # fmt: skip
    assert done.returncode == 2
    assert "error: 2 of 4 points failed, more than a share of 0.25; the last: " in done.stderr
    # What there is stands in the table, and nothing more is tried until someone has looked.
    folder = tmp_path / "failing"
    assert len(pd.read_csv(folder / "trials.csv")) < 4
    before = len(list(folder.glob("*/seed0")))
    done, _ = search(*command, "hydra.sweeper.max_failures=0.25",
                     share.format("1e-9,1e-8"), folder="failing")  # fmt: skip
    assert done.returncode == 2
    assert "add hydra.sweeper.retry_failed=true" in done.stderr
    assert len(list(folder.glob("*/seed0"))) == before


def test_a_choice_outside_its_range_is_refused_before_a_point_is_tried(search, tmp_path):
    done, _ = search("model.n_clusters=choice(8,1)", "hydra.sweeper.n_trials=2")
    assert done.returncode == 2
    assert "error: model.n_clusters must be at least 2, got 1" in done.stderr
    assert not list((tmp_path / "search").glob("0/*"))


def test_a_process_that_is_killed_costs_its_point_alone(cli, tmp_path):
    kill = "+callbacks.kill={_target_: tests.search.accidents.Kill, n_clusters: 9}"
    done = cli(
        *("train", *KMEANS, f"hydra.sweep.dir={tmp_path / 'search'}", kill),
        *("model.n_clusters=choice(8,9,12)", "hydra.sweeper.n_trials=3"),
        *("hydra.sweeper.sampler._target_=dcsomrl.search.Grid", "hydra.sweeper.n_jobs=3"),
        *("hydra/launcher=joblib", "hydra.sweeper.max_failures=0.5"),
        PYTHONPATH=str(HERE.parents[1]),
    )
    assert done.returncode == 0, done.stderr
    trials = pd.read_csv(tmp_path / "search" / "trials.csv")
    assert list(trials["state"]) == ["complete", "fail", "complete"]
    assert "TerminatedWorkerError" in trials["error"][1]


def test_a_run_that_failed_leaves_the_memory_to_the_next(search, tmp_path):
    count = f"+callbacks.count={{_target_: tests.search.accidents.Count, path: '{tmp_path}/alive'}}"
    done, trials = search(
        *("model.n_clusters=choice(8,9,12)", "hydra.sweeper.n_trials=3", count),
        *("hydra.sweeper.sampler._target_=dcsomrl.search.Grid", "hydra.sweeper.max_failures=1"),
    )
    assert done.returncode == 0, done.stderr
    assert trials["error"].str.startswith("there is not enough memory").all()
    assert (tmp_path / "alive").read_text().split() == ["0", "0", "0"]


def test_a_configuration_that_changes_under_a_search_ends_it(cli, tmp_path):
    own = tmp_path / "conf" / "experiment" / "own.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("# @package _global_\nmodel: {n_init: 1}\n")
    (tmp_path / "other").write_text(own.read_text().replace("1", "2"))
    edit = {"_target_": "tests.search.accidents.Edit", "path": own, "other": tmp_path / "other"}
    given = ",".join(f"{key}: '{value}'" for key, value in edit.items())
    done = cli(
        *("train", "--config-dir", str(own.parents[1]), *KMEANS, "experiment=own", CLUSTERS),
        *("hydra.sweeper.n_trials=3", f"+callbacks.edit={{{given}}}", "hydra.sweep.dir=search"),
        PYTHONPATH=str(HERE.parents[1]),
    )
    assert done.returncode == 2
    sentence = "error: the configuration has changed since this search was started (model.n_init)"
    assert sentence in done.stderr
    trials = pd.read_csv(tmp_path / "search" / "trials.csv")
    assert list(trials["state"]) == ["complete"]


@pytest.mark.parametrize("launcher", ["joblib", "submitit_local"])
def test_launchers_run_points_at_once(launcher, cli, tmp_path):
    done = cli(
        *("train", *KMEANS, f"hydra.sweep.dir={tmp_path / 'search'}", CLUSTERS),
        *("hydra.sweeper.n_trials=3", "hydra.sweeper.n_jobs=2", f"hydra/launcher={launcher}"),
    )
    assert done.returncode == 0, done.stderr
    trials = pd.read_csv(tmp_path / "search" / "trials.csv")
    assert list(trials["state"]) == ["complete"] * 3


def test_seeds_are_averaged_and_objectives_traded_off_without_labels(search, tmp_path):
    done, trials = search(
        "model=autoencoder",
        "model.n_clusters=8",
        "autoencoder=mlp",
        "model.autoencoder.hidden_dims=[16]",
        "trainer.max_epochs=choice(1,4)",
        "hydra.sweeper.n_trials=2",
        "hydra.sweeper.seeds=[0,1]",
        "hydra.sweeper.maximize=[stability,val/silhouette]",
        "hydra.sweeper.minimize=[val/quantization_error]",
    )
    assert done.returncode == 0, done.stderr
    assert {f"{point}/seed{seed}" for point in (0, 1) for seed in (0, 1)} == {
        str(file.parent.relative_to(tmp_path / "search"))
        for file in (tmp_path / "search").glob("*/*/metrics.json")
    }
    assert (trials["val/silhouette deviation"] > 0).all()
    assert trials["stability"].between(-1, 1).all()
    assert (trials["stability deviation"] == 0).all()
    assert "no other point is as good in all objectives and better in one" in done.stdout


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ((), "error: nothing is searched: give hydra.sweeper.params"),
        (("model.n_cluster=interval(2,9)",), "there is no model.n_cluster in the configuration"),
        ((CLUSTERS, "hydra.sweeper.maximize=[stability]"), "stability compares seeds"),
        ((CLUSTERS, "hydra.sweeper.n_jobs=0"), "n_jobs must be at least 1"),
        ((CLUSTERS, "seed=0,1"), "the seeds of a search are hydra.sweeper.seeds=[0]"),
        ((CLUSTERS, "hydra.sweeper.minimize=[val/nmi]"), "val/nmi is to be both high and low"),
        ((CLUSTERS, "hydra.sweeper.maximize=[nmi]", "hydra.sweeper.n_trials=1"),
         "objective nmi is not among the results of a run; did you mean val/nmi"),
        ((CLUSTERS, "hydra.sweeper.n_trial=1"), "n_trial"),
        ((CLUSTERS, "+hydra.sweeper.sampler.optimization=foo"), "must be random-cd, lloyd or null"),
        (("model=glob(*)",), "error: model: glob(*) is not searched: name the values"),
        ((CLUSTERS, "hydra.sweeper.sampler._target_=optuna.samplers.Gone"), "optuna.samplers.Gone"),
    ],
)  # fmt: skip
def test_mistakes_end_in_a_sentence(overrides, sentence, search):
    done, _ = search(*overrides)
    assert done.returncode != 0
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_search_without_multirun_is_refused(cli):
    done = cli("train", "search=paper_initial")
    assert done.returncode == 2
    assert "put -m before search=paper_initial" in done.stderr
