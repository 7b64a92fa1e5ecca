"""What samples between nodes say of them, and the clusters that come of it."""

import itertools
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import make_blobs

from dcsomrl.analysis.clusters import (
    RESOLUTIONS,
    divide,
    find_clusters,
    find_number,
    join,
    list_numbers,
)
from dcsomrl.analysis.connectivity import Connectivity
from dcsomrl.analysis.merging import find_communities


def of_samples(x: np.ndarray, centers: np.ndarray) -> Connectivity:
    """By plain distances."""
    apart = np.sqrt(((x[:, None] - centers) ** 2).sum(2))
    order = apart.argsort(1)
    near, far = (np.take_along_axis(apart, order[:, [i]], 1)[:, 0] for i in (0, 1))
    return Connectivity.count(order[:, 0], order[:, 1], (near / far) ** 2, len(centers))


def quantized(x: np.ndarray, n_nodes: int) -> tuple[np.ndarray, Connectivity]:
    from sklearn.cluster import KMeans

    centers = KMeans(n_nodes, n_init=1, random_state=0).fit(x).cluster_centers_
    return centers, of_samples(x, centers)


@settings(deadline=None)
@given(n=st.integers(0, 40), k=st.integers(1, 6), seed=st.integers(0, 10**6))
def test_counts_are_the_loops(n, k, seed):
    rng = np.random.default_rng(seed)
    first, second = rng.integers(-1, k, n), rng.integers(-1, k, n)
    ratio = rng.random(n)
    found = Connectivity.count(first, second, ratio, k)
    wins, between = np.zeros(k), np.zeros((k, k))
    for i, j, one in zip(first, second, ratio, strict=True):
        if i < 0:
            continue
        wins[i] += 1
        share = max(0, 9 / 8 * (one - 1 / 9)) if j >= 0 else 0
        between[i, i] += 2 * (1 - share)
        if j >= 0:
            between[i, j] += share
            between[j, i] += share
    np.testing.assert_array_equal(found.wins, wins)
    np.testing.assert_allclose(found.between, between, atol=1e-12)
    # Every sample counts twice in all: nothing is lost and nothing is made up.
    assert found.between.sum() == pytest.approx(2 * wins.sum())
    again = Connectivity.from_state(found.state())
    np.testing.assert_array_equal(again.wins, found.wins)
    np.testing.assert_array_equal(again.between, found.between)


def test_the_number_is_that_of_what_hangs_together():
    rng = np.random.default_rng(0)
    blobs = np.concatenate([rng.normal(c, 0.4, (800, 2)) for c in ((0, 0), (5, 0), (0, 5))])
    _, three = quantized(blobs, 30)
    group = find_number(three.between)
    assert group.max() == 2


def test_the_number_may_be_one_or_that_of_the_nodes():
    rng = np.random.default_rng(0)
    _, whole = quantized(rng.normal(size=(5000, 10)), 30)
    assert find_number(whole.between).max() == 0
    centers = 10 * rng.normal(size=(9, 16))
    far = of_samples(centers[rng.integers(9, size=3000)] + rng.normal(size=(3000, 16)), centers)
    assert find_number(far.between).max() == 8
    # Tight groups in many dimensions, each with a node: no sample lies between two.
    centers = rng.normal(size=(12, 100))
    tight = of_samples(
        centers[rng.integers(12, size=3000)] + 0.3 * rng.normal(size=(3000, 100)), centers
    )
    assert find_number(tight.between).max() == 11
    assert len(find_number(np.array([[2.0]]))) == 1


def test_numbers_are_listed_with_the_widest_range_over_which_each_holds():
    x, _ = make_blobs(500, centers=4, n_features=6, cluster_std=6, random_state=1)
    _, found = quantized(x, 20)
    numbers = [int(find_communities(found.between, one).max()) + 1 for one in RESOLUTIONS]
    widest: dict[int, int] = {}
    for number, same in itertools.groupby(numbers):
        widest[number] = max(widest.get(number, 0), len(list(same)))
    listed = list_numbers(found.between)
    assert len(listed) > 1
    assert listed == {number: width / len(RESOLUTIONS) for number, width in widest.items()}
    assert max(listed, key=listed.__getitem__) == find_number(found.between).max() + 1


@pytest.mark.parametrize("n_nodes", [4, 8, 20])
def test_far_groups_are_found_by_few_nodes_and_by_many(n_nodes):
    x, _ = make_blobs(500, centers=4, n_features=6, cluster_std=0.8, random_state=1)
    _, found = quantized(x, n_nodes)
    assert find_number(found.between).max() == 3


def test_a_number_that_does_not_stand_out_is_said(caplog):
    # In the plane few samples are undecided between nodes of one group.
    _, whole = quantized(np.random.default_rng(0).normal(size=(5000, 2)), 30)
    find_number(whole.between)
    assert "no number of clusters stands out" in caplog.text
    caplog.clear()
    x, _ = make_blobs(500, centers=4, n_features=6, random_state=1)
    find_number(quantized(x, 20)[1].between)
    assert not caplog.text


def squares(centers: np.ndarray, weights: np.ndarray, group: list[int]) -> float:
    """Weighted sum of squares within the groups, by loops."""
    total = 0.0
    for cluster in set(group):
        inside = [i for i, one in enumerate(group) if one == cluster]
        held = sum(weights[i] for i in inside)
        mean = sum(weights[i] * centers[i] for i in inside) / held
        total += sum(weights[i] * ((centers[i] - mean) ** 2).sum() for i in inside)
    return total


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6), nodes=st.integers(1, 9))
def test_every_join_is_the_one_that_costs_least(seed, nodes):
    rng = np.random.default_rng(seed)
    centers, weights = rng.normal(size=(nodes, 3)), rng.integers(1, 50, nodes)
    before = list(range(nodes))
    for left in range(nodes, 0, -1):
        found = join(centers, weights, left).tolist()
        assert sorted(set(found)) == list(range(left))
        if left < nodes:
            joins = [
                [min(pair) if one in pair else one for one in before]
                for pair in combinations(range(left + 1), 2)
            ]
            best = min(squares(centers, weights, one) for one in joins)
            assert squares(centers, weights, found) == pytest.approx(best)
            # Fewer clusters are made of the same ones.
            assert len(set(zip(before, found, strict=True))) == left + 1
        before = found


def test_a_heavy_node_is_joined_later_than_a_light_one():
    centers = np.array([[0.0], [1.0], [2.1]])
    assert join(centers, np.array([1000, 1000, 1]), 2).tolist() == [0, 1, 1]


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10**6))
def test_a_number_that_is_told_is_made_of_what_is_found(seed):
    x, _ = make_blobs(600, centers=5, n_features=3, cluster_std=0.7, random_state=seed)
    centers, some = quantized(x, 16)
    used = some.used
    between, weights = some.between[np.ix_(used, used)], some.wins[used].astype(float)
    found = find_number(between)
    n = found.max() + 1
    for told in range(1, used.sum() + 1):
        divided = divide(between, centers[used], weights, told)
        assert sorted(set(divided)) == list(range(told))
        pairs = len(set(zip(found, divided, strict=True)))
        if told == n:
            assert pairs == n  # the same clusters, by whatever number
        elif told < n:
            assert pairs == n  # every cluster is some of the found ones
            sizes = [weights[found == one].sum() for one in range(n)]
            means = [
                np.average(centers[used][found == one], 0, weights[found == one])
                for one in range(n)
            ]
            joined = join(np.array(means), np.array(sizes), told)
            assert len(set(zip(joined[found], divided, strict=True))) == told


def test_more_resolution_gives_more_communities():
    _, some = quantized(np.random.default_rng(0).normal(size=(3000, 2)), 40)
    numbers = [find_communities(some.between, r).max() for r in (0.05, 0.5, 2, 10)]
    assert numbers == sorted(numbers)
    assert numbers[0] < numbers[-1]


@pytest.mark.parametrize("n_clusters", [None, 1, 2, 3, 30, 100])
def test_clusters_are_numbered_by_their_samples_and_free_slots_have_none(n_clusters):
    rng = np.random.default_rng(1)
    sizes = ((0, 300), (6, 900), (12, 600))
    x = np.concatenate([rng.normal(c, 0.4, (n, 2)) for c, n in sizes])
    centers, found = quantized(x, 30)
    slots = rng.permutation(40)[:30]
    live = np.zeros(40, dtype=bool)
    live[slots] = True
    spread = Connectivity(np.zeros(40, dtype=np.int64), np.zeros((40, 40)))
    spread.wins[slots] = found.wins
    spread.between[np.ix_(slots, slots)] = found.between
    places = np.zeros((40, 2))
    places[slots] = centers
    cluster = find_clusters(spread, places, live, n_clusters)
    assert (cluster[~live] == -1).all()
    numbers = np.unique(cluster[live])
    assert numbers.tolist() == list(range(min(n_clusters or 3, 30)))
    won = [spread.wins[cluster == number].sum() for number in numbers]
    assert won == sorted(won, reverse=True)
    if n_clusters in (None, 3):
        assert won == [900, 600, 300]


def test_a_node_that_won_nothing_goes_with_the_nearest_one():
    rng = np.random.default_rng(2)
    x = np.concatenate([rng.normal(c, 0.3, (200, 1)) for c in (0, 9)])
    centers, found = quantized(x, 10)
    centers = np.concatenate([centers, [[8.0]]])
    wins = np.append(found.wins, 0)
    between = np.pad(found.between, ((0, 1), (0, 1)))
    cluster = find_clusters(Connectivity(wins, between), centers, np.ones(11, dtype=bool), 2)
    right = centers[:, 0] > 4
    assert len(set(cluster[right])) == 1
    assert set(cluster[right]) != set(cluster[~right])


def test_a_map_that_won_nothing_is_one_cluster():
    nothing = Connectivity(np.zeros(3, dtype=np.int64), np.zeros((3, 3)))
    live = np.array([True, False, True])
    assert find_clusters(nothing, np.zeros((3, 2)), live).tolist() == [0, -1, 0]
    dead = np.zeros(3, dtype=bool)
    assert find_clusters(nothing, np.zeros((3, 2)), dead).tolist() == [-1, -1, -1]
    with pytest.raises(ValueError, match="n_clusters must be at least 1"):
        find_clusters(nothing, np.zeros((3, 2)), live, 0)


def test_earlier_counts_fill_up_later_ones():
    rng = np.random.default_rng(0)

    def counted(n):
        first, second = rng.integers(0, 3, n), rng.integers(3, 5, n)
        return Connectivity.count(first, second, rng.random(n), 5, rng.random(n))

    before, later = counted(400), counted(100)
    everyone = np.ones(5, dtype=bool)
    joined = before.combine(later, everyone, 1000)
    np.testing.assert_array_equal(joined.wins, before.wins + later.wins)
    np.testing.assert_allclose(joined.between, before.between + later.between)
    assert joined.fence == pytest.approx(0.8 * before.fence + 0.2 * later.fence)
    # So many of before as are lacking, and of a slot with another node nothing.
    joined = before.combine(later, everyone, 300)
    np.testing.assert_allclose(joined.between, before.between / 2 + later.between)
    np.testing.assert_allclose(before.combine(later, everyone, 90).between, later.between)
    joined = before.combine(later, np.array([True, False, True, True, True]), 1000)
    assert joined.wins[1] == later.wins[1]
    np.testing.assert_allclose(joined.between[1], later.between[1])
    np.testing.assert_allclose(joined.between[0, 3], before.between[0, 3] + later.between[0, 3])
