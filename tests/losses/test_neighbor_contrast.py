"""The contrast of neighbours and the consistency of views against slow loops in NumPy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dcsomrl.losses import Consistency, NeighborContrast, Reconstruction, Step, neighbor_contrast
from dcsomrl.maps import SOMRL, Centers


def codes(n: int, m: int, seed: int) -> torch.Tensor:
    return torch.rand(n, m, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_hand(z: np.ndarray, w: np.ndarray, tau: float) -> float:
    def q(a, b):
        return 1 / (1 + sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) / tau**2)

    losses = []
    for i, anchor in enumerate(z):
        others = sum(q(anchor, other) for j, other in enumerate(z) if j != i)
        losses.append(-np.log(q(anchor, w[i]) / (sum(q(anchor, one) for one in w) + others)))
    return float(np.mean(losses))


@settings(deadline=None, max_examples=40)
@given(n=st.integers(1, 9), m=st.integers(1, 6), tau=st.floats(0.05, 3), seed=st.integers(0, 10**6))
def test_the_contrast_is_the_loops(n, m, tau, seed):
    z, w = codes(n, m, seed), codes(n, m, seed + 1)
    found = neighbor_contrast(z, w, tau).item()
    assert found == pytest.approx(by_hand(z.numpy(), w.numpy(), tau), rel=1e-9)


def test_parts_of_a_batch_have_the_mean_of_the_whole():
    z, w = codes(8, 3, 0), codes(8, 3, 1)
    parts = [
        neighbor_contrast(z[i : i + 4], w[i : i + 4], 0.3, batch=(z, w, i)).item() for i in (0, 4)
    ]
    assert np.mean(parts) == pytest.approx(neighbor_contrast(z, w, 0.3).item())


def test_the_gradient_of_the_contrast():
    z, w = codes(6, 3, 0).requires_grad_(), codes(6, 3, 1).requires_grad_()
    assert torch.autograd.gradcheck(lambda a, b: neighbor_contrast(a, b, 0.4), (z, w))


def test_the_contrast_falls_as_neighbours_meet_and_the_others_part():
    z = codes(8, 4, 0)
    near, far = z + 0.01 * codes(8, 4, 1), codes(8, 4, 2)
    assert neighbor_contrast(z, near, 0.2) < neighbor_contrast(z, far, 0.2)
    assert neighbor_contrast(z * 4, near * 4, 0.2) < neighbor_contrast(z, near, 0.2)
    same = torch.zeros(8, 4, dtype=torch.float64)
    # Nothing is told apart: one of 2n - 1 codes.
    assert neighbor_contrast(same, same, 0.2).item() == pytest.approx(np.log(15))


class Mapped:
    """A model whose codes are its samples."""

    def __init__(self, book):
        self.book = book

    def encode(self, x):
        return x

    def decode(self, z):
        return z * 0

    def assign(self, z):
        return self.book.assign(z)

    def distance(self, z, slot):
        return self.book.distance(z, slot)


def test_the_consistency_is_the_distance_of_a_view_from_the_winner_of_its_sample():
    som = SOMRL(4, max_nodes=12, activation_threshold=0.97, relevance_rate=0.5).double()
    for seed in range(6):
        som.learn_(codes(30, 4, seed))
    x, views = codes(7, 4, 20), (codes(7, 4, 21), codes(7, 4, 22))
    step = Step(x, x, Mapped(som), views=views)
    w, c = som.relevances.numpy(), som.centers.numpy()
    total = []
    for i in range(7):
        winner = max(
            som.live_slots().tolist(),
            key=lambda j: w[j].sum() / (w[j].sum() + (w[j] * (x[i].numpy() - c[j]) ** 2).sum()),
        )
        total += [(w[winner] * (view[i].numpy() - c[winner]) ** 2).sum() for view in views]
    assert Consistency()(step).item() == pytest.approx(np.mean(total), rel=1e-9)


def test_the_distance_from_a_given_centre():
    book = Centers(codes(3, 2, 0))
    z, slot = codes(4, 2, 1), torch.tensor([2, 0, 1, -1])
    found = book.distance(z, slot)
    expected = ((z[:3] - book.centers[slot[:3]]) ** 2).sum(1)
    torch.testing.assert_close(found[:3], expected)
    assert found[3] == torch.inf


def test_a_term_takes_the_neighbours_of_the_step():
    x, near = codes(5, 3, 0), codes(5, 3, 1)
    step = Step(x, x, Mapped(None), neighbor=near)
    expected = by_hand(x.numpy(), near.numpy(), 0.3)
    assert NeighborContrast(2.0, temperature=0.3)(step).item() == pytest.approx(expected)
    with pytest.raises(ValueError, match="temperature must be "):
        NeighborContrast(temperature=0)


def test_a_reconstruction_by_the_mean_has_a_relative_error_of_one():
    x = codes(50, 6, 0) * torch.tensor([1.0, 10, 100, 1, 1, 0])
    step = Step(x, x, Mapped(None))
    step.reconstruction = x.mean(0).expand_as(x)  # in place of the decoder's
    assert Reconstruction(relative=True)(step).item() == pytest.approx(1)
    constant = torch.ones(4, 3)
    assert Reconstruction(relative=True)(Step(constant, constant, Mapped(None))).isfinite()


@given(n=st.integers(1, 13), every=st.integers(1, 5), seed=st.integers(0, 10**6))
@settings(deadline=None, max_examples=40)
def test_one_of_several_samples_is_decoded_in_training(n, every, seed):
    x = codes(n, 3, seed)
    step, term = Step(x, x, Mapped(None)), Reconstruction(every=every)
    taken = x[:: every if n >= 2 * every else 1]
    assert term(step).item() == pytest.approx((taken.numpy() ** 2).mean())
    # In validation all are.
    assert term.eval()(step).item() == pytest.approx((x.numpy() ** 2).mean())


@given(half=st.integers(5, 9), every=st.integers(1, 5), size=st.integers(1, 3))
@settings(deadline=None, max_examples=40)
def test_several_processes_decode_what_one_does(half, every, size):
    n, whole = half * 2, codes(half * 2 * size, 3, 0)
    term, found = Reconstruction(every=every), []
    for rank in range(size):
        x = whole[rank * n : (rank + 1) * n]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(torch.distributed, "is_initialized", lambda: True)
            patch.setattr(torch.distributed, "get_rank", lambda rank=rank: rank)
            patch.setattr(torch.distributed, "get_world_size", lambda: size)
            found.append(term(Step(x, x, Mapped(None))))
    alone = term(Step(whole, whole, Mapped(None)))
    torch.testing.assert_close(torch.stack(found).mean(), alone)


@pytest.mark.parametrize("every", [0, -1, 2.5, True, None])
def test_one_of_a_number_of_samples_is_a_whole_number(every):
    with pytest.raises(ValueError, match="every must be "):
        Reconstruction(every=every)
