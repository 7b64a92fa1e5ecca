"""Answers to the questions of a report, held against what they are made of."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from dcsomrl.reporting.comparison import compare_clusters
from dcsomrl.reporting.number import answer_number, describe_changes
from dcsomrl.reporting.odd import answer_odd
from dcsomrl.reporting.trained import answer_training
from tests.conftest import read_test_split

pytestmark = pytest.mark.slow


def test_outliers_come_first_and_are_those_of_the_assignments(trained, run):
    assigned = read_test_split(trained)
    answer = answer_odd(run)
    number = int(assigned["outlier"].sum())
    assert answer.text.startswith(f"{number} of {len(assigned)} test samples ")
    order = assigned.sort_values(["outlier", "activation"], ascending=[False, True]).head(15)
    assert [row[0] for row in answer.rows] == [f"test {index}" for index in order["index"]]
    assert [row[1] for row in answer.rows] == ["yes" if one else "no" for one in order["outlier"]]
    for column, cell in (("cluster", 2), ("node", 3)):
        assert [row[cell] for row in answer.rows] == [str(one) for one in order[column]]
    shown = np.round(run.samples[order["index"].to_numpy(), 0].clip(0, 1) * 255)
    np.testing.assert_array_equal(answer.pictures[..., 0], shown)


def test_an_odd_row_of_a_table_is_called_by_its_name_with_what_is_odd(run):
    n = len(run.winner)
    samples = np.random.default_rng(0).normal(size=(n, 3))
    samples[4, 1] = 9
    table = replace(
        run,
        samples=samples,
        decoded=np.zeros((len(run.slots), 3)),
        feature_names=["a", "b", "c"],
        called=[f"row {i}" for i in range(n)],
        outlier=np.arange(n) == 4,
    )
    answer = answer_odd(table)
    assert answer.pictures is None
    name, outlier, unlike, *_ = answer.rows[0]
    assert (name, outlier) == ("row 4", "yes")
    feature, far = unlike.split(", ")[0].split()
    assert (feature, float(far)) == ("b", pytest.approx(9 / samples[:, 1].std(), abs=0.06))
    assert answer.text.startswith(f"1 of {n} test samples is an outlier")


def log(losses, nodes):
    return pd.DataFrame({"epoch": range(len(losses)), "train/loss": losses, "nodes": nodes})


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_a_training_whose_loss_still_falls_was_perhaps_too_short(run, schedule):
    config = {**run.config, "model": {**run.config["model"], "schedule": schedule}}
    falling = log(np.linspace(2, 1, 20), [30.0] * 20)
    answer = answer_training(replace(run, history=falling, config=config))
    assert answer.text.startswith("Perhaps not: at the end, loss still falling.")
    assert "trainer.max_epochs=40" in answer.text
    # Of the last four epochs: means of two, which fall by 4 of 19 parts of the line.
    before, after = (2 - np.array([14.5, 18.5]) / 19).tolist()
    assert answer.rows[0][1:4] == [f"{before:.4g}", f"{after:.4g}", f"{after / before - 1:+.1%}"]
    assert answer.rows[1][-1] == "level"
    growing = log([1.0] * 20, np.linspace(10, 30, 20))
    answer = answer_training(replace(run, history=growing, config=config))
    assert "nodes still rising" in answer.text


def test_of_a_level_training_is_said_whether_that_says_much(run):
    level = log([1.0] * 20, [30.0] * 20)
    told = {}
    for schedule in ("constant", "cosine"):
        config = {**run.config, "model": {**run.config["model"], "schedule": schedule}}
        told[schedule] = answer_training(replace(run, history=level, config=config)).text
    assert told["constant"].startswith("It seems so")
    assert "falls to 0" not in told["constant"]
    assert told["cosine"].startswith("There is no sign against it")
    assert "Only a longer one is conclusive" in told["cosine"]


def test_few_epochs_and_no_log_give_no_verdict(run):
    few = answer_training(replace(run, history=log([1.0] * 4, [3.0] * 4)))
    assert few.text.startswith("4 epochs are too few to tell")
    assert answer_training(replace(run, history=pd.DataFrame())) is None


def test_other_numbers_are_those_that_the_model_merges_into(run):
    answer = answer_number(run)
    shown = int(run.cluster.max()) + 1
    rows = {int(row[0]): row for row in answer.rows}
    assert rows[shown][3] == "shown"
    assert set(rows) <= set(range(max(1, shown - 3), shown + 4))
    for number, row in rows.items():
        sizes = [int(size) for size in row[2].split(", ")]
        assert len(sizes) == number
        assert sum(sizes) == (run.winner >= 0).sum()
    # The clusters found are those of the widest range.
    assert max(run.numbers.values()) == run.numbers[shown]
    assert f"divides into the {shown} clusters shown" in answer.text
    assert f"{run.numbers[shown]:.0%} of the range" in answer.text


def test_a_number_that_was_asked_for_is_said_to_be(run):
    found = int(run.cluster.max()) + 1
    told = replace(run, config={**run.config, "n_clusters": 3}, cluster=run.merge(3)[run.slots])
    text = answer_number(told).text
    assert text.startswith(f"3 clusters were asked for. By itself, the map divides into {found}")


def test_a_number_that_hardly_holds_is_called_no_clear_one(run):
    shown = int(run.cluster.max()) + 1
    doubt = answer_number(replace(run, numbers={shown: 0.2, shown + 1: 0.1})).text
    assert "No number stands out" in doubt
    close = answer_number(replace(run, numbers={shown: 0.4, shown + 1: 0.38})).text
    assert f"It was close: {shown + 1} clusters hold over nearly as much" in close
    clear = answer_number(replace(run, numbers={shown: 0.7, shown + 1: 0.2})).text
    assert "It stands out." in clear


def test_what_is_joined_and_parted_is_said():
    shown, wins = np.array([0, 0, 1, 2]), np.array([30, 10, 20, 20])
    assert describe_changes(shown, np.array([0, 0, 1, 1]), wins) == "1 and 2 are merged"
    assert describe_changes(shown, np.array([0, 0, 0, 0]), wins) == "0, 1 and 2 are merged"
    assert describe_changes(shown, np.array([0, 1, 2, 3]), wins) == "0 is split: 75%, 25%"
    assert describe_changes(shown, shown, wins) == "nearly the same samples"


def test_clusters_are_compared_by_their_mean_samples_and_their_border(trained, run):
    assigned = read_test_split(trained)
    found = compare_clusters(run)
    number = int(run.cluster.max()) + 1
    slots = dict(zip(run.slots.tolist(), run.cluster.tolist(), strict=True))
    beside = assigned["second"].map(slots)
    for one in range(number):
        own = (assigned["cluster"] == one).to_numpy()
        assert found.sizes[one] == own.sum()
        mean = run.samples[own].mean(0)[0]
        np.testing.assert_allclose(found.pictures[one, :, :, 0], 255 * mean, atol=0.51)
        for other in range(number):
            assert found.border[one, other] == (own & (beside == other).to_numpy()).sum()
    assert compare_clusters(replace(run, cluster=np.zeros_like(run.cluster))) is None
