"""Campaigns against the program, in a short form, and whether they would see a difference."""

import json
import random
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest
import torch

from experiments.trust import disks, files, kills
from experiments.trust.comparison import compare_folders, find_broken, find_difference
from experiments.trust.fixtures import make_data
from experiments.trust.mutations import PLAIN, mutate
from experiments.trust.processes import HUNG, Ended, Runner


@pytest.mark.parametrize("change", PLAIN, ids=lambda change: change.__name__)
def test_a_change_is_drawn_from_its_number(change, tmp_path):
    np.savez(tmp_path / "x.npz", x=np.arange(9.0))
    for data in ((tmp_path / "x.npz").read_bytes(), b'{"a": [1, {"b": 2.5}]}', b"a,b\n1,2\n"):
        changed = {number: change(data, random.Random(number)) for number in range(20)}
        assert any(one != data for one in changed.values())
        for number, one in changed.items():
            assert change(data, random.Random(number)) == one


def test_a_change_inside_an_archive_keeps_its_sums(tmp_path):
    np.savez(tmp_path / "x.npz", x=np.arange(9.0))
    data, inside = (tmp_path / "x.npz").read_bytes(), 0
    for number in range(40):
        changed, what = mutate(data, random.Random(number))
        if what.startswith("x.npy: "):
            inside += 1
            (tmp_path / "y.npz").write_bytes(changed)
            with zipfile.ZipFile(tmp_path / "y.npz") as archive:
                assert archive.testzip() is None
    assert inside > 10


@pytest.mark.parametrize(
    ("ended", "outcome"),
    [
        (Ended(0, "all well"), "ran"),
        (Ended(1, "Traceback ...\nValueError: x.csv"), "failed"),
        (Ended(2, "INFO\nerror: x.csv is damaged: fix it\n"), "refused"),
        (Ended(2, "error: it is damaged"), "failed"),
        (Ended(2, "error: x.csv is damaged\nerror: x.csv is damaged"), "failed"),
        (Ended(2, "Traceback\nerror: x.csv is damaged"), "failed"),
        (Ended(2, "error: x.csv does not fit into memory"), "failed"),
        (Ended(HUNG, ""), "failed"),
    ],
)
def test_a_file_is_refused_by_its_name_alone(ended, outcome, tmp_path):
    assert files.judge(ended, tmp_path, "x.csv") == outcome


def test_results_without_numbers_are_seen(tmp_path):
    made = tmp_path / "made"
    made.mkdir()
    (made / "metrics.json").write_text('{"nodes": 3, "clusters": null}')
    assert files.judge(Ended(0, ""), tmp_path, "x.csv") == "failed"


def test_differences_are_seen_to_the_bit():
    one = {"a": [torch.tensor([1.0, float("nan")]), "x", 1], "b": float("nan")}
    assert find_difference(one, {**one, "b": float("nan")}) is None
    other = torch.tensor([1.0, float("nan")]).nextafter(torch.tensor(2.0))
    assert find_difference(one, {**one, "a": [other, "x", 1]}) == ".a[0]"
    assert "keys ['b']" in str(find_difference(one, {"a": one["a"]}))
    assert "1.0" in str(find_difference(one["a"], [one["a"][0], "x", 1.0]))
    assert find_difference(b"a", b"b") == "in its bytes"


def test_folders_are_the_same_but_for_times(tmp_path):
    for name, seconds in (("one", 1), ("two", 2)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "metrics.json").write_text(json.dumps({"nmi": 0.5, "seconds": seconds}))
        (folder / "train.log").write_text(name)
        pd.DataFrame({"a": [1.5]}).to_parquet(folder / "a.parquet")
    one, two = tmp_path / "one", tmp_path / "two"
    assert compare_folders(one, two) == []
    (two / "metrics.json").write_text(json.dumps({"nmi": 0.25, "seconds": 1}))
    (two / "a.parquet").rename(two / "b.0a1b2c3d.part")
    assert compare_folders(one, two) == [
        "a.parquet is lacking",
        "b.0a1b2c3d.part is left over",
        "metrics.json differs .nmi (0.5 and 0.25)",
    ]
    assert find_broken(two) == []
    (two / "metrics.json").write_text("{")
    assert "metrics.json: JSONDecodeError" in find_broken(two)[0]


@pytest.fixture
def runner():
    return Runner(sys.executable)


@pytest.mark.slow
def test_damaged_files_are_refused_or_read(runner, tmp_path, monkeypatch):
    few = {kind: files.READERS[kind][:1] for kind in ("npz", "csv", "png", "idx")}
    monkeypatch.setattr(files, "READERS", few)
    (tmp_path / "whole").mkdir()
    make_data(tmp_path / "whole")
    trials = [files.try_file(runner, tmp_path / "whole", number) for number in range(8)]
    for one in trials:
        assert one["outcome"] in ("refused", "ran"), one["said"]
    assert {one["kind"] for one in trials} == few.keys()


@pytest.mark.slow
def test_what_is_killed_comes_to_the_same_end(runner, tmp_path):
    whole = kills.run_whole(runner, "train somrl", tmp_path)
    for number in range(3):
        trial = kills.try_kill(runner, "train somrl", whole, number)
        assert trial["outcome"] == "equal", trial


@pytest.mark.slow
@pytest.mark.parametrize("trouble", ["limit to files", "no locks", "clock jumps"])
def test_what_is_in_trouble_comes_to_the_same_end(trouble, runner, tmp_path, monkeypatch):
    monkeypatch.setattr(disks, "TROUBLES", {trouble: disks.TROUBLES[trouble]})
    whole = kills.run_whole(runner, "train somrl", tmp_path)
    trial = disks.try_trouble(runner, "train somrl", whole, 0)
    assert trial["outcome"] == "equal", trial
