"""What a search leaves: the best as an experiment that composes, and criteria without labels."""

import random
import shutil
import threading
import time

import pandas as pd
import pytest
import torch
from hydra import compose, initialize_config_dir
from optuna.distributions import CategoricalDistribution, IntDistribution

from dcsomrl.configuration import find_config_dir
from dcsomrl.search import Search
from dcsomrl.search.best import format_experiment, list_deletions
from dcsomrl.search.designs import Grid
from dcsomrl.search.outcome import collect_outcome, find_front, read, save
from dcsomrl.search.results import TOP, write_results
from dcsomrl.search.stability import measure_stability
from experiments import searches

pytestmark = pytest.mark.slow

CHOICES = {"dataset": "digits", "autoencoder": "mlp", "model": "dcsomrl", "experiment": None}


def composed_best(folder, space, fixed, choices):
    """The configuration of the experiment of a search's last point."""
    n = len(Grid().make_points(space, sum(len(d.choices) for d in space.values())))
    search = Search(folder / "found", space, Grid(), n, {"nmi": "maximize"}, {})
    while claim := search.claim():
        search.succeed(claim, [{"nmi": claim.point}])
    text = format_experiment(search.list_completed()[-1], search, fixed, choices)
    (folder / "experiment").mkdir()
    (folder / "experiment" / "best.yaml").write_text(text)
    with initialize_config_dir(str(find_config_dir()), version_base="1.3"):
        return compose("train", [f"hydra.searchpath=[file://{folder}]", "experiment=best"])


def test_a_searched_group_is_chosen_and_settings_follow(tmp_path):
    space = {"model": CategoricalDistribution(["dcsomrl", "desom"])}
    cfg = composed_best(tmp_path, space, ["trainer.max_epochs=3", "dataset=digits"], CHOICES)
    assert cfg.model._target_.endswith("DESOM")
    assert cfg.trainer.max_epochs == 3
    assert cfg.dataset.name == "digits"


def test_a_chosen_experiment_is_carried_along(tmp_path):
    space = {"model.gamma": CategoricalDistribution([0.5, 0.25])}
    choices = CHOICES | {"dataset": "mnist_all", "model": "desom", "experiment": "desom_mnist"}
    cfg = composed_best(tmp_path, space, ["experiment=desom_mnist"], choices)
    assert (cfg.trainer.max_steps, cfg.trainer.max_epochs) == (10000, 37)
    assert cfg.model.gamma == 0.25
    assert cfg.dataset.name == "mnist_all"


def test_settings_are_read_in_hydras_grammar(tmp_path):
    space = {"+model.extra": CategoricalDistribution([3])}
    fixed = ["+trainer.kw={a:1,b:[x,null]}", "+note=a: b", "++quoted='1'", "callbacks=[course]",
             "~model.alpha", "seed=4", "logger=wandb", "search=tpe"]  # fmt: skip
    cfg = composed_best(tmp_path, space, fixed, CHOICES | {"callbacks": "none", "logger": "csv"})
    assert cfg.model.extra == 3
    assert cfg.trainer.kw == {"a": 1, "b": ["x", None]}
    assert (cfg.note, cfg.quoted, cfg.seed) == ("a: b", "1", 0)
    assert "paths" in cfg.callbacks
    assert "wandb" not in cfg.logger
    # A file cannot take a setting away: the printed command does.
    assert "alpha" in cfg.model
    assert list_deletions(fixed) == "'~model.alpha'"


def test_searched_groups_are_chosen_whatever_they_are(tmp_path):
    space = {"callbacks": CategoricalDistribution(["none", "stop_collapsed"])}
    cfg = composed_best(tmp_path, space, [], CHOICES | {"callbacks": "none"})
    assert "stop_collapsed" in cfg.callbacks


def test_a_searched_experiment_is_the_base(tmp_path):
    space = {"experiment": CategoricalDistribution(["paper_mnist", "desom_mnist"])}
    cfg = composed_best(tmp_path, space, [], CHOICES | {"experiment": "paper_mnist"})
    assert cfg.model._target_.endswith("DESOM")
    assert cfg.trainer.max_steps == 10000


@pytest.fixture
def traded(tmp_path):
    """A search with two objectives, half done, and the results of every point."""
    space = {"a": IntDistribution(0, 29)}
    goals = {"high": "maximize", "low": "minimize"}
    rng = random.Random(1)

    def opened():
        return Search(tmp_path / "traded", space, Grid(), 30, goals, {})

    def work(search, n):
        for _ in range(n):
            claim = search.claim()
            if claim.point % 10 == 3:
                search.fail(claim, "no luck")
            else:
                # Few values, so that some points are equal in one objective or in both.
                high = rng.randrange(12)
                search.succeed(claim, [{"high": high, "low": high + rng.randrange(4)}])

    return opened, work


def test_the_front_is_what_no_other_point_beats(traded, tmp_path, capsys):
    opened, work = traded
    search = opened()
    work(search, 30)
    save(collect_outcome(search), search.folder)
    points = read(search.folder).points
    done = points[points["state"] == "complete"]

    def beaten(one):
        as_good = (done["high"] >= one["high"]) & (done["low"] <= one["low"])
        return (as_good & ((done["high"] > one["high"]) | (done["low"] < one["low"]))).any()

    expected = [not beaten(row) for _, row in done.iterrows()]
    assert list(done["pareto"]) == expected
    assert not points["pareto"][points["state"] == "fail"].any()
    assert TOP < sum(expected) < len(expected)
    write_results(search, [], CHOICES, "again")
    shown = capsys.readouterr().out
    assert all(f"{point}*" in shown for point in done["point"][expected])
    assert len(find_front(search)) == sum(expected)


def test_a_slow_process_does_not_write_what_was_before(traded, capsys):
    opened, work = traded
    slow, fast = opened(), opened()
    work(slow, 5)
    claim = fast.claim()
    with fast.writing:
        thread = threading.Thread(target=write_results, args=(slow, [], CHOICES, "again"))
        thread.start()
        time.sleep(1)  # it waits; what it had read by now would be old
        fast.succeed(claim, [{"high": 99, "low": -1}])
        other = fast.claim()
    thread.join()
    assert len(read(slow.folder).points) == 6
    best = (slow.folder / "experiment" / "best.yaml").read_text()
    assert f"# Point {claim.point} of traded: high 99.0000, low -1.0000" in best
    assert (
        "5 points succeeded of 6 tried"
        in (slow.folder / "sensitivity" / "sensitivity.md").read_text()
    )
    assert "1 more, begun by other processes" in capsys.readouterr().out
    assert list(slow.folder.rglob("*.part")) == []
    fast.leave(other)


@pytest.fixture
def two_runs(run_small, tmp_path):
    """Two runs of k-means on the digits with seeds of their own."""

    def run(*overrides):
        folders = []
        for seed in (0, 1):
            folders.append(tmp_path / f"{len(overrides)}-{seed}")
            small = ("model=kmeans", "trainer=cpu", f"seed={seed}", *overrides)
            run_small(run_dir=folders[-1], small=small)
        return folders

    return run


def test_stability_is_the_agreement_of_seeds_and_nothing_for_a_single_cluster(two_runs, tmp_path):
    folders = two_runs()
    found = measure_stability(folders)
    assert 0.3 < found < 1
    assert measure_stability([folders[0], folders[0]]) == pytest.approx(1)
    collapsed = [tmp_path / "one", tmp_path / "other"]
    for folder, source in zip(collapsed, folders, strict=True):
        _collapse(source, folder)
    assert measure_stability(collapsed) == 0


def _collapse(source, folder):
    """A copy of a run whose centres but one are far from every sample."""
    shutil.copytree(source, folder)
    path = folder / "checkpoints" / "last.ckpt"
    checkpoint = torch.load(path, weights_only=True)
    checkpoint["state_dict"]["centers"][1:] += 1e3
    torch.save(checkpoint, path)


def test_the_best_of_two_searches_becomes_an_experiment(tmp_path, monkeypatch):
    """From a table as two searches leave it, where whole numbers may have become floats."""
    initial = pd.DataFrame({"params/model.som.max_nodes": [100], "params/dataset.batch_size": [64]})
    adjusted = pd.DataFrame({"params/model.som.max_nodes": [200], "params/model.alpha": [0.1]})
    points = pd.concat([initial.assign(search="a"), adjusted.assign(search="b")], ignore_index=True)
    (tmp_path / "experiment").mkdir()
    monkeypatch.setattr(searches, "find_config_dir", lambda: tmp_path)
    for i, expected in ((0, "batch_size: 64"), (1, "alpha: 0.1")):
        searches.write_experiment("digits", points.assign(point=i).loc[i])
        text = (tmp_path / "experiment" / "best_digits.yaml").read_text()
        assert expected in text
        assert f"max_nodes: {(i + 1) * 100}\n" in text
        assert "nan" not in text
