"""Scores of experiments are kept, and outlive the runs that they are of."""

import json

import pytest

from experiments.runs import RUNS, measure

pytestmark = pytest.mark.slow

JOBS = {
    f"small/seed{seed}": ["model=kmeans", "trainer=cpu", "dataset=digits", f"seed={seed}"]
    for seed in (0, 1)
}


def test_what_was_kept_is_not_run_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    kept = tmp_path / "results" / "kept"
    found = measure(JOBS, kept, at_once=2)
    assert list(found) == list(JOBS)
    for name, scores in found.items():
        assert scores == json.loads((RUNS / name / "metrics.json").read_text())
    assert found["small/seed0"]["seed"] == 0
    assert found["small/seed1"]["seed"] == 1
    RUNS.rename("elsewhere")
    assert measure(JOBS, kept) == found
    assert not RUNS.exists()
    # One that is not kept is taken from its run, or else run.
    (kept / "small-seed1.json").unlink()
    again = measure(JOBS, kept)
    assert (RUNS / "small/seed1").exists()
    assert not (RUNS / "small/seed0").exists()
    assert again["small/seed1"]["purity"] == found["small/seed1"]["purity"]
