"""LARFDSSOM against the publication's loop, in plain Python."""

import math

import numpy as np
import pytest
import torch

from dcsomrl.maps import LARFDSSOM, SOMRL, Centers, Grid

SETTINGS = {
    "max_nodes": 8,
    "activation_threshold": 0.95,
    "winner_rate": 0.1,
    "neighbor_rate": 0.03,
    "relevance_rate": 0.4,
    "relevance_smoothness": 0.1,
    "lowest_share": 0.05,
    "age_wins": 40,
    "connection_threshold": 0.3,
}


class Loop:
    def __init__(self, m, **settings):
        self.m = m
        self.__dict__.update(settings)
        self.nodes = [None] * self.max_nodes
        self.links = set()
        self.seen = 0
        self.frozen = False

    def live(self):
        return [j for j in range(self.max_nodes) if self.nodes[j]]

    def activation(self, x, node):
        total = sum(node["w"])
        apart = sum(w * (a - c) ** 2 for w, a, c in zip(node["w"], x, node["c"], strict=True))
        return total / (total + apart + 1e-7)

    def similar(self, i, j):
        pairs = zip(self.nodes[i]["w"], self.nodes[j]["w"], strict=True)
        norm = math.sqrt(sum((a - b) ** 2 for a, b in pairs))
        return norm < self.connection_threshold * math.sqrt(self.m)

    def learn(self, x):
        best = max(self.live(), key=lambda j: self.activation(x, self.nodes[j]), default=None)
        self.seen += 1
        enough = False
        if best is not None:
            self.nodes[best]["wins"] += 1
            enough = self.activation(x, self.nodes[best]) >= self.activation_threshold
        free = [j for j in range(self.max_nodes) if not self.nodes[j]]
        if enough:
            self.pull(x, best, self.winner_rate)
            for j in self.live():
                if (best, j) in self.links:
                    self.pull(x, j, self.neighbor_rate)
        elif free and not self.frozen:
            new = free[0]
            self.nodes[new] = {"c": list(x), "w": [1.0] * self.m, "d": [0.0] * self.m, "wins": 0}
            for j in self.live():
                if j != new and self.similar(new, j):
                    self.links |= {(new, j), (j, new)}
        if self.seen >= self.age_wins:
            self.remove()

    def pull(self, x, j, rate):
        node = self.nodes[j]
        step = rate * self.relevance_rate
        node["d"] = [
            (1 - step) * d + step * abs(a - c)
            for d, a, c in zip(node["d"], x, node["c"], strict=True)
        ]
        low, high = min(node["d"]), max(node["d"])
        mean, slope = sum(node["d"]) / self.m, self.relevance_smoothness * (high - low)
        node["w"] = [1 / (1 + math.exp((d - mean) / slope)) if slope else 1.0 for d in node["d"]]
        node["c"] = [c + rate * (a - c) for a, c in zip(x, node["c"], strict=True)]

    def remove(self):
        live = self.live()
        weak = [j for j in live if self.nodes[j]["wins"] < self.lowest_share * self.seen]
        if weak == live:
            weak.remove(max(live, key=lambda j: self.nodes[j]["wins"]))
        for j in weak:
            self.nodes[j] = None
        for j in self.live():
            self.nodes[j]["wins"] = 0
        live = self.live()
        self.links = {(i, j) for i in live for j in live if i != j and self.similar(i, j)}
        self.seen = 0


@pytest.mark.parametrize("threshold", [0.9, 0.95, 0.99])
def test_every_sample_is_learned_as_in_the_loop(threshold):
    rng = np.random.default_rng(int(threshold * 100))
    settings = {**SETTINGS, "activation_threshold": threshold}
    som = LARFDSSOM(3, **settings).double().train()
    loop = Loop(3, **settings)
    middles = rng.random((5, 3))
    for _ in range(60):
        batch = np.clip(middles[rng.integers(5, size=9)] + rng.normal(0, 0.1, (9, 3)), 0, 1)
        som(torch.tensor(batch))
        for x in batch.tolist():
            loop.learn(x)
        assert som.live.tolist() == [node is not None for node in loop.nodes]
        for j in loop.live():
            for name, key in (("centers", "c"), ("relevances", "w"), ("distances", "d")):
                np.testing.assert_allclose(
                    getattr(som, name)[j], loop.nodes[j][key], rtol=1e-6, atol=1e-9, err_msg=name
                )
        links = {tuple(pair) for pair in som.adjacency().nonzero().tolist()}
        assert links == loop.links
    assert som.births > 2
    assert threshold < 0.99 or som.deaths > 0


def test_a_frozen_map_takes_no_nodes_and_the_last_node_stays():
    som = LARFDSSOM(2, **{**SETTINGS, "lowest_share": 1.0, "age_wins": 10_000}).train()
    som(torch.tensor([[0.1, 0.1], [0.9, 0.9], [0.88, 0.9], [0.9, 0.88]]))
    assert int(som.n_live) == 2
    assert som.remove_() == 1
    torch.testing.assert_close(som.prototypes()[0], torch.tensor([0.9, 0.9]), atol=0.01, rtol=0)
    som.frozen.fill_(True)
    som(torch.tensor([[0.1, 0.1]]))
    assert int(som.n_live) == 1


def test_a_map_settles_in_rounds_without_new_nodes_and_others_do_nothing():
    som = LARFDSSOM(2, **{**SETTINGS, "lowest_share": 0.3, "age_wins": 10_000}).train()
    far = torch.tensor([[0.1, 0.1], *[[0.9, 0.9]] * 4, [0.5, 0.1]])
    som(far)
    assert int(som.n_live) == 3
    asked = []
    som.settle_(lambda: asked.append(1) or far)
    assert int(som.n_live) == 1
    assert bool(som.frozen)
    assert len(asked) == 2  # the last round removes none
    assert som.sequential
    other = SOMRL(2).train()
    other(far)
    before = {name: value.clone() for name, value in other.state_dict().items()}
    other.settle_(lambda: pytest.fail("nothing is asked for"))
    assert all(torch.equal(value, before[name]) for name, value in other.state_dict().items())
    assert not other.sequential


def test_a_map_has_no_grid_unless_it_has_one():
    assert SOMRL(2).grid is None
    assert Centers(torch.rand(6, 2)).grid is None
    grid = Grid(2, 3)
    assert Centers(torch.rand(6, 2), grid).grid is grid


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"winner_rate must be in \(0, 1\]"):
        LARFDSSOM(2, winner_rate=0)
    with pytest.raises(ValueError, match="age_wins must be at least 1"):
        LARFDSSOM(2, age_wins=0)
