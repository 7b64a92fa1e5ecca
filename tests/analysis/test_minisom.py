"""Quantization and topographic error, distortion, against MiniSom's, on maps that it trained."""

import numpy as np
import pytest
import torch
from minisom import MiniSom
from sklearn.datasets import load_iris

from dcsomrl.analysis.quality import judge_map
from dcsomrl.maps import Grid
from dcsomrl.maps.grid import squared_distances
from dcsomrl.metrics import quantization_error, topographic_error

SAMPLES = load_iris().data


def trained(rows: int, columns: int, topology: str, sigma: float = 1.0) -> tuple[MiniSom, Grid]:
    """A map little trained, so that there are errors to count, and its grid as ours."""
    som = MiniSom(columns, rows, 4, sigma=sigma, topology=topology, random_seed=0)
    som.random_weights_init(SAMPLES)
    som.train(SAMPLES, 60)
    return som, Grid(rows, columns, topology)


def centers(som: MiniSom) -> np.ndarray:
    """(nodes, 4) prototypes row by row; it keeps them column by column."""
    return som.get_weights().swapaxes(0, 1).reshape(-1, 4)


# An odd number of rows: it counts the rows that are shifted from the last.
@pytest.mark.parametrize(
    ("rows", "columns", "topology"),
    [(7, 6, "hexagonal"), (1, 12, "rectangular"), (12, 1, "rectangular")],
)
def test_errors_are_minisoms(rows, columns, topology):
    som, grid = trained(rows, columns, topology)
    x, nodes = torch.tensor(SAMPLES), torch.tensor(centers(som))
    first, second = squared_distances(x, nodes).topk(2, largest=False).indices.T
    expected = som.topographic_error(SAMPLES)
    assert 0.05 < expected < 0.95
    assert float(topographic_error(first, second, grid.adjacency())) == pytest.approx(expected)
    assert float(quantization_error(x, nodes, first)) == pytest.approx(
        som.quantization_error(SAMPLES)
    )


def test_distortion_weighs_by_minisoms_neighborhood():
    """On a chain, where steps are its distances; its own sum has distances that are not squared."""
    som, grid = trained(1, 12, "rectangular", sigma=np.sqrt(0.5))
    nodes = centers(som)
    winner = np.array([som.winner(sample)[0] for sample in SAMPLES])
    expected = 0.0
    for sample, node in zip(SAMPLES, winner, strict=True):
        pull = som.neighborhood((node, 0), np.sqrt(0.5)).ravel()
        expected += pull @ ((sample - nodes) ** 2).sum(1) / len(SAMPLES)
    found = judge_map(SAMPLES, winner, nodes, grid.distances.numpy())
    assert found.distortion == pytest.approx(expected)
    assert found.unreachable == 0
