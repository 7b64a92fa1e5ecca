import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dcsomrl.maps import SOMRL
from dcsomrl.maps.somrl import NEAR

MAPS = st.fixed_dictionaries(
    {
        "n_features": st.integers(1, 7),
        "max_nodes": st.integers(2, 30),
        "activation_threshold": st.floats(0.5, 0.9999),
        "learning_rate": st.floats(0.01, 1.0),
        "relevance_rate": st.floats(0.0, 1.0),
        "neighborhood_decay": st.floats(0.1, 20.0),
        "neighborhood_form": st.sampled_from(["product", "quotient"]),
        "repel_rate": st.floats(0.0, 5.0),
        "repel_mode": st.sampled_from(["none", "signed", "proportional", "radial"]),
        "distance_mode": st.sampled_from(["drift", "spread"]),
        "relevance_smoothness": st.floats(0.01, 3.0),
        "life_decay": st.floats(0.0, 1.0),
    }
)


def samples(seed, n, m):
    rng = np.random.default_rng(seed)
    middles = rng.random((5, m))
    noisy = middles[rng.integers(5, size=n)] + rng.normal(0, 0.08, (n, m))
    return torch.tensor(np.clip(noisy, 0, 1), dtype=torch.float32)


@pytest.mark.slow
@given(options=MAPS, seed=st.integers(0, 9999), batch=st.integers(1, 50))
@settings(max_examples=80, deadline=None)
def test_the_state_stays_in_its_ranges_and_no_dead_slot_wins(options, seed, batch):
    som = SOMRL(**options).train()
    for step in range(10):
        z = samples(seed + step, batch, som.n_features)
        assigned = som(z)
        live = som.live
        assert live.any()
        assert live[assigned.winner].all()
        assert live[assigned.second[assigned.second >= 0]].all()
        assert (assigned.second >= 0).all() == (live.sum() > 1)
        assert ((som.centers >= 0) & (som.centers <= 1)).all()
        assert ((som.relevances >= 0) & (som.relevances <= 1)).all()
        assert (som.distances >= 0).all()
        assert ((som.life[live] > 0) & (som.life[live] <= 1)).all()
        assert (som.life[~live] == 0).all()
        assert int(som.births - som.deaths) == int(som.n_live)
        assert ((assigned.activation > 0) & (assigned.activation <= 1)).all()
        assert (assigned.distance >= 0).all()


@given(options=MAPS, seed=st.integers(0, 9999), batch=st.integers(2, 40))
@settings(max_examples=50, deadline=None)
def test_a_permuted_batch_gives_the_same_map(options, seed, batch):
    one, two = SOMRL(**options).double().train(), SOMRL(**options).double().train()
    for step in range(5):
        z = samples(seed + step, batch, one.n_features).double()
        two.load_state_dict(one.state_dict())
        one(z)
        two(z[torch.randperm(batch, generator=torch.Generator().manual_seed(seed))])
        assert torch.equal(one.live, two.live)
        if options["repel_mode"] in ("none", "proportional"):
            # The others jump where a node lies at the very mean of the map.
            torch.testing.assert_close(one.centers, two.centers, rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(one.distances, two.distances, rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(one.life, two.life)


def test_the_best_two_are_live_nodes_by_activation_and_then_none():
    som = SOMRL(2, max_nodes=5).eval()
    z = torch.tensor([[0.1, 0.1]])

    def best_two():
        found = som.assign(z)
        return found.winner.item(), found.second.item()

    assert best_two() == (-1, -1)
    som.centers[:3] = torch.tensor([[0.9, 0.9], [0.2, 0.2], [0.5, 0.5]])
    som.live[0] = True
    assert best_two() == (0, -1)
    som.live[1:3] = True
    assert best_two() == (1, 2)
    som.centers[2] = som.centers[1]  # of equals the lower slot is the first
    assert best_two() == (1, 2)


def test_an_empty_map_assigns_nothing():
    assigned = SOMRL(3).eval()(torch.rand(4, 3))
    assert assigned.winner.tolist() == assigned.second.tolist() == [-1] * 4
    assert assigned.activation.tolist() == [0] * 4
    assert assigned.distance.tolist() == [float("inf")] * 4


def test_prototypes_and_connections_are_those_of_a_loop():
    torch.manual_seed(0)
    som = SOMRL(3, max_nodes=20, activation_threshold=0.9)
    som.centers.copy_(torch.rand(20, 3) * 0.6)
    som.relevances.copy_(torch.rand(20, 3))
    som.live[::2] = True
    live = list(range(0, 20, 2))
    assert torch.equal(som.prototypes(), som.centers[live])

    def reaches(i, j):
        w = som.relevances[j]
        apart = float((w * (som.centers[i] - som.centers[j]) ** 2).sum())
        return float(w.sum()) / (float(w.sum()) + apart + 1e-7) >= 0.9

    pairs = [[i, j] for i in live for j in live if i < j and reaches(i, j) and reaches(j, i)]
    assert 0 < len(pairs) < 45
    assert som.connections().tolist() == pairs
    assert som.adjacency().sum() == 2 * len(pairs)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("n_features", [0, -1]),
        ("max_nodes", [1, 0]),
        ("activation_threshold", [0.0, 1.0, -0.5, 2.0, float("nan")]),
        ("learning_rate", [0.0, 1.1, float("nan")]),
        ("relevance_rate", [-0.1, 1.1]),
        ("neighborhood_decay", [0.0, -1.0, float("inf")]),
        ("neighborhood_form", ["sum"]),
        ("repel_rate", [-0.1, float("inf")]),
        ("repel_mode", ["push"]),
        ("distance_mode", ["mean"]),
        ("relevance_smoothness", [0.0, -1.0]),
        ("life_decay", [-0.1, 1.1]),
    ],
)
def test_settings_out_of_range_are_refused_by_name(name, values):
    for value in values:
        with pytest.raises(ValueError, match=rf"^{name} must be .*{value}"):
            SOMRL(**{"n_features": 3, name: value})


def test_samples_of_another_shape_and_half_precision_maps_are_refused():
    som = SOMRL(3)
    for shape in ((4, 2), (3,), (2, 3, 3)):
        with pytest.raises(ValueError, match=r"shape \(batch, 3\)"):
            som(torch.zeros(shape))
    with pytest.raises(ValueError, match="float32"):
        som.to(torch.bfloat16)(torch.zeros(2, 3))


def test_samples_that_are_none_are_refused_and_leave_the_map_as_it_was():
    som = SOMRL(3).train()
    for z, kind, said in (
        (np.zeros((2, 3)), TypeError, "takes a tensor, got ndarray"),
        (torch.full((2, 3), torch.nan), ValueError, "got NaN or infinite values"),
        (torch.full((2, 3), torch.inf), ValueError, "got NaN or infinite values"),
        (torch.rand(40, 3) * 100, ValueError, r"in \[0, 1\], but they reach from .* scale them"),
        (torch.rand(40, 3) - 3, ValueError, "they reach from -"),
    ):
        with pytest.raises(kind, match=said):
            som(z)
    assert int(som.births) == 0
    som(torch.rand(4, 3) * 1.2 - 0.1)
    assert int(som.births) > 0
    assert len(som.eval()(torch.full((4, 3), 7.0)).winner) == 4  # new samples may lie anywhere


@given(seed=st.integers(0, 9999), n=st.integers(1, 40), threshold=st.floats(0.8, 0.9999))
@settings(max_examples=60, deadline=None)
def test_a_map_is_filled_with_samples_until_all_are_in_reach(seed, n, threshold):
    z = samples(seed, n, 3).double()
    som = SOMRL(3, 12, activation_threshold=threshold).double()
    som.fill_(z)
    # Again by a loop: of those out of reach the one nearest to their mean.
    expected: list[np.ndarray] = []
    lost = z.numpy()
    while len(lost) and len(expected) < 12:
        off = ((lost - lost.mean(0)) ** 2).sum(1)
        expected.append(lost[(off <= (1 + NEAR) * off.min()).argmax()])
        apart = ((z.numpy()[:, None] - np.array(expected)[None]) ** 2).sum(2).min(1)
        lost = z.numpy()[3 / (3 + apart) < threshold]
    np.testing.assert_array_equal(som.centers[som.live].numpy(), np.array(expected))
    assert int(som.births) == int(som.n_live) == len(expected)
    assert (som.life[som.live] == 1).all()
    assert (som.relevances[som.live] == 1).all()
    before = som.centers.clone()
    if len(expected) < 12:
        som.fill_(z)
        assert torch.equal(som.centers, before)


def test_far_groups_get_a_node_each_where_their_means_would_not():
    corners = torch.eye(6) * 0.9 + 0.05
    z = corners[torch.arange(60) % 6]
    filled, stepped = (
        SOMRL(6, 20, activation_threshold=None, radius=0.6).train() for _ in range(2)
    )
    for som in (filled, stepped):
        som.variance.fill_(z.var(0, correction=0).mean())
    filled.fill_(z)
    assert int(filled.n_live) == 6
    for _ in range(6):
        stepped.learn_(z)
    assert filled.assign(z).distance.max() < 1e-6 < stepped.assign(z).distance.min()
