import numpy as np
import pytest
from scipy.stats import entropy

from dcsomrl.analysis.relevance import find_learned, profile_relevances


def test_shares_entropy_and_use_of_dimensions():
    w = np.array([[0.9, 0.1, 0.5, 0.8], [0.19, 0.6, 0.2, 0.79]])
    found = profile_relevances(w)
    assert (found.near_zero, found.moderate, found.near_one) == (0.25, 0.5, 0.25)
    np.testing.assert_allclose(found.entropy, entropy(w, axis=1) / np.log(4))
    assert found.nodes_per_dimension.tolist() == [1, 1, 0, 2]


def test_entropy_is_1_for_equal_relevances_and_0_for_a_single_one():
    found = profile_relevances(np.array([[1.0, 1, 1], [0, 0.3, 0]]))
    assert found.entropy.tolist() == pytest.approx([1, 0])
    assert profile_relevances(np.ones((2, 1))).entropy.tolist() == [0, 0]


def test_new_nodes_have_learned_nothing():
    assert find_learned(np.array([[1.0, 1], [0.9, 1], [0.3, 0.4]])).tolist() == [False, True, True]


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (3,)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="must be"):
        profile_relevances(np.ones(shape))
    with pytest.raises(ValueError, match="no relevance in any dimension"):
        profile_relevances(np.array([[1.0, 0], [0, 0]]))
