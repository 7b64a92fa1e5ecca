"""The lines, bars and dots of the figures are the numbers that were given."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dcsomrl.figures.comparison import draw_score_bars
from dcsomrl.figures.curves import draw_life_curves, draw_step_curves
from dcsomrl.figures.embedding import PALETTE, draw_embedding
from dcsomrl.figures.relevance import MEASURES, draw_disturbance_lines, draw_relevance_histograms
from dcsomrl.figures.structure import draw_degree_bars, draw_merge_bars, draw_pair_scatter
from dcsomrl.reporting import html


def lines(axis):
    """(x, y) of an axis's lines by label."""
    return {
        line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in axis.lines
    }


def heights(axis):
    return [bar.get_height() for bar in axis.patches]


def widths(axis):
    return [bar.get_width() for bar in axis.patches]


def test_every_step_has_its_scores_and_the_marks_stand_where_they_are_reached():
    steps = pd.DataFrame(
        {"step": [1, 2, 3], "purity": [0.1, 0.5, 0.9], "nmi": [0.0, 0.2, 0.4], "nodes": [5, 9, 7]}
    )
    chance = pd.DataFrame({"purity": [0.1, 0.2, 0.3], "nmi": [0.0, 0.1, 0.1]})
    nodes, scores = draw_step_curves(steps, {0.9: 2, 0.99: 3}, chance).axes
    drawn = lines(scores)
    assert drawn["purity"] == ([1, 2, 3], [0.1, 0.5, 0.9])
    assert drawn["NMI"] == ([1, 2, 3], [0.0, 0.2, 0.4])
    assert drawn["purity by chance"] == ([1, 2, 3], [0.1, 0.2, 0.3])
    marks = {
        line.get_linestyle(): line.get_xdata()[0]
        for line in scores.lines
        if len(line.get_xdata()) == 2
    }
    assert marks == {":": 2, "--": 3}
    assert lines(nodes)["nodes (right)"] == ([1, 2, 3], [5, 9, 7])
    named = [text.get_text() for text in scores.get_legend().texts]
    assert named == ["purity", "purity by chance", "NMI", "NMI by chance", "nodes (right)"]


def test_the_life_of_a_map_has_a_panel_for_what_was_logged_alone():
    history = pd.DataFrame(
        {
            "epoch": [0, 1, 2],
            "train/loss": [3.0, 2.0, 1.0],
            "train/latent_spread": [1.0, 1.5, 2.0],
            "births": [10, 14, 15],
            "deaths": [0, 3, 8],
        }
    )
    panels = {axis.get_title(): lines(axis) for axis in draw_life_curves(history).axes}
    assert list(panels) == ["births and deaths an epoch", "losses", "spread of the codes"]
    # Counted since training began, drawn by epoch.
    assert panels["births and deaths an epoch"] == {
        "births": ([1, 2, 3], [10, 4, 1]),
        "deaths": ([1, 2, 3], [0, 3, 5]),
    }
    assert panels["losses"] == {"loss": ([1, 2, 3], [3.0, 2.0, 1.0])}


@pytest.mark.parametrize(("where", "on"), [("usage", "training"), ("val", "validation")])
def test_the_use_of_nodes_stands_beside_their_number(where, on):
    history = pd.DataFrame({"epoch": [0, 1], "nodes": [5, 7], "val/nodes_used": [4, 4],
                            "val/perplexity": [2.0, 3.0]})  # fmt: skip
    history[f"{where}/nodes_used"], history[f"{where}/perplexity"] = [3, 6], [2.5, 5.5]
    panels = {axis.get_title(): lines(axis) for axis in draw_life_curves(history).axes}
    assert panels["nodes"] == {
        "live": ([1, 2], [5, 7]),
        f"win a {on} sample": ([1, 2], [3, 6]),
        "perplexity of use": ([1, 2], [2.5, 5.5]),
    }


def test_a_class_has_one_colour_in_figures_and_on_the_page():
    css = (Path(html.__file__).parent / "page.css").read_text()
    named = re.findall(r"--class-(\d+): light-dark\((#\w+)", css)
    assert [color for _, color in named][: len(PALETTE)] == list(PALETTE)


def test_relevances_are_counted_in_three_ways():
    relevances = np.array([[1.0, 0.02, 0.7], [0.98, 0.6, 0.01]])
    values, entropy, use = draw_relevance_histograms(relevances).axes
    assert sum(heights(values)) == 6
    assert sum(heights(entropy)) == 2
    assert heights(use) == [2, 1, 1]
    assert values.get_title() == "near 0: 33%, moderate: 33%, near 1: 33%"


def test_disturbances_have_a_line_and_a_band_each():
    rows = [
        {"threshold": threshold, "kind": kind, "change": value, "change_low": value - 0.1,
         "change_high": value + 0.2}
        for kind, value in (("least relevant", 0.5), ("random", 0.6), ("most relevant", 0.7))
        for threshold in (0.3, 0.4)
    ]  # fmt: skip
    (axis,) = draw_disturbance_lines(pd.DataFrame(rows)).axes
    assert axis.get_ylabel() == MEASURES["change"]
    assert lines(axis)["random"] == ([0.3, 0.4], [0.6, 0.6])
    band = axis.collections[1].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == pytest.approx((0.5, 0.8))


def test_samples_nodes_and_edges_lie_where_they_are_and_the_class_without_samples_is_named():
    points, nodes = np.array([[0.0, 0], [1, 1], [2, 0]]), np.array([[0.0, 1], [1, 0], [5, 5]])
    figure = draw_embedding(
        points, nodes, np.array([[0, 2]]), labels=np.array([2, 0, 2]), class_names=["a", "b", "c"]
    )
    (axis,) = figure.axes
    a, b, c, edges, discs = axis.collections
    assert [len(dots.get_offsets()) for dots in (a, b, c)] == [1, 0, 2]
    np.testing.assert_array_equal(c.get_offsets(), points[[0, 2]])
    np.testing.assert_array_equal(edges.get_segments()[0], nodes[[0, 2]])
    np.testing.assert_array_equal(discs.get_offsets(), nodes)
    assert axis.get_xlim()[1] > 5
    assert [text.get_text() for text in axis.get_legend().texts] == ["a", "b", "c"]


def test_pairs_are_apart_by_their_connection():
    table = pd.DataFrame(
        {"connected": [True, False, False], "distance": [1.0, 2, 3], "length": [0.1, 0.4, 0.6],
         "largest_jump": [0.01, 0.2, 0.3]}
    )  # fmt: skip
    length, jump = draw_pair_scatter(table).axes
    apart, together = length.collections
    np.testing.assert_array_equal(together.get_offsets(), [[1, 0.1]])
    np.testing.assert_array_equal(apart.get_offsets(), [[2, 0.4], [3, 0.6]])
    np.testing.assert_array_equal(jump.collections[1].get_offsets(), [[1, 0.01]])


def test_degrees_are_counted_and_the_parts_sorted():
    degrees, parts = draw_degree_bars(np.array([0, 2, 2, 5]), np.array([1, 3])).axes
    assert heights(degrees) == [1, 0, 2, 0, 0, 1]
    assert heights(parts) == [3, 1]


def test_ways_to_merge_have_a_bar_a_score_and_their_number_of_clusters():
    scores = {
        "as they are": {"clusters": 64, "nmi": 0.5, "accuracy": 0.2},
        "spectral": {"clusters": 10, "nmi": 0.8, "accuracy": 0.9},
    }
    nmi, accuracy = draw_merge_bars(scores).axes
    assert (widths(nmi), widths(accuracy)) == ([0.5, 0.8], [0.2, 0.9])
    assert [label.get_text() for label in nmi.get_yticklabels()] == [
        "as they are (64)",
        "spectral (10)",
    ]
    assert [text.get_text() for text in accuracy.texts] == ["0.200", "0.900"]


def test_scores_of_methods_have_their_mean_deviation_and_number_of_seeds():
    scores = {"NMI": {"digits": {"ours": [0.4, 0.6], "theirs": [0.7]}}}
    (axis,) = draw_score_bars(scores).axes
    assert widths(axis) == [0.5, 0.7]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["ours (2)", "theirs (1)"]
    (low, high), (same, _) = (segment[:, 0] for segment in axis.collections[0].get_segments())
    assert (low, high) == pytest.approx((0.5 - 0.02**0.5, 0.5 + 0.02**0.5))
    assert same == pytest.approx(0.7)
