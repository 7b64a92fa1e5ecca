import numpy as np
import pytest

from dcsomrl.analysis.neighbors import (
    find_nearest_samples,
    intersect_images,
    measure_shared_light,
    measure_typicality,
)

RNG = np.random.default_rng(0)


def test_the_nearest_samples_are_those_of_the_weighted_distance():
    centers, z, w = RNG.random((4, 3)), RNG.random((30, 3)), RNG.uniform(0.1, 1, (4, 3))
    for relevances in (None, w):
        found = find_nearest_samples(centers, z, 5, relevances)
        weight = np.ones_like(w) if relevances is None else relevances
        for node in range(4):
            square = (weight[node] * (z - centers[node]) ** 2).sum(1) / weight[node].sum()
            order = np.argsort(square)[:5]
            assert found.row[node].tolist() == order.tolist()
            np.testing.assert_allclose(found.distance[node], np.sqrt(square[order]), atol=1e-9)


def test_a_prototype_is_compared_with_the_mean_sample_of_its_cluster():
    samples = np.array([[0.0, 0], [2, 0], [0, 2], [9, 9]])
    winner = np.array([0, 0, 0, 2])
    decoded = np.array([[0.0, 0], [1, 1], [9, 9]])
    nearest = np.array([[0, 1], [0, 1], [3, 3]])
    found = measure_typicality(decoded, samples, winner, nearest)
    # To (0, 0) and (2, 0): from (0, 0), and from the mean (2/3, 2/3).
    assert found.prototype[0] == pytest.approx((0 + np.sqrt(2)) / 2)
    assert found.mean_sample[0] == pytest.approx((np.sqrt(4 / 9) + np.sqrt(10 / 9)) / 2)
    assert np.isnan(found.prototype[1])
    assert np.isnan(found.mean_sample[1])
    assert found.prototype[2] == found.mean_sample[2] == 0


def test_the_light_that_images_share():
    images = np.array([[[0.1, 0.9]], [[0.5, 0.6]]])
    assert measure_shared_light(images) == pytest.approx(0.7 / 1.05)
    assert measure_shared_light(images[:1]) == 1
    assert measure_shared_light(np.zeros((2, 3))) == 0


def test_what_images_share_and_what_each_has_beyond():
    images = np.array([[[0.1, 0.9]], [[0.5, 0.6]]])
    shared, beyond = intersect_images(images)
    assert shared.tolist() == [[0.1, 0.6]]
    np.testing.assert_allclose(shared + beyond, images)
    assert beyond.min() == 0
