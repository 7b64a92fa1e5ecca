"""The nearest nodes: blocks against a sort, and maps whose free slots are left out."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dcsomrl.maps import SOMRL, nearest, somrl
from dcsomrl.maps.nearest import BLOCK, FEW, find_nearest, find_smallest_, make_product


@given(
    rows=st.integers(1, 5),
    columns=st.sampled_from([1, 7, BLOCK, 3 * BLOCK, 3 * BLOCK + 1, 8 * BLOCK]),
    k=st.integers(1, 6) | st.integers(FEW, FEW + 1),
    kinds=st.integers(1, 300),
    double=st.booleans(),
    waits=st.booleans(),
    seed=st.integers(0, 10**6),
)
@settings(deadline=None)
def test_the_smallest_are_those_of_a_stable_sort(rows, columns, k, kinds, double, waits, seed):
    rng = np.random.default_rng(seed)
    values = (1 + rng.integers(kinds, size=(rows, columns)) / 7).astype("f8" if double else "f4")
    values[rng.random(values.shape) < 0.3] = np.inf  # many are equal
    k = min(k, columns)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearest, "may_wait", lambda x: waits)
        found, column = find_smallest_(torch.tensor(values), k)
    order = values.argsort(1, kind="stable")[:, :k]
    expected = np.take_along_axis(values, order, 1)
    np.testing.assert_array_equal(found.numpy(), expected)
    there = np.isfinite(expected)
    np.testing.assert_array_equal(column.numpy()[there], order[there])


@pytest.mark.parametrize("share", [0.0, 0.01, 0.4, 1.0])
def test_slots_that_are_free_make_no_difference(share):
    stream = torch.Generator().manual_seed(0)
    centers, relevances = (torch.rand(300, 7, generator=stream).double() for _ in range(2))
    live = torch.rand(300, generator=stream) < share
    z = torch.rand(500, 7, generator=stream).double()
    activation, slot = find_nearest(z, make_product(centers, relevances, live), 3)
    weighted = (relevances * (z[:, None] - centers).square()).sum(2)
    total = relevances.sum(1)
    expected = (total / (total + weighted + 1e-7)).masked_fill(~live, 0)
    value, place = expected.topk(3)
    torch.testing.assert_close(activation, value)
    assert torch.equal(slot[value > 0], place[value > 0])


@pytest.mark.parametrize("options", [{}, {"distance_mode": "drift"}, {"radius": 0.6}], ids=str)
def test_a_map_is_the_same_where_no_shape_goes_by_what_it_holds(options, monkeypatch):
    def train():
        if "radius" in options:
            options["activation_threshold"] = None
        som = SOMRL(6, max_nodes=200, **options).double().train()
        stream = torch.Generator().manual_seed(0)
        for _ in range(30):
            som(torch.rand(90, 6, generator=stream).double())
        return som.state_dict()

    here = train()
    for module in (nearest, somrl):
        monkeypatch.setattr(module, "may_wait", lambda x: False)
    for name, value in train().items():
        torch.testing.assert_close(value, here[name], msg=name)
