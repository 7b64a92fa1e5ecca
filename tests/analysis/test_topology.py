"""Graphs with known answers."""

import math

import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcsomrl.analysis.topology import (
    compare_classes,
    count_degrees,
    find_components,
    find_shortest_path,
    measure_paths,
)

RING = np.array([[0, 1], [1, 2], [2, 3], [3, 0], [5, 6]])
NONE = np.empty((0, 2), dtype=int)


def test_degrees_parts_and_paths_of_a_ring_and_a_pair():
    assert count_degrees(RING, 8).tolist() == [2, 2, 2, 2, 0, 1, 1, 0]
    part = find_components(RING, 8)
    assert part[:4].tolist() == [0] * 4
    assert part[5] == part[6] == 1
    assert len({part[4], part[7], 0, 1}) == 4
    lengths = measure_paths(RING, 8)
    assert lengths[0].tolist() == [0, 1, 2, 1, math.inf, math.inf, math.inf, math.inf]
    assert lengths[5, 6] == 1
    assert find_components(NONE, 3).tolist() == [0, 1, 2]
    assert count_degrees(NONE, 3).tolist() == [0, 0, 0]


def test_the_shortest_path_goes_round_a_long_edge():
    weights = np.array([1.0, 1, 1, 10, 1])
    assert find_shortest_path(RING, 8, weights, 0, 3) == [0, 1, 2, 3]
    assert find_shortest_path(RING, 8, np.ones(5), 0, 3) == [0, 3]
    assert find_shortest_path(RING, 8, weights, 2, 2) == [2]
    assert find_shortest_path(RING, 8, weights, 0, 5) == []


@given(
    pairs=st.sets(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=20),
    seed=st.integers(0, 99),
)
def test_paths_are_those_of_networkx(pairs, seed):
    edges = np.array([pair for pair in pairs if pair[0] < pair[1]], dtype=int).reshape(-1, 2)
    weights = np.random.default_rng(seed).uniform(0.1, 2, len(edges))
    graph = networkx.Graph()
    graph.add_nodes_from(range(10))
    for (i, j), weight in zip(edges, weights, strict=True):
        graph.add_edge(i, j, weight=weight)
    expected = dict(networkx.all_pairs_dijkstra_path_length(graph))
    found = measure_paths(edges, 10, weights)
    for i in range(10):
        for j in range(10):
            assert found[i, j] == pytest.approx(expected[i].get(j, math.inf))
    sizes = sorted(map(len, networkx.connected_components(graph)), reverse=True)
    assert np.bincount(find_components(edges, 10)).tolist() == sizes


def test_agreement_beyond_chance_is_told_from_chance():
    rows, classes = np.arange(60).reshape(3, 20), np.repeat([0, 1, 2], 20)
    within = np.concatenate([np.stack([row[:-1], row[1:]], 1) for row in rows])
    found = compare_classes(within, classes)
    assert found.share == 1
    assert found.edges == 57
    assert found.chance == pytest.approx(19 / 59, abs=0.01)  # of the 59 others 19 are like it
    assert found.p == pytest.approx(1 / 2001)
    mixed = compare_classes(within, np.random.default_rng(1).permutation(classes))
    assert mixed.p > 0.05


def test_nodes_without_a_class_do_not_count():
    classes = np.array([0, 0, -1, 1, 1])
    edges = np.array([[0, 1], [1, 2], [3, 4]])
    found = compare_classes(edges, classes)
    assert (found.share, found.edges) == (1, 2)
    # Two pairs of four nodes: in one deal of three they are alike.
    assert found.chance == pytest.approx(1 / 3, abs=0.03)
    assert compare_classes(NONE, classes) is None
    assert compare_classes(edges, np.full(5, -1)) is None
