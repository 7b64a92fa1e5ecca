import numpy as np
import pytest

from dcsomrl.figures import prototype_grid, prototype_profiles


@pytest.mark.parametrize("nodes", [1, 7, 200])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_prototype_is_drawn_the_most_used_first(nodes, channels):
    rng = np.random.default_rng(0)
    images, counts = rng.random((nodes, channels, 5, 6)), rng.permutation(nodes) + 1000
    figure = prototype_grid(images, counts, "title")
    drawn = [axis for axis in figure.axes if axis.images]
    assert len(drawn) == nodes
    order = np.argsort(-counts)
    assert [axis.get_title() for axis in drawn] == [f"{counts[node]:,}" for node in order]
    shown = np.asarray(drawn[0].images[0].get_array())
    np.testing.assert_allclose(shown, np.moveaxis(images[order[0]], 0, -1).squeeze())


def test_vectors_are_rows_the_most_used_first():
    features = np.arange(12.0).reshape(4, 3)
    figure = prototype_profiles(features, np.array([1, 9, 3, 5]), ["a", "b", "c"], "title")
    axis = figure.axes[0]
    np.testing.assert_array_equal(axis.images[0].get_array(), features[[1, 3, 2, 0]])
    assert [label.get_text() for label in axis.get_xticklabels()] == ["a", "b", "c"]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["9", "5", "3", "1"]


@pytest.mark.parametrize("shape", [(0, 1, 4, 4), (3, 2, 4, 4), (3, 4)])
def test_other_shapes_are_no_images(shape):
    with pytest.raises(ValueError, match="prototypes must be images"):
        prototype_grid(np.zeros(shape), np.zeros(shape[0], dtype=int))


@pytest.mark.parametrize("shape", [(0, 4), (3, 4, 4)])
def test_other_shapes_are_no_vectors(shape):
    with pytest.raises(ValueError, match="prototypes must be vectors"):
        prototype_profiles(np.zeros(shape), np.zeros(shape[0], dtype=int))
