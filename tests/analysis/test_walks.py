import numpy as np
import pytest

from dcsomrl.analysis.walks import compare_pairs, measure_smoothness, traverse, walk_along


def test_a_traversal_moves_one_dimension():
    walk = traverse(np.array([0.1, 0.2, 0.3]), 1, 0, 1, 5)
    assert walk[:, 1].tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert (walk[:, [0, 2]] == [0.1, 0.3]).all()


def test_a_walk_is_evenly_spaced_along_its_lines():
    walk = walk_along(np.array([[0.0, 0], [3, 0], [3, 1]]), 5)
    assert walk.tolist() == [[0, 0], [1, 0], [2, 0], [3, 0], [3, 1]]
    assert walk_along(np.array([[1.0, 2]]), 3).tolist() == [[1, 2]] * 3


def test_smoothness_of_walks_that_are_known():
    even = np.linspace(0, 1, 5)[:, None, None] * np.ones((2, 3))
    found = measure_smoothness(even)
    assert found == pytest.approx((1, 0.25, 1))
    jump = np.array([0.0, 0, 0, 2, 2])[:, None] * np.ones(4)
    assert measure_smoothness(jump) == pytest.approx((2, 2, 4))
    assert measure_smoothness(np.ones((3, 2))) == (0, 0, 1)


def test_pairs_are_compared_row_by_row():
    walks = np.stack([np.linspace(0, end, 4)[:, None] for end in (1, 6)])
    table = compare_pairs(walks, np.array([0.1, 0.5]), np.array([True, False]))
    assert table["length"].tolist() == pytest.approx([1, 6])
    assert table["connected"].tolist() == [True, False]
    assert table["distance"].tolist() == [0.1, 0.5]
