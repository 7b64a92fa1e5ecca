"""The benchmark: runs what is missing, once, and renders what is there."""

import json
import math
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
from rich.console import Console
from scipy.stats import ttest_1samp

from dcsomrl.benchmark import benchmark
from dcsomrl.benchmarking.cells import Cell, read_results
from dcsomrl.benchmarking.table import format_spread, make_summary, write_report
from dcsomrl.configuration import compose_config
from dcsomrl.errors import ConfigError, DataError, DcsomrlError
from dcsomrl.locks import lend

pytestmark = pytest.mark.slow

COMMON = "common=['trainer=cpu','trainer.max_epochs=2','dataset.val_fraction=0',num_threads\\=1]"
GONE = (
    "~methods.neighbor_somrl",
    "~methods.autoencoder",
    "~methods.desom",
    "~methods.somvae",
    "~methods.dec",
)
MAPS = ("~methods.som", "~methods.somrl", "~methods.larfdssom")
SMALL = (*GONE, *MAPS, "~methods.idec", "~methods.kmeans10", "datasets=[digits]", "seeds=[0,1]")
NARROW = "methods.dcsomrl=['model=dcsomrl','model.autoencoder.hidden_dims=[16]']"


@pytest.fixture
def configured(tmp_path):
    folders = (f"runs_dir={tmp_path}/runs", f"output={tmp_path}/results")

    def configure(*overrides):
        return compose_config("benchmark", [*SMALL, COMMON, NARROW, *folders, *overrides], tmp_path)

    return configure


def test_what_is_finished_is_not_run_again(configured, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    results = benchmark(configured())
    assert set(results) == {Cell(m, "digits", s) for m in ("kmeans", "dcsomrl") for s in (0, 1)}
    some = results[Cell("kmeans", "digits", 1)]
    assert {"purity", "nmi_geometric", "merged_accuracy", "seconds", "epochs"} <= some.keys()
    assert 0.5 < some["merged_accuracy"] <= some["merged_purity"] <= 1
    table = (tmp_path / "results" / "table.md").read_text()
    assert "| kmeans | 2 | 0.9" in table
    assert (tmp_path / "results" / "scores.png").stat().st_size > 1000

    shutil.rmtree(tmp_path / "runs")
    (tmp_path / "results" / Cell("kmeans", "digits", 0).file).unlink()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "results").glob("*.json")}
    benchmark(configured())
    assert len(list((tmp_path / "results").glob("*.json"))) == 4
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["kmeans-digits"]


def test_a_cell_that_another_process_holds_is_left_to_it(configured, tmp_path):
    run_dir = tmp_path / "runs" / "kmeans-digits" / "seed0"
    with lend(run_dir):
        results = benchmark(configured("seeds=[0]", "~methods.dcsomrl", "against=kmeans"))
    assert results == {}


def test_a_training_holds_its_cell_when_the_benchmark_is_killed(tmp_path):
    code = (
        "from pathlib import Path; from dcsomrl.locks import lend\n"
        "from dcsomrl.benchmarking.cells import Cell, train\n"
        "with lend(Path('run')) as lock:\n"
        "    train(Cell('kmeans', 'digits', 0), ['model=kmeans', 'trainer=cpu'], Path('run'), lock)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path)
    run_dir = tmp_path / "run"
    until(lambda: (run_dir / "output.txt").exists())
    parent.kill()
    parent.wait()
    with lend(run_dir) as lock:
        assert lock is None
    until(lambda: (run_dir / "metrics.json").exists())

    def free():
        with lend(run_dir) as lock:
            return lock is not None

    until(free)


def until(true):
    """Wait until something is true."""
    end = time.monotonic() + 120
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize(
    "changed", ["merged_clusters=20", "methods.kmeans=['model=kmeans','model.n_clusters=32']"]
)
def test_results_of_other_settings_are_not_taken_for_those_of_the_present_ones(
    changed, configured, tmp_path
):
    some = ("seeds=[0]", "~methods.dcsomrl", "against=kmeans")
    benchmark(configured(*some))
    # Where a training runs is no such setting.
    benchmark(configured(*some, COMMON.replace("num_threads\\=1", "num_threads\\=2")))
    for train in ("true", "false"):
        with pytest.raises(ConfigError, match=r"digits-kmeans-seed0\.json was made with"):
            benchmark(configured(*some, changed, f"train={train}"))
    (tmp_path / "results" / "digits-kmeans-seed0.json").unlink()
    if "merged" not in changed:
        with pytest.raises(DcsomrlError, match=r"kmeans-digits/seed0 was made with"):
            benchmark(configured(*some, changed))


def test_data_without_labels_has_a_table_without_scores(configured, tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((600, 4)))
    common = COMMON.replace("]", f",'dataset.path={tmp_path}/x.npy']")
    some = ("seeds=[0]", "~methods.dcsomrl", "against=kmeans", "datasets=[arrays]", common)
    found = benchmark(configured(*some))
    assert found[Cell("kmeans", "arrays", 0)]["quantization_error"] > 0
    assert "| kmeans | 1 | n/a | n/a |" in (tmp_path / "results" / "table.md").read_text()


def test_workers_of_a_launcher_share_the_work(cli, tmp_path):
    done = cli(
        "benchmark",
        "-m",
        "worker=0,1",
        "hydra/launcher=submitit_local",  # joblib's and this one's processes: tests/search
        *SMALL,
        "~methods.dcsomrl",
        "against=kmeans",
        COMMON,
        f"runs_dir={tmp_path}/runs",
        f"output={tmp_path}/results",
    )
    assert done.returncode == 0, done.stderr
    assert set(read_results(tmp_path / "results")) == {Cell("kmeans", "digits", s) for s in (0, 1)}
    assert {path.name for path in (tmp_path / "runs" / "logs").iterdir()} >= {"worker0", "worker1"}


def test_a_cell_that_fails_does_not_end_the_others(configured, tmp_path):
    broken = "+methods.broken=['model=kmeans','model.n_clusters=1']"
    with pytest.raises(DcsomrlError, match=r"1 of 2 cells failed.*n_clusters must be at least 2"):
        benchmark(configured("seeds=[0]", "~methods.dcsomrl", broken))
    assert "kmeans" in (tmp_path / "results" / "table.md").read_text()


def test_a_dataset_that_does_not_exist_is_refused_without_training_too(configured, tmp_path):
    for train in ("true", "false"):
        with pytest.raises(ConfigError, match="no dataset=mnsit: datasets can be arrays, digits"):
            benchmark(configured("datasets=[mnsit]", f"train={train}"))


def test_the_table_of_what_is_there_needs_no_training(configured, tmp_path):
    benchmark(configured("seeds=[0]", "~methods.dcsomrl"))
    table = tmp_path / "results" / "table.md"
    table.unlink()
    found = benchmark(configured("seeds=[0,1]", "~methods.dcsomrl", "train=false"))
    assert set(found) == {Cell("kmeans", "digits", 0)}
    assert "1 cells of 2" in table.read_text()


def test_a_file_that_is_no_result_is_named(tmp_path):
    file, result = (
        tmp_path / "some.json",
        {"method": "a", "dataset": "b", **made_up("a", 0, 1, 1, 9)},
    )
    file.write_text(json.dumps(result))
    assert set(read_results(tmp_path)) == {Cell("a", "b", 0)}
    damages = [
        *({}, {**result, "nmi": "x"}, {**result, "merged_nmi": [1]}, {**result, "nodes": True}),
        *({**result, "seed": None}, {**result, "torch": 2}, {**result, "purity": math.inf}),
    ]
    for damage in damages:
        file.write_text(json.dumps(damage))
        with pytest.raises(
            DataError, match=r"some\.json is not a result of a benchmark \(.*remove it"
        ):
            read_results(tmp_path)
    for text in (b"", b"[]", b"{", b"\xff", b"null", b"[" * 10**5):
        file.write_bytes(text)
        with pytest.raises(DataError, match=r"some\.json is damaged .*remove it"):
            read_results(tmp_path)


@pytest.mark.parametrize("damaged", ["settings.json", "metrics.json"])
def test_a_damaged_file_of_a_cell_is_named(damaged, configured, tmp_path):
    some = ("seeds=[0]", "~methods.dcsomrl", "against=kmeans")
    benchmark(configured(*some))
    (tmp_path / "results" / "digits-kmeans-seed0.json").unlink()
    file = tmp_path / "runs" / "kmeans-digits" / "seed0" / damaged
    file.write_bytes(file.read_bytes()[:30] + b"\xff")
    with pytest.raises(DcsomrlError, match=rf"{damaged} is damaged .*: remove .*and run again"):
        benchmark(configured(*some))


def made_up(method, seed, purity, accuracy, nodes):
    return {
        "torch": "2", "precision": "32-true", "git_commit": "abc", "seed": seed, "seconds": 5.0,
        "epochs": 3, "nodes": nodes, "nodes_used": nodes, "purity": purity, "nmi": 0.5,
        "topographic_error": None, "merged_accuracy": accuracy, "merged_nmi": 0.4,
    }  # fmt: skip


def test_the_table_shows_means_deviations_and_tests(tmp_path):
    results = {}
    for seed in range(3):
        step = 0.01 * seed
        results[Cell("mine", "digits", seed)] = made_up("mine", seed, 0.8 + step, 0.7 + step, 64)
        results[Cell("other", "digits", seed)] = made_up(
            "other", seed, 0.6 + 1.1 * step, 0.7 - step, 60
        ) | {"device": "x86_64 CPU"}
    for seed in range(2):
        # A growing map of few nodes, and a method made for ten clusters.
        results[Cell("few", "digits", seed)] = made_up("few", seed, 0.4, 0.3, 10 - seed)
        results[Cell("ten", "digits", seed)] = made_up("ten", seed, 0.5, 0.5 + seed / 10, 10)
    config = {
        "methods": {
            "mine": [],
            "other": ["model=other", "a=2", "a=b"],
            "few": [],
            "ten": [],
            "absent": [],
        },
        "datasets": ["digits"],
        "seeds": [0, 1, 2],
        "common": ["a=b"],
        "merged_clusters": 10,
        "against": "mine",
        "published": {"digits": {"other": "0.61 / 0.50"}},
        "published_merged": {"digits": {"ten": "0.88 / 0.87"}},
        "output": "here",
    }
    write_report(results, config, tmp_path)
    table = (tmp_path / "table.md").read_text()
    assert "output=here`, 10 cells of 15" in table
    assert "Not yet run: absent." in table
    assert "(other with `a=2`)" in table
    # Results of before runs noted their device stand beside those of since.
    assert "Precision 32-true; torch 2, torch 2 on x86_64 CPU; code abc" in table
    whole, merged = table.split("### digits, 10 clusters")
    assert "| mine | 3 | 0.810 ± 0.010 | 0.500 ± 0.000 |" in whole
    assert "| 0.61 / 0.50 |" in whole
    assert "| other | 60 ± 0 | 3 | +0.199 | < 0.0001 | +0.000 | 1 |" in whole
    # The lesser of the two p that there are stays as it is.
    few = ttest_1samp([0.4, 0.41], 0).pvalue
    assert f"| few | 10 ± 1 | 2 | +0.405 | {few:.2g} | +0.000 | 1 |" in whole
    assert "| ten |" not in whole
    assert "| ten | 2 | 0.550 ± 0.071 | 0.400 ± 0.000 | n/a | n/a | 10 ± 0 | 3 ± 0 |" in merged
    assert "| 5 ± 0 | 0.88 / 0.87 |" in merged
    assert "| ten | 10 ± 0 | 2 | +0.155 |" in merged
    assert "| absent |" not in table
    console = Console(width=80)
    with console.capture() as capture:
        console.print(make_summary(results, config, "digits"))
    lines = [" ".join(line.split()) for line in capture.get().splitlines()]
    assert lines[1] == "method (seeds) purity NMI nodes accuracy, 10 NMI, 10"
    assert lines[2] == "mine (3) 0.810 ± 0.010 0.500 ± 0.000 64 ± 0 0.710 ± 0.010 0.400 ± 0.000"
    assert len(lines) == 6  # no row of a method without results


def test_a_cell_is_mean_and_deviation_of_its_seeds():
    assert format_spread({}, 3) == "n/a"
    assert format_spread({0: 0.5}, 3) == "0.500"
    assert format_spread({0: 1, 1: 3}, 0) == "2 ± 1"
