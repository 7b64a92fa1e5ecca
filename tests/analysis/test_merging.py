import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_rel

from dcsomrl.analysis import compare_paired, count_winners, merge
from dcsomrl.analysis.holm import correct_p_values
from dcsomrl.analysis.merging import (
    find_communities,
    merge_by_distance,
    merge_by_kmeans,
    merge_by_linkage,
    prune,
)


def test_counts_are_symmetric_and_leave_out_who_has_no_winner():
    counts = count_winners(np.array([0, 1, 2, -1, 0]), np.array([1, 0, 1, 0, -1]), 4)
    expected = np.zeros((4, 4))
    expected[0, 1] = expected[1, 0] = 2
    expected[1, 2] = expected[2, 1] = 1
    assert counts.tolist() == expected.tolist()


def test_nodes_that_share_samples_are_merged():
    rng = np.random.default_rng(0)
    group = np.repeat([0, 1, 2], 5)
    counts = np.where(group[:, None] == group, rng.integers(20, 60, (15, 15)), 1).astype(float)
    counts = counts + counts.T
    np.fill_diagonal(counts, 0)
    counts[3], counts[:, 3] = 0, 0
    found = merge(counts, 3)
    used = np.arange(15) != 3
    pairs = found[used][:, None] == found[used]
    assert (pairs == (group[used][:, None] == group[used])).all()


def test_parts_of_a_map_that_do_not_touch_become_clusters():
    counts = np.kron(np.eye(3), np.ones((4, 4))) - np.eye(12)
    found = merge(counts, 3)
    assert len(set(found)) == 3
    assert all(len(set(found[i : i + 4])) == 1 for i in (0, 4, 8))


def test_few_nodes_stay_as_they_are():
    counts = np.array([[0, 2, 0], [2, 0, 0], [0, 0, 0]], dtype=float)
    assert merge(counts, 2).tolist() == [0, 1, 0]
    with pytest.raises(ValueError, match="n_clusters must be at least 1"):
        merge(counts, 0)


def test_p_values_are_paired_and_corrected():
    rng = np.random.default_rng(0)
    base = dict(enumerate(rng.normal(0.8, 0.05, 6)))
    near = {seed: value + rng.normal(0.001, 0.002) for seed, value in base.items()}
    far = {seed: value - 0.1 + rng.normal(0, 0.01) for seed, value in base.items()}
    found = compare_paired({"a": base, "near": near, "far": far, "one": {0: 0.5}}, "a")
    raw = {
        name: ttest_rel(list(base.values()), list(other.values())).pvalue
        for name, other in (("near", near), ("far", far))
    }
    assert found["far"] == pytest.approx(2 * raw["far"])
    assert found["near"] == pytest.approx(max(raw["near"], found["far"]))
    assert np.isnan(found["one"])
    assert compare_paired({"a": base, "same": dict(base)}, "a") == {"same": 1.0}


def blocks(sizes=(5, 5, 3), between=1.0):
    """Connectivity of groups that share many samples within and few between."""
    group = np.repeat(np.arange(len(sizes)), sizes)
    counts = np.where(group[:, None] == group, 50.0, between)
    np.fill_diagonal(counts, 0)
    return group, counts


def same_groups(found, group):
    return ((found[:, None] == found) == (group[:, None] == group)).all()


def test_communities_are_found_without_their_number():
    group, counts = blocks()
    assert same_groups(find_communities(counts), group)
    assert find_communities(np.zeros((3, 3))).tolist() == [0, 1, 2]


@pytest.mark.parametrize("merged", [merge_by_distance, merge_by_kmeans])
def test_centres_in_groups_are_merged_by_distance(merged):
    group = np.repeat([0, 1, 2], 4)
    centers = group[:, None] * 5 + np.random.default_rng(0).random((12, 2))
    assert same_groups(merged(centers, 3), group)
    assert merged(centers[:2], 3).tolist() == [0, 1]
    with pytest.raises(ValueError, match="at least 1, got 0"):
        merged(centers, 0)


def test_pruning_keeps_who_wins_enough_and_always_the_largest():
    wins = np.array([0, 10, 40, 50])  # 25 in the mean
    assert prune(wins, 0.4).tolist() == [False, True, True, True]
    assert prune(wins, 0.41).tolist() == [False, False, True, True]
    assert prune(wins, 0.0).all()
    assert prune(np.zeros(3, dtype=int), 1.0).all()
    assert prune(np.array([5, 5, 6]), 1.2).tolist() == [False, False, True]


def test_slots_without_a_sample_do_not_take_a_cluster():
    group, counts = blocks((6, 5, 4), between=15.0)
    padded = np.zeros((100, 100))
    padded[:15, :15] = counts
    assert same_groups(merge(padded, 3)[:15], group)
    assert same_groups(merge(counts, 3), group)


def test_linkage_of_winners_finds_groups_and_few_nodes_stay():
    group, counts = blocks()
    assert same_groups(merge_by_linkage(counts, 3), group)
    # A node that shares twice as much with one group as with another goes there, however much
    # more the other one shares within.
    counts[:5, :5] *= 100
    new = np.zeros(14)
    new[5:10], new[:5] = 20.0, 10.0
    grown = np.zeros((14, 14))
    grown[:13, :13], grown[13, :13], grown[:13, 13] = counts, new[:13], new[:13]
    found = merge_by_linkage(grown, 3)
    assert found[13] == found[5] != found[0]
    assert merge_by_linkage(counts[:3, :3], 3).tolist() == [0, 1, 2]
    assert len(set(merge_by_linkage(np.zeros((4, 4)), 2))) == 2  # nodes that share nothing


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 1) | st.just(float("nan")), max_size=8))
def test_p_is_corrected_step_by_step_for_those_that_there_are(p):
    order = sorted((one, i) for i, one in enumerate(p) if one == one)
    expected, highest = list(p), 0.0
    for rank, (one, i) in enumerate(order):
        highest = max(highest, min(1.0, one * (len(order) - rank)))
        expected[i] = highest
    np.testing.assert_allclose(correct_p_values(p), expected, rtol=1e-12)
