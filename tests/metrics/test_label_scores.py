from collections import Counter
from itertools import permutations, product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import hypergeom
from sklearn import metrics as sk

from dcsomrl import metrics
from dcsomrl.errors import DataError

SKLEARN = {
    metrics.nmi: sk.normalized_mutual_info_score,
    metrics.ari: sk.adjusted_rand_score,
    metrics.ami: sk.adjusted_mutual_info_score,
    metrics.homogeneity: sk.homogeneity_score,
    metrics.completeness: sk.completeness_score,
}
SCORES = [metrics.purity, metrics.accuracy, *SKLEARN]
SLOTS = 12


@st.composite
def labelings(draw, min_size=0, max_size=60, most=SLOTS):
    size = draw(st.integers(min_size, max_size))
    clusters, classes = draw(st.integers(1, most)), draw(st.integers(1, most))
    return tuple(
        draw(hnp.arrays(np.int64, size, elements=st.integers(0, n - 1)))
        for n in (clusters, classes)
    )


def matrix(clusters, labels, n_clusters=SLOTS, n_classes=SLOTS):
    clusters, labels = (torch.tensor(np.asarray(part, dtype=int)) for part in (clusters, labels))
    return metrics.count_contingency(clusters, labels, n_clusters, n_classes)


def majority_share(clusters, labels):
    right = 0
    for cluster in set(clusters):
        members = [label for c, label in zip(clusters, labels, strict=True) if c == cluster]
        right += Counter(members).most_common(1)[0][1]
    return right / len(labels)


def best_matching_share(clusters, labels, n_clusters, n_classes):
    """By trying every matching; classes left over go to clusters that hold nothing."""
    targets = range(max(n_clusters, n_classes))
    return max(
        np.mean([matching[c] == label for c, label in zip(clusters, labels, strict=True)])
        for matching in permutations(targets, n_clusters)
    )


def expected_information(counts):
    """Mean mutual information of a table with these margins, by the hypergeometric law."""
    total = counts.sum()
    return sum(
        hypergeom.pmf(n, total, a, b) * n / total * np.log(total * n / (a * b))
        for a, b in product(counts.sum(1), counts.sum(0))
        for n in range(1, min(a, b) + 1)
    )


@given(labelings(min_size=1))
def test_scores_equal_scikit_learn(labeling):
    clusters, labels = labeling
    counts = matrix(clusters, labels)
    for ours, theirs in SKLEARN.items():
        assert float(ours(counts)) == pytest.approx(theirs(labels, clusters), abs=1e-9), ours
    geometric = sk.normalized_mutual_info_score(labels, clusters, average_method="geometric")
    assert float(metrics.nmi(counts, "geometric")) == pytest.approx(geometric, abs=1e-9)


@given(labelings(min_size=1))
def test_purity_is_the_share_of_the_majority_classes(labeling):
    assert float(metrics.purity(matrix(*labeling))) == pytest.approx(majority_share(*labeling))


@pytest.mark.parametrize(("n_clusters", "n_classes"), [(5, 3), (3, 5), (4, 4), (1, 3), (3, 1)])
def test_accuracy_is_that_of_the_best_matching(n_clusters, n_classes):
    rng = np.random.default_rng(n_clusters)
    for _ in range(5):
        clusters, labels = rng.integers(n_clusters, size=30), rng.integers(n_classes, size=30)
        expected = best_matching_share(clusters, labels, n_clusters, n_classes)
        counts = matrix(clusters, labels, n_clusters, n_classes)
        assert float(metrics.accuracy(counts)) == pytest.approx(expected)
        assert float(metrics.clustering_error(counts)) == pytest.approx(1 - expected)


def test_ami_subtracts_the_hypergeometric_expectation():
    counts = np.array([[5, 1, 0], [0, 4, 2], [1, 1, 7], [0, 3, 1]])
    shares = counts / counts.sum()
    h_clusters, h_classes, h_joint = (
        -(p[p > 0] * np.log(p[p > 0])).sum() for p in (shares.sum(1), shares.sum(0), shares)
    )
    expected = expected_information(counts)
    score = (h_clusters + h_classes - h_joint - expected) / (
        (h_clusters + h_classes) / 2 - expected
    )
    assert float(metrics.ami(torch.tensor(counts))) == pytest.approx(score, abs=1e-12)


@pytest.mark.parametrize(
    ("n_samples", "n_clusters", "n_classes"), [(10_000, 200, 10), (70_000, 64, 10), (500, 3, 40)]
)
def test_scores_equal_scikit_learn_at_full_size(n_samples, n_clusters, n_classes):
    rng = np.random.default_rng(0)
    clusters = rng.integers(n_clusters, size=n_samples)
    labels = np.where(rng.random(n_samples) < 0.6, clusters, rng.integers(99, size=n_samples))
    labels %= n_classes
    counts = matrix(clusters, labels, n_clusters, n_classes)
    for ours, theirs in SKLEARN.items():
        assert float(ours(counts)) == pytest.approx(theirs(labels, clusters), abs=1e-9), ours


@pytest.mark.parametrize(
    ("clusters", "labels"),
    [
        pytest.param([3], [2], id="one sample"),
        pytest.param([1] * 6, [2] * 6, id="one cluster, one class"),
        pytest.param([1] * 6, [0, 0, 1, 1, 2, 2], id="one cluster"),
        pytest.param([0, 0, 1, 1, 2, 2], [1] * 6, id="one class"),
        pytest.param(range(9), [0, 0, 0, 1, 1, 1, 2, 2, 2], id="all singletons"),
        pytest.param(range(9), reversed(range(9)), id="all singletons on both sides"),
        pytest.param([0, 0, 1, 1], [0, 1, 0, 1], id="independent"),
    ],
)
def test_degenerate_labelings_follow_scikit_learn(clusters, labels):
    clusters, labels = list(clusters), list(labels)
    counts = matrix(clusters, labels)
    for ours, theirs in SKLEARN.items():
        assert float(ours(counts)) == pytest.approx(theirs(labels, clusters), abs=1e-9), ours
    geometric = sk.normalized_mutual_info_score(labels, clusters, average_method="geometric")
    assert float(metrics.nmi(counts, "geometric")) == pytest.approx(geometric, abs=1e-9)


@pytest.mark.parametrize(
    "score",
    [*SKLEARN, metrics.purity, metrics.accuracy, metrics.clustering_error],
    ids=lambda score: score.__name__,
)
def test_no_sample_has_no_score(score):
    assert score(matrix([], [])).isnan()


def test_classes_without_a_sample_are_not_counted():
    assert metrics.count_classes(matrix([0, 1, 1, -1], [2, 0, 2, 1])) == 2
    assert metrics.count_classes(matrix([], [])) == 0


@given(labelings(min_size=1), st.permutations(range(SLOTS)))
def test_scores_do_not_depend_on_the_numbering_of_clusters(labeling, renumbered):
    clusters, labels = labeling
    counts, other = matrix(clusters, labels), matrix(np.array(renumbered)[clusters], labels)
    for score in SCORES:
        assert float(score(counts)) == pytest.approx(float(score(other)), abs=1e-9), score


@pytest.mark.parametrize("score", SCORES)
def test_score_is_a_float64_scalar(score):
    value = score(matrix([0, 0, 1, 1], [0, 1, 1, 2]))
    assert value.dtype == torch.float64
    assert value.shape == ()


def test_unknown_average_is_refused():
    with pytest.raises(ValueError, match="'arithmetic' or 'geometric', got 'max'"):
        metrics.nmi(matrix([0, 1], [0, 0]), average="max")


@given(labelings())
def test_contingency_equals_scikit_learn(labeling):
    clusters, labels = labeling
    counts = matrix(clusters, labels)
    assert counts.dtype == torch.int64
    full = sk.confusion_matrix(clusters, labels, labels=range(SLOTS)) if len(labels) else 0
    assert np.array_equal(counts, np.zeros((SLOTS, SLOTS)) + full)


def test_contingency_drops_samples_without_a_node():
    counts = matrix([-1, 0, 1, -1, 1], [2, 0, 2, 0, 2], 2, 3)
    assert counts.tolist() == [[1, 0, 0], [0, 0, 2]]


def test_contingency_takes_small_integer_types():
    clusters = torch.tensor([19, 19, 0], dtype=torch.int32)
    labels = torch.tensor([250, 0, 250], dtype=torch.uint8)
    counts = metrics.count_contingency(clusters, labels, 20, 300)
    assert counts[19, 250] == counts[19, 0] == counts[0, 250] == 1
    assert counts.sum() == 3


@pytest.mark.parametrize(
    ("clusters", "labels"), [([0, 2], [0, 0]), ([0, 1], [0, 3]), ([0, 1], [0, -1])]
)
def test_contingency_refuses_what_is_out_of_range(clusters, labels):
    with pytest.raises(DataError, match=r"clusters must be below 2 and labels in 0\.\.2"):
        matrix(clusters, labels, 2, 3)


@pytest.mark.parametrize(
    ("clusters", "labels", "message"),
    [
        (torch.tensor([0, 1]), torch.tensor([0]), "one length"),
        (torch.tensor([[0, 1]]), torch.tensor([[0, 1]]), "one length"),
        (torch.tensor([0, 1]), torch.tensor([0.0, 1.5]), "must be integers"),
    ],
)
def test_contingency_refuses_what_is_no_pair_of_integer_vectors(clusters, labels, message):
    with pytest.raises(ValueError, match=message):
        metrics.count_contingency(clusters, labels, 2, 2)
