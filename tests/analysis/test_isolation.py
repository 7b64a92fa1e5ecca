import numpy as np
from matplotlib.collections import PathCollection

from dcsomrl.analysis.isolation import find_isolation
from dcsomrl.figures.planes import draw_planes


def test_heights_are_mean_distances_from_neighbours():
    rng = np.random.default_rng(0)
    centers = rng.random((9, 4))
    edges = np.array([(0, 1), (0, 2), (1, 2), (3, 4), (5, 0)])
    found = find_isolation(centers, edges)
    for node in range(9):
        near = [b if a == node else a for a, b in edges if node in (a, b)]
        gaps = [np.sqrt(((centers[node] - centers[other]) ** 2).sum()) for other in near]
        expected = np.mean(gaps) if gaps else np.nan
        np.testing.assert_allclose(found.nodes[node], expected)
    np.testing.assert_allclose(found.edges[3], np.linalg.norm(centers[3] - centers[4]))


def test_a_plane_colours_every_node_that_has_a_number():
    values = np.array([[1.0, np.nan, 3.0], [0.0, 0.0, 1.0]])
    places = np.array([[0.0, 0], [1, 0], [0, 1]])
    for topology in (None, "rectangular", "hexagonal"):
        figure = draw_planes(values, ["a$", "b"], places, np.array([[0, 1]]), topology)
        drawn = [
            mark
            for axis in figure.axes
            for mark in axis.collections
            if isinstance(mark, PathCollection)
        ]
        assert [mark.get_array().tolist()[0] for mark in drawn] == [1.0, 0.0]
        assert [axis.get_title() for axis in figure.axes[:2]] == ["a\\$", "b"]
