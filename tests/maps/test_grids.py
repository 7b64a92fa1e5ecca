import math
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dcsomrl.maps import BatchSOM, Grid
from dcsomrl.maps.grid import squared_distances


@pytest.mark.parametrize("topology", ["rectangular", "hexagonal"])
@pytest.mark.parametrize(("rows", "columns"), [(4, 4), (6, 3), (4, 7)])
def test_a_map_without_a_rim_closes_upon_itself(rows, columns, topology):
    height = 1 if topology == "rectangular" else math.sqrt(3) / 2
    grid = Grid(rows, columns, topology, periodic=True)
    places = Grid(rows, columns, topology).places().double().numpy()
    # Copies of the map all around it.
    shifts = [(c * columns, r * rows * height) for r in (-1, 0, 1) for c in (-1, 0, 1)]
    gaps = np.stack([places[:, None] - places + shift for shift in shifts])
    touching = (np.abs(np.linalg.norm(gaps, axis=-1) - 1) < 1e-5).any(0)
    steps = np.where(np.eye(len(places), dtype=bool), 0, np.inf)
    reached = np.eye(len(places), dtype=bool)
    for n in range(1, rows + columns):
        reached = (reached[:, :, None] & touching[None]).any(1) | reached
        steps[reached & np.isinf(steps)] = n
    np.testing.assert_array_equal(grid.distances.numpy(), steps)
    around = grid.adjacency().sum(1)
    assert (around == (4 if topology == "rectangular" else 6)).all()


@pytest.mark.parametrize("topology", ["rectangular", "hexagonal"])
@pytest.mark.parametrize(("rows", "columns"), [(1, 2), (3, 5), (4, 4), (5, 2)])
def test_distance_is_the_number_of_steps_between_places_that_touch(rows, columns, topology):
    places = list(product(range(rows), range(columns)))
    if topology == "hexagonal":
        at = [(row * math.sqrt(3) / 2, column + 0.5 * (row % 2)) for row, column in places]
    else:
        at = [(float(row), float(column)) for row, column in places]
    touching = [[abs(math.dist(a, b) - 1) < 1e-9 for b in at] for a in at]
    expected = [[0 if a == b else math.inf for b in range(len(at))] for a in range(len(at))]
    for _, a, b, c in product(range(rows + columns), *[range(len(at))] * 3):
        if touching[b][c]:
            expected[a][c] = min(expected[a][c], expected[a][b] + 1)
    grid = Grid(rows, columns, topology)
    assert grid.distances.tolist() == expected
    assert grid.adjacency().tolist() == touching
    np.testing.assert_allclose(grid.places(), [(x, y) for y, x in at], rtol=1e-6)


def test_kernel_is_gaussian_on_the_grid():
    kernel = Grid(2, 3).kernel(1.5)
    assert kernel[0, 5] == pytest.approx(math.exp(-9 / 1.5**2))
    assert torch.equal(kernel.diagonal(), torch.ones(6))


def test_bad_grids_are_refused():
    with pytest.raises(ValueError, match="at least two nodes"):
        Grid(1, 1)
    with pytest.raises(ValueError, match="topology must be rectangular or hexagonal"):
        Grid(2, 2, "round")
    with pytest.raises(ValueError, match="even number of rows"):
        Grid(3, 4, "hexagonal", periodic=True)


def test_squared_distances_and_their_gradients():
    rng = np.random.default_rng(0)
    z = torch.tensor(rng.normal(5, 1, (7, 3)), requires_grad=True)
    centers = torch.tensor(rng.normal(5, 1, (4, 3)), requires_grad=True)
    found = squared_distances(z, centers)
    gaps = z.detach().numpy()[:, None] - centers.detach().numpy()
    np.testing.assert_allclose(found.detach().numpy(), (gaps**2).sum(-1), rtol=1e-10)
    weight = torch.tensor(rng.random((7, 4)))
    (weight * found).sum().backward()
    np.testing.assert_allclose(z.grad, (2 * weight.numpy()[..., None] * gaps).sum(1), rtol=1e-9)
    np.testing.assert_allclose(
        centers.grad, -(2 * weight.numpy()[..., None] * gaps).sum(0), rtol=1e-9
    )


@given(
    seed=st.integers(0, 1000),
    rows=st.integers(1, 4),
    columns=st.integers(2, 4),
    m=st.integers(1, 5),
    n=st.integers(1, 40),
    radius=st.floats(0.2, 4),
    topology=st.sampled_from(["rectangular", "hexagonal"]),
)
@settings(max_examples=40, deadline=None)
def test_batch_som_moves_prototypes_to_weighted_means(seed, rows, columns, m, n, radius, topology):
    rng = np.random.default_rng(seed)
    x, start = rng.random((n, m)), rng.random((rows * columns, m))
    som = BatchSOM(m, rows, columns, topology).double()
    som.centers.copy_(torch.tensor(start))
    for part in np.array_split(x, 3):
        som.gather_(torch.tensor(part.reshape(-1, m)))
    som.move_(radius)
    steps = som.grid.distances.numpy()
    winners = [min(range(len(start)), key=lambda k: ((v - start[k]) ** 2).sum()) for v in x]
    for k in range(len(start)):
        weights = [math.exp(-(steps[k, winner] ** 2) / (2 * radius**2)) for winner in winners]
        if sum(weights) > 1e-30:
            expected = sum(w * v for w, v in zip(weights, x, strict=True)) / sum(weights)
            np.testing.assert_allclose(som.centers[k], expected, rtol=1e-4, atol=1e-6)
    assert som.counts.sum() == 0
