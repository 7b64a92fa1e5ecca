"""Pictures of clusters."""

import numpy as np
import pytest

from dcsomrl.figures.clusters import MOST_NODES, draw_cluster_profiles, draw_cluster_rows
from dcsomrl.figures.heat_map import draw_heat_map


@pytest.mark.parametrize("channels", [1, 3])
def test_a_row_holds_the_nodes_of_a_cluster_the_most_used_first(channels):
    rng = np.random.default_rng(0)
    images, counts = rng.random((9, channels, 4, 5)), rng.permutation(9) + 10
    cluster = np.array([1, 0, 0, 2, 1, 1, 0, 0, 0])
    (axis,) = draw_cluster_rows(images, counts, cluster, "title").axes
    sheet = np.asarray(axis.images[0].get_array())
    height = sheet.shape[0] // 3
    for one in range(3):
        nodes = sorted(np.flatnonzero(cluster == one), key=lambda node: -counts[node])
        for place, node in enumerate(nodes):
            found = sheet[one * height : one * height + 4, place * 6 : place * 6 + 5]
            expected = np.broadcast_to(np.moveaxis(images[node], 0, -1), (4, 5, 3))
            np.testing.assert_allclose(found[..., :3], expected)
            assert (found[..., 3] == 1).all()
    assert [text.get_text() for text in axis.texts] == [
        f"cluster {one}: {counts[cluster == one].sum()}" for one in range(3)
    ]


def test_a_cluster_of_many_nodes_says_how_many_are_left_out():
    n = MOST_NODES + 5
    (axis,) = draw_cluster_rows(
        np.zeros((n, 1, 2, 2)), np.ones(n, dtype=int), np.zeros(n, int)
    ).axes
    assert [text.get_text() for text in axis.texts] == [f"cluster 0: {n} (+5)"]


def test_profiles_are_means_by_samples_in_deviations():
    features = np.array([[0.0, 5, 1], [2, 5, 1], [6, 5, 9]])
    counts, cluster = np.array([3, 1, 4]), np.array([1, 1, 0])
    axis = draw_cluster_profiles(features, counts, cluster, ["a", "$b", "c"], "title").axes[0]
    rows = np.repeat(features, counts, axis=0)
    deviation = rows.std(0)
    deviation[1] = 1
    expected = [
        (np.repeat(features[cluster == one], counts[cluster == one], axis=0).mean(0) - rows.mean(0))
        / deviation
        for one in (0, 1)
    ]
    np.testing.assert_allclose(axis.images[0].get_array(), expected, atol=1e-6)
    assert [label.get_text() for label in axis.get_yticklabels()] == [
        "cluster 0: 4",
        "cluster 1: 4",
    ]


def test_nodes_that_won_nothing_are_drawn_too():
    figure = draw_cluster_profiles(np.eye(3), np.zeros(3, dtype=int), np.array([0, 0, 1]))
    assert np.isfinite(figure.axes[0].images[0].get_array()).all()
    with pytest.raises(ValueError, match="prototypes must be vectors"):
        draw_cluster_profiles(np.zeros((0, 3)), np.zeros(0, int), np.zeros(0, int))
    with pytest.raises(ValueError, match="no node"):
        draw_cluster_rows(np.zeros((0, 1, 2, 2)), np.zeros(0, int), np.zeros(0, int))


def test_features_without_names_are_numbered_in_whole_numbers():
    figure, axis = draw_heat_map(np.zeros((3, 20)), (5, 3), None, "title", "label")
    figure.canvas.draw()
    assert all(float(tick).is_integer() for tick in axis.get_xticks())
