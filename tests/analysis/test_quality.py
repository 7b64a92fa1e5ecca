"""Map quality against scikit-learn, against a mean over all orders of ties, on known maps."""

from itertools import pairwise, permutations

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.manifold import trustworthiness as reference

from dcsomrl.analysis.quality import judge_map, trustworthiness
from dcsomrl.analysis.topology import measure_paths

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("k", [1, 5, 12])
def test_without_ties_it_is_scikit_learns(k):
    x, shown = RNG.random((40, 6)), RNG.random((40, 2))
    assert trustworthiness(cdist(x, x), cdist(shown, shown), k) == pytest.approx(
        reference(x, shown, n_neighbors=k)
    )


def brute(original, shown, k):
    """Mean over all orders in which equal distances can be ranked, one sample at a time."""
    n, penalty = len(original), 0.0
    for i in range(n):
        others = [j for j in range(n) if j != i]
        orders = {}
        for name, distance in (("original", original), ("shown", shown)):
            orders[name] = [
                order
                for order in permutations(others)
                if all(distance[i, a] <= distance[i, b] for a, b in pairwise(order))
            ]
        total = 0.0
        for near in orders["shown"]:
            for order in orders["original"]:
                total += sum(max(order.index(j) + 1 - k, 0) for j in near[:k])
        penalty += total / (len(orders["shown"]) * len(orders["original"]))
    return 1 - 2 * penalty / (n * k * (2 * n - 3 * k - 1))


@pytest.mark.parametrize("k", [1, 2])
def test_ties_count_by_their_mean_over_all_orders(k):
    original = RNG.integers(1, 4, (6, 6)).astype(float)
    shown = RNG.integers(1, 3, (6, 6)).astype(float)
    shown[0, 3] = np.inf
    assert trustworthiness(original, shown, k) == pytest.approx(brute(original, shown, k))


def line(n=30):
    """Samples on a line, a node for every three of them."""
    z = np.arange(n, dtype=float)[:, None]
    winner = np.arange(n) // 3
    centers = np.stack([z[winner == node].mean(0) for node in range(n // 3)])
    return z, winner, centers


def test_a_chain_along_a_line_keeps_its_neighbourhoods_and_a_shuffled_one_does_not():
    z, winner, centers = line()
    chain = np.stack([np.arange(9), np.arange(1, 10)], 1)
    good = judge_map(z, winner, centers, measure_paths(chain, 10), k=6)
    shuffled = RNG.permutation(10)[chain]
    bad = judge_map(z, winner, centers, measure_paths(shuffled, 10), k=6)
    assert good.trustworthiness > 0.98
    assert good.preservation > 0.98
    assert bad.trustworthiness < good.trustworthiness - 0.1
    assert bad.preservation < good.preservation - 0.1
    assert bad.distortion > 2 * good.distortion
    assert good.unreachable == 0


def test_parts_that_no_path_joins_are_counted_and_all_equally_far():
    z, winner, centers = line()
    edges = np.array([[0, 1]])
    found = judge_map(z, winner, centers, measure_paths(edges, 10), k=2)
    # Of 30 * 29 pairs 2 * 9 join the first two nodes and 10 * 6 lie within a node.
    assert found.unreachable == pytest.approx(1 - (18 + 60) / 870)
    # Only the winner pulls, and for the first six samples its one neighbour.
    within = ((z - centers[winner]) ** 2).sum()
    beside = ((z[:3] - centers[1]) ** 2).sum() + ((z[3:6] - centers[0]) ** 2).sum()
    assert found.distortion == pytest.approx((within + np.exp(-1) * beside) / 30)
    # Shown are the two others of the node. For its first and third sample one of them has, at a
    # distance of 2, the third rank or the fourth, but at the two ends of the line the second.
    assert found.trustworthiness == pytest.approx(1 - 2 * (18 * 1.5) / (30 * 2 * (60 - 6 - 1)))


def test_k_out_of_range_is_refused():
    distances = cdist(RNG.random((6, 2)), RNG.random((6, 2)))
    for k in (0, 3):
        with pytest.raises(ValueError, match=f"half of the 6 samples, got {k}"):
            trustworthiness(distances, distances, k)
