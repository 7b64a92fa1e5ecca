"""A report on a real run, in a real browser."""

import numpy as np
import pytest

from dcsomrl.reporting.page import draw_report
from dcsomrl.reporting.run_data import read_run

pytestmark = pytest.mark.slow

pytest.importorskip("selenium", reason="selenium is not installed")


def test_a_click_shows_a_node_of_a_trained_map(opened, run_small, tmp_path):
    run_small("callbacks=history")
    run = read_run(tmp_path / "run")
    page = opened(draw_report(run, "pca", 0)[1])
    node = int(run.wins.argmax())
    page.click_node(node)
    chosen = page.selected()
    assert page.find(".panel h3").text == f"Node {chosen}"
    place = run.slots.tolist().index(chosen)
    shown = page.pixels("[data-part=prototype] canvas")[..., 0]
    expected = np.round(run.decoded[place, 0].clip(0, 1) * 255)
    np.testing.assert_allclose(shown, expected, atol=1)
