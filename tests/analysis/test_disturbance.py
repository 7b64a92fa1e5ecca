"""Disturbances of maps whose answer is known."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from dcsomrl.analysis.disturbance import choose_dimensions, disturb, measure_disturbance

RNG = np.random.default_rng(0)
RELEVANCES = RNG.random((6, 8))


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.7, 1.1])
def test_every_kind_takes_as_many_dimensions(threshold):
    count = (threshold > RELEVANCES).sum(1)
    masks = {
        kind: choose_dimensions(RELEVANCES, threshold, kind, RNG)
        for kind in ("least relevant", "random", "most relevant")
    }
    for mask in masks.values():
        assert mask.sum(1).tolist() == count.tolist()
    assert (masks["least relevant"] == (threshold > RELEVANCES)).all()
    for row, mask, n in zip(RELEVANCES, masks["most relevant"], count, strict=True):
        assert sorted(row[mask]) == sorted(row)[len(row) - n :]


def test_moves_have_one_norm_and_stay_in_the_box():
    centers = RNG.random((50, 8))
    mask = RNG.random((50, 8)) < 0.5
    moved = disturb(centers, mask, 0.3, RNG, (0, 1))
    assert ((moved >= 0) & (moved <= 1)).all()
    np.testing.assert_allclose(np.abs(moved - centers), 0.3 * mask, atol=1e-12)
    free = disturb(np.zeros((50, 8)), mask, 5.0, RNG)
    np.testing.assert_array_equal(np.abs(free), 5.0 * mask)
    assert 0.3 < (free[mask] > 0).mean() < 0.7


def world(m=6):
    """Nodes apart in the first three dimensions, which alone are relevant and decoded."""
    centers = np.full((8, m), 0.5)
    centers[:, :3] = np.array(np.meshgrid([0.2, 0.8], [0.2, 0.8], [0.2, 0.8])).reshape(3, 8).T
    relevances = np.tile([0.9, 0.8, 0.7, 0.3, 0.2, 0.1], (8, 1))

    def decode(z):
        return z[:, :3]

    def winners(z):
        return cdist(z[:, :3], centers[:, :3]).argmin(1)

    return centers, relevances, decode, winners


def test_where_relevances_tell_the_truth_the_least_relevant_change_nothing():
    centers, relevances, decode, winners = world()
    node_class = (centers[:, 0] > 0.5).astype(int)
    table = measure_disturbance(
        centers, relevances, 0.35, decode, winners, node_class, (0, 1), [0.15, 0.5], repeats=50
    ).set_index(["threshold", "kind"])
    assert table.loc[(0.5, "least relevant"), ["change", "winner_flips", "class_flips"]].sum() == 0
    most = table.loc[(0.5, "most relevant")]
    assert most["dimensions"] == 3
    assert most["change"] == pytest.approx(0.35)  # all that is decoded moves, each by the size
    assert most["winner_flips"] == 1  # inside the box every move of 0.35 passes the middle
    assert most["class_flips"] == 1
    # One of three decoded dimensions moves: sqrt(0.35^2 / 3).
    assert table.loc[(0.15, "most relevant"), "change"] == pytest.approx(0.35 / np.sqrt(3))
    some = table.loc[(0.15, "random")]
    assert some["winner_flips"] == pytest.approx(0.5, abs=0.1)  # half of the six are decoded
    assert some["winner_flips_low"] < some["winner_flips"] < some["winner_flips_high"]
    assert some["class_flips"] == pytest.approx(1 / 6, abs=0.1)


def test_intervals_hold_the_mean_of_the_population():
    """Nodes whose change is drawn from a known distribution: most intervals hold its mean."""
    inside = []
    for seed in range(60):
        size = np.random.default_rng(seed).exponential(1.0, 40)
        table = measure_disturbance(
            np.zeros((40, 1)), np.zeros((40, 1)), 1.0, lambda z, size=size: z * size[:, None],
            lambda z: np.arange(40), None, None, [0.5], 1, seed,
        )  # fmt: skip
        row = table.iloc[0]
        inside.append(row["change_low"] <= 1 <= row["change_high"])
        assert "class_flips" not in table
    assert 0.83 < np.mean(inside) <= 1


def test_nodes_without_a_class_are_left_out():
    centers, relevances, decode, winners = world()
    node_class = np.full(8, -1)
    table = measure_disturbance(
        centers, relevances, 0.35, decode, winners, node_class, (0, 1), [0.5], repeats=2
    )
    assert table["class_flips"].isna().all()
    assert table["winner_flips"].notna().all()
