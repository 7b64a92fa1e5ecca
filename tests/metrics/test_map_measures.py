import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dcsomrl import metrics

SIDE = 4


def grid_adjacency(side=SIDE):
    places = torch.cartesian_prod(torch.arange(side), torch.arange(side))
    return (places[:, None] - places[None]).abs().sum(dim=2) == 1


@pytest.fixture
def sample():
    rng = np.random.default_rng(0)
    return rng.random((20, 5)), rng.random((7, 5)), rng.integers(7, size=20), rng.random((7, 5))


def test_quantization_error_is_the_mean_distance_to_the_winner(sample):
    x, centers, winners, _ = sample
    expected = np.mean(
        [np.linalg.norm(row - centers[winner]) for row, winner in zip(x, winners, strict=True)]
    )
    error = metrics.quantization_error(*map(torch.tensor, (x, centers, winners)))
    assert float(error) == pytest.approx(expected)


def test_quantization_error_weighs_dimensions_by_the_winners_relevances(sample):
    x, centers, winners, relevances = sample
    expected = np.mean(
        [
            np.sqrt(sum(relevances[w] * (row - centers[w]) ** 2))
            for row, w in zip(x, winners, strict=True)
        ]
    )
    error = metrics.quantization_error(*map(torch.tensor, (x, centers, winners, relevances)))
    assert float(error) == pytest.approx(expected)


def test_quantization_error_drops_samples_without_a_winner():
    x = torch.tensor([[3.0, 4.0], [100.0, 0.0], [0.0, 1.0]])
    centers = torch.zeros(2, 2)
    assert float(metrics.quantization_error(x, centers, torch.tensor([0, -1, 1]))) == 3.0
    assert metrics.quantization_error(x, centers, torch.tensor([-1, -1, -1])).isnan()


@pytest.mark.parametrize("shapes", [((5, 2), (3, 2), (1,)), ((5, 2), (3, 1), (5,))])
def test_quantization_error_refuses_shapes_that_would_broadcast(shapes):
    x, centers, winners = shapes
    with pytest.raises(ValueError, match=r"expected samples \(batch, m\)"):
        metrics.quantization_error(
            torch.zeros(x), torch.zeros(centers), torch.zeros(winners, dtype=torch.int64)
        )


def test_topographic_error_on_a_grid():
    # On a 4 x 4 grid, rows of nodes 0-3, 4-7, 8-11, 12-15: a neighbour to the right, one below,
    # a diagonal, the end of a row and the start of the next, and the far corner.
    first = torch.tensor([0, 1, 0, 3, 0])
    second = torch.tensor([1, 5, 5, 4, 15])
    assert float(metrics.topographic_error(first, second, grid_adjacency())) == pytest.approx(3 / 5)


def test_topographic_error_of_units_on_an_unfolded_grid_is_0_and_on_a_shuffled_one_is_not():
    # Samples next to a node on the way to its neighbour have these two as best-matching units.
    places = torch.cartesian_prod(torch.arange(SIDE), torch.arange(SIDE)).double()
    i, j = grid_adjacency().nonzero().T
    x = 0.7 * places[i] + 0.3 * places[j]

    def best_two(centers):
        return torch.cdist(x, centers).topk(2, dim=1, largest=False).indices.T

    assert metrics.topographic_error(*best_two(places), grid_adjacency()) == 0
    shuffled = places[torch.randperm(SIDE**2, generator=torch.Generator().manual_seed(0))]
    assert metrics.topographic_error(*best_two(shuffled), grid_adjacency()) > 0.5


def test_topographic_error_drops_samples_without_two_units():
    first, second = torch.tensor([0, 0, -1, 3]), torch.tensor([1, 5, 1, -1])
    assert metrics.topographic_error(first, second, grid_adjacency()) == 0.5
    assert metrics.topographic_error(first[2:], second[2:], grid_adjacency()).isnan()


@pytest.mark.parametrize("adjacency", [torch.eye(3), torch.ones(3, 2, dtype=torch.bool)])
def test_topographic_error_refuses_what_is_no_adjacency(adjacency):
    nodes = torch.tensor([0, 1])
    with pytest.raises(ValueError, match="square bool matrix"):
        metrics.topographic_error(nodes, nodes, adjacency)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=20).filter(any))
def test_usage_and_perplexity_are_those_of_the_shares(counts):
    shares = [count / sum(counts) for count in counts if count]
    assert metrics.count_used(torch.tensor(counts)) == len(shares)
    expected = np.prod([share**-share for share in shares])
    assert float(metrics.perplexity(torch.tensor(counts))) == pytest.approx(expected)


def test_perplexity_counts_nodes_in_even_use():
    assert float(metrics.perplexity(torch.tensor([0, 7, 7, 0, 7]))) == pytest.approx(3)
    assert float(metrics.perplexity(torch.tensor([0, 9]))) == 1
    assert metrics.perplexity(torch.tensor([0, 0])).isnan()
