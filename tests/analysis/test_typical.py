import numpy as np
import pytest

from dcsomrl.analysis.typical import order_typical


@pytest.mark.parametrize("n", [0, 1, 7, 200])
def test_the_nearest_of_every_node_come_first_then_the_second_of_each(n):
    rng = np.random.default_rng(n)
    nodes, distance = rng.integers(0, 5, n), rng.permutation(n) / 10
    left = {node: sorted(np.flatnonzero(nodes == node), key=lambda i: distance[i])
            for node in range(5)}  # fmt: skip
    expected: list[int] = []
    while any(left.values()):
        turn = [members.pop(0) for members in left.values() if members]
        expected += sorted(turn, key=lambda i: distance[i])
    assert order_typical(nodes, distance).tolist() == expected
