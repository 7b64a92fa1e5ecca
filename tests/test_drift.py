"""A stream whose clusters move: old ones die, new ones are born, the rest keep their numbers."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dcsomrl import GrowingSOM
from dcsomrl.analysis.drift import number_clusters
from dcsomrl.estimators.drift import find_kept
from dcsomrl.figures.drift import draw_drift
from dcsomrl.maps import SOMRL

MIDDLES = {"a": (0.1, 0.1, 0.1, 0.1), "b": (0.9, 0.1, 0.9, 0.1), "c": (0.1, 0.9, 0.1, 0.9),
           "d": (0.9, 0.9, 0.9, 0.9), "e": (0.5, 0.5, 0.1, 0.9)}  # fmt: skip
PARTS, CHANGE = 9, 3


def draw_part(part, rng):
    """Samples and their groups: a leaves and e comes at the change, and c wanders all along."""
    names = "abcd" if part < CHANGE else "bcde"
    middles = np.array([MIDDLES[name] for name in names])
    middles[names.index("c")] += 0.03 * min(part, 9) * np.array([1, -1, 1, -1])
    group = rng.integers(4, size=600)
    x = np.clip(middles[group] + 0.02 * rng.normal(size=(600, 4)), 0, 1)
    return x, np.array(list(names))[group]


@pytest.fixture(scope="module", params=[0.02, 0.1])
def watched(request):
    """A stream to its end, and after every part the number of each group and the slots."""
    rng = np.random.default_rng(0)
    som = GrowingSOM(life_decay=request.param, batch_size=50, device="cpu", random_state=0)
    seen = []
    for part in range(PARTS):
        x, group = draw_part(part, rng)
        som.partial_fit(x)
        numbers = som.cluster_numbers_[som.labels_]
        common = pd.crosstab(group, numbers)
        assert (common.max(axis=1) / common.sum(axis=1)).min() > 0.97
        seen.append((common.idxmax(axis=1).to_dict(), som._slots.tolist(), som.model_.som))
        assert len(set(seen[-1][0].values())) == 4
        seen[-1] = (*seen[-1][:2], int(som.model_.som.births), int(som.model_.som.deaths))
    return som, seen


def test_old_clusters_die_new_ones_are_born_and_the_rest_keep_their_numbers(watched):
    som, seen = watched
    first, last = seen[0][0], seen[-1][0]
    assert sorted(first.values()) == [0, 1, 2, 3]
    for numbers, *_ in seen[:CHANGE]:
        assert numbers == first
    for numbers, *_ in seen[CHANGE:]:
        assert numbers == {"e": 4, **{name: first[name] for name in "bcd"}}
    gone = first["a"]
    assert gone not in som.cluster_numbers_
    assert som.drift_.loc[som.drift_["number"] == gone, "part"].max() < CHANGE + 1
    assert last["e"] == 4
    # The forgetting: what the map was at the change has lost a node and won one.
    assert seen[-1][3] > seen[CHANGE - 1][3]
    assert seen[-1][2] > seen[CHANGE - 1][2]
    assert len(som.prototypes_) == 4


def test_the_table_of_the_drift_counts_every_sample(watched):
    som, seen = watched
    table = som.drift_
    assert (table.groupby("part")["samples"].sum() == 600).all()
    assert sorted(table["part"].unique()) == list(range(PARTS))
    assert table.groupby("part")["nodes"].sum().tolist() == [len(slots) for _, slots, *_ in seen]
    figure = draw_drift(table)
    legend = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    gone = seen[0][0]["a"]
    assert f"4 (from {CHANGE})" in legend
    assert f"{gone} (to {CHANGE - 1})" in legend
    heights = sum(
        np.array([bar.get_height() for bar in bars]) for bars in figure.axes[0].containers
    )
    np.testing.assert_allclose(heights, 1)


def test_numbers_outlive_a_pickle_and_begin_anew_with_a_fit(watched):
    som = pickle.loads(pickle.dumps(watched[0]))
    x, _ = draw_part(PARTS, np.random.default_rng(1))
    before = set(som.cluster_numbers_)
    assert set(som.partial_fit(x).cluster_numbers_) == before
    som.fit(x)
    assert som.cluster_numbers_.tolist() == list(range(som.n_clusters_))
    assert som.drift_["part"].tolist() == [0] * som.n_clusters_


def test_without_forgetting_no_node_leaves():
    som = GrowingSOM(life_decay=0, batch_size=50, device="cpu", random_state=0)
    rng = np.random.default_rng(0)
    for part in range(CHANGE + 3):
        som.partial_fit(draw_part(part, rng)[0])
    assert som.model_.som.deaths == 0


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_every_cluster_has_a_number_of_its_own(draw):
    n = draw.draw(st.integers(1, 12))
    unused = draw.draw(st.integers(0, 6))
    before = np.array(draw.draw(st.lists(st.integers(-1, unused - 1), min_size=n, max_size=n)))
    weight = np.array(draw.draw(st.lists(st.integers(1, 5), min_size=n, max_size=n)), float)
    raw = draw.draw(st.lists(st.integers(0, 4), min_size=n, max_size=n))
    present, after = np.unique(raw, return_inverse=True)
    found = number_clusters(before, after, weight, unused)
    assert len(set(found.tolist())) == len(found) == len(present)
    new = found[found >= unused]
    assert new.tolist() == list(range(unused, unused + len(new)))
    for cluster, number in enumerate(found):
        own = after == cluster
        of = [weight[own & (before == one)].sum() for one in range(-1, unused)]
        if number < unused:
            assert of[number + 1] > 0
            assert of[number + 1] >= of[0]
        else:  # most comes from none, or what it comes from goes on as a heavier one
            for one in range(unused):
                if of[one + 1] >= max(of[0], 1):
                    heir = after == found.tolist().index(one)
                    assert weight[heir & (before == one)].sum() >= of[one + 1]
    # Where nothing was merged or split, every number stays.
    same = number_clusters(after, after, weight, len(present))
    assert same.tolist() == list(range(len(present)))


def test_of_a_split_the_heavier_part_goes_on_and_of_a_merger_the_heavier_number():
    split = number_clusters(np.array([0, 0, 0]), np.array([0, 1, 0]), np.array([1.0, 5, 1]), 1)
    assert split.tolist() == [1, 0]
    merged = number_clusters(np.array([2, 0]), np.array([0, 0]), np.array([1.0, 3]), 3)
    assert merged.tolist() == [0]
    mostly_new = number_clusters(np.array([0, -1]), np.array([0, 0]), np.array([1.0, 3]), 1)
    assert mostly_new.tolist() == [1]


def test_a_cluster_that_rests_for_a_part_has_its_number_back():
    rng = np.random.default_rng(0)
    som = GrowingSOM(life_decay=0.01, batch_size=50, device="cpu", random_state=0)
    x, group = draw_part(0, rng)
    som.partial_fit(x).partial_fit(x)
    numbers = dict(zip(group, som.cluster_numbers_[som.labels_], strict=True))
    som.partial_fit(x[group != "d"])
    rest = {name: number for name, number in numbers.items() if name != "d"}
    found = som.cluster_numbers_[som.labels_]
    assert dict(zip(group[group != "d"], found, strict=True)) == rest
    som.partial_fit(x)
    assert dict(zip(group, som.cluster_numbers_[som.labels_], strict=True)) == numbers


def test_a_node_that_moved_a_little_is_kept_and_another_in_its_slot_is_not():
    som = SOMRL(2, max_nodes=3, activation_threshold=0.95)
    som.live[:] = True
    som.relevances[:] = 1
    som.centers.copy_(torch.tensor([[0.1, 0.1], [0.5, 0.5], [0.9, 0.9]]))
    before, live = som.centers.clone(), torch.tensor([True, True, False])
    som.centers[0] += 0.05
    som.centers[1] = torch.tensor([0.9, 0.1])
    assert find_kept(som, before, live).tolist() == [True, False, False]
