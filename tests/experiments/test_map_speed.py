"""The benchmark of maps: what it times, in which order, and what it makes of the numbers."""

import json

import numpy as np
import pytest
import torch

from dcsomrl.errors import DataError, DcsomrlError
from experiments.map_speed import main, parse
from experiments.map_speed_methods import make_full_map, make_limit, make_samples, make_somrl
from experiments.map_speed_page import make_comparison, make_sizes, render
from experiments.map_speed_results import add_result, compare
from experiments.map_speed_timing import (
    Method,
    cut_chunk,
    size_chunk,
    take_fastest,
    time_in_turns,
)

RECORD = {
    "part": "maps",
    "nodes": 64,
    "batch": 256,
    "device": "some CPU",
    "torch": "2",
    "threads": 1,
    "samples": 1000,
    "features": 22,
    "git_commit": "abc",
    "versions": {"MiniSom": "2.3"},
    "seconds a sample": {"SOMRL": 2e-6, "MiniSom": 1e-4, "fastersom": 3e-6, "limit": 5e-7},
}


def test_every_node_of_a_full_map_wins_its_own_sample_and_stays():
    samples = make_samples(2000, 22)
    assert samples.dtype == np.float32
    assert samples.min() >= 0
    assert samples.max() <= 1
    som = make_full_map(samples, 256)
    own = torch.from_numpy(samples[:256])
    assert torch.equal(som.assign(own).winner, torch.arange(256))
    assert som.training
    before = som.centers.clone()
    for part in torch.from_numpy(samples).split(500):
        som(part)
    assert not torch.equal(som.centers, before)
    assert (int(som.n_live), int(som.births), int(som.deaths)) == (256, 0, 0)


def test_samples_are_the_same_every_time_and_lie_in_groups():
    samples = make_samples(500, 4)
    assert np.array_equal(samples, make_samples(500, 4))
    apart = np.linalg.norm(samples[:, None] - samples, axis=2)
    np.fill_diagonal(apart, np.inf)
    assert np.median(apart.min(1)) < np.median(apart) / 3


def test_methods_take_turns():
    calls = []
    stubs = {name: lambda number, name=name: calls.append((number, name)) for name in "ab"}
    seconds = time_in_turns(stubs, 3)
    assert calls == [(0, "a"), (0, "b"), (1, "a"), (1, "b"), (2, "a"), (2, "b")]
    assert {name: len(own) for name, own in seconds.items()} == {"a": 3, "b": 3}


@pytest.fixture
def take(monkeypatch):
    """Makes learners of so many seconds a sample, by a clock that stands still but for them."""
    now = [0.0]
    monkeypatch.setattr("experiments.map_speed_timing.time.perf_counter", lambda: now[0])

    def make(seconds):
        def learn(chunk):
            now[0] += seconds * len(chunk)

        return learn

    return make


def test_chunks_take_about_the_time_they_should(take):
    learn = take(0.0625)
    samples = np.zeros((1000, 2), np.float32)
    assert size_chunk(Method(learn, 10), samples, 5) == 80
    assert size_chunk(Method(learn, 10), samples, 0.1) == 10
    assert size_chunk(Method(learn, 300), samples, 1e4) == 900


def test_chunks_follow_each_other_and_begin_anew():
    samples = np.arange(10, dtype=np.float32)[:, None]
    found = [cut_chunk(samples, 3, number)[:, 0].tolist() for number in range(4)]
    assert found == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [0, 1, 2]]


def test_the_fastest_is_taken(take):
    slow, fast = take(2.0), take(1.0)
    assert take_fastest([slow, fast, slow], np.zeros((4, 2), np.float32)) is fast


def test_ratios_are_of_samples_a_second():
    ratio, share = compare(RECORD["seconds a sample"])
    assert ratio == pytest.approx(1.5)
    assert share == pytest.approx(0.25)
    assert compare({"SOMRL": 2.0, "limit": 1.0}) == (None, 0.5)
    header, rows = make_comparison([RECORD])
    assert header[2:6] == ["SOMRL", "MiniSom", "fastersom", "limit"]
    assert rows == [["64", "256", "500,000", "10,000", "333,333", "2,000,000", "1.50", "25%"]]


def test_steps_are_in_milliseconds():
    _, rows = make_sizes([RECORD])
    assert rows == [["64", "256", "0.512", "0.128", "25%", "31.25"]]


def test_a_chunk_is_learned_batch_by_batch(monkeypatch):
    samples = make_samples(512, 5)
    seen = []
    monkeypatch.setattr("dcsomrl.maps.SOMRL.learn_", lambda self, z: seen.append(len(z)))
    make_somrl(samples, 64, 128).learn(samples)
    assert seen == [128] * 4
    assert make_limit(samples, 64, 128).unit == 128


def test_what_is_measured_again_takes_the_place_of_what_it_was(tmp_path):
    out = tmp_path / "new" / "results.json"
    sizes = {**RECORD, "part": "sizes", "batch": 4096}
    for record in (RECORD, sizes, {**sizes, "nodes": 1024}, {**sizes, "git_commit": "def"}):
        add_result(out, record)
    kept = json.loads(out.read_text())
    assert [one["git_commit"] for one in kept.values()] == ["abc", "def", "abc"]
    add_result(out, {**RECORD, "threads": 2})
    assert len(json.loads(out.read_text())) == 4
    page = render(out, tmp_path).read_text()
    assert "500,000" in page
    assert "2 threads" in page
    assert "![" in page
    assert (tmp_path / "map_speed.png").stat().st_size > 0


def test_it_runs_on_what_is_there_and_says_what_is_not(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        "experiments.map_speed.find_installed", lambda: ({}, {"Other": "No module named 'other'"})
    )
    out = tmp_path / "results.json"
    sizes = ["--nodes", "64", "--batches", "128", "--samples", "256"]
    main([*sizes, "--seconds", "0.01", "--rounds", "2", "--out", str(out)])
    said = capsys.readouterr().out
    assert "Other is left out: No module named 'other'" in said
    assert "SOMRL" in said
    (record,) = json.loads(out.read_text()).values()
    assert set(record["seconds a sample"]) == {"SOMRL", "limit"}
    assert record["threads"] == 1
    assert torch.tensor(1e-40) * torch.tensor(1.0) > 0  # the caller keeps its denormal numbers


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--nodes", "65"], "square"),
        (["--samples", "100"], "too few"),
        (["--rounds", "0"], "above 0"),
    ],
)
def test_what_cannot_be_measured_is_refused(arguments, words):
    with pytest.raises(DcsomrlError, match=words):
        parse(arguments)


def test_damaged_and_missing_results_are_named(tmp_path):
    with pytest.raises(DataError, match="no results"):
        render(tmp_path / "none.json", tmp_path)
    (tmp_path / "bad.json").write_text('{"a": {"nodes": 1}}')
    with pytest.raises(DataError, match="incomplete"):
        render(tmp_path / "bad.json", tmp_path)
