import io
import math

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from dcsomrl.figures import draw_prototype_grid, draw_prototype_profiles
from dcsomrl.figures.clusters import draw_cluster_profiles
from dcsomrl.figures.embedding import draw_embedding
from dcsomrl.figures.images import draw_image_rows, rescale_images
from dcsomrl.figures.parameters import draw_parameter_scatter


@pytest.mark.parametrize("nodes", [1, 7, 200])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_prototype_is_drawn_the_most_used_first(nodes, channels):
    rng = np.random.default_rng(0)
    images, counts = rng.random((nodes, channels, 5, 6)), rng.permutation(nodes) + 1000
    figure = draw_prototype_grid(images, counts, "title")
    (axis,) = figure.axes
    order = np.argsort(-counts)
    assert [text.get_text() for text in axis.texts] == [f"{counts[node]:,}" for node in order]
    sheet = np.asarray(axis.images[0].get_array())
    for text, node in zip(axis.texts, order, strict=True):
        x, y = text.get_position()  # the count stands in the middle above its picture
        left, top = round(x - 3), math.ceil(y)
        shown = sheet[top : top + 5, left : left + 6]
        assert (shown[..., 3] == 1).all()
        expected = np.broadcast_to(np.moveaxis(images[node], 0, -1), (5, 6, 3))
        np.testing.assert_allclose(shown[..., :3], expected)
    assert (sheet[..., 3] == 1).sum() == nodes * 30


def test_vectors_are_rows_the_most_used_first():
    features = np.array([[0.0, 5, 900], [1, 5, 100], [2, 5, 500], [4, 5, 300]])
    figure = draw_prototype_profiles(features, np.array([1, 9, 3, 5]), ["a", "b", "c"], "title")
    axis = figure.axes[0]
    # Every feature from its least to its greatest value, whatever its unit.
    shares = np.array([[0, 0, 1], [0.25, 0, 0], [0.5, 0, 0.5], [1, 0, 0.25]])
    np.testing.assert_array_equal(axis.images[0].get_array(), shares[[1, 3, 2, 0]])
    assert [label.get_text() for label in axis.get_xticklabels()] == ["a", "b", "c"]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["9", "5", "3", "1"]


@pytest.mark.parametrize("shape", [(0, 1, 4, 4), (3, 2, 4, 4), (3, 4)])
def test_other_shapes_are_no_images(shape):
    with pytest.raises(ValueError, match="prototypes must be images"):
        draw_prototype_grid(np.zeros(shape), np.zeros(shape[0], dtype=int))


@pytest.mark.parametrize("shape", [(0, 4), (3, 4, 4)])
def test_other_shapes_are_no_vectors(shape):
    with pytest.raises(ValueError, match="prototypes must be vectors"):
        draw_prototype_profiles(np.zeros(shape), np.zeros(shape[0], dtype=int))


def test_names_are_drawn_as_they_are():
    """Neither as formulas, which bad ones make fail, nor left out of a legend."""
    names = ["$_a_$", "b_$_b$", "_c", "5 $"]
    profiles = draw_prototype_profiles(np.eye(4), np.arange(4), names, "$_t_$")
    rows = draw_image_rows([np.zeros((1, 1, 2, 2))] * 4, names, title="$_t_$")
    grid = draw_prototype_grid(np.zeros((1, 1, 4, 4)), np.ones(1, dtype=int), "$_t_$")
    plane = draw_embedding(np.zeros((4, 2)), np.zeros((1, 2)), np.empty((0, 2), dtype=int),
                           np.arange(4), names, title="$_t_$")  # fmt: skip
    point = pd.DataFrame({"p": ["${a} ${_b}", "c"]})
    scatter = draw_parameter_scatter(point, pd.Series([0.0, 1.0], name="r"))
    texts = []
    for figure in (profiles, rows, grid, plane, scatter):
        buffer = io.StringIO()
        with matplotlib.rc_context({"svg.fonttype": "none"}):
            figure.savefig(buffer, format="svg")
        texts.append(buffer.getvalue())
    for text in (texts[0], texts[1], texts[3]):
        assert all(f"{name}</text>" in text for name in [*names, "$_t_$"])
    assert "$_t_$</text>" in texts[2]
    assert "${a} ${_b}</text>" in texts[4]


def test_images_of_another_range_are_brought_to_one_that_can_be_drawn():
    samples = np.array([[-1.0, 0], [0.5, 1.0]])
    np.testing.assert_allclose(rescale_images(samples, samples), [[0, 0.5], [0.75, 1]])
    np.testing.assert_allclose(rescale_images(np.array([128.0]), np.array([0.0, 256.0])), [0.5])
    for kept in (np.array([0.0, 1.0]), np.array([0.2, 0.4]), np.array([-1e-6, 1 + 1e-6])):
        assert rescale_images(samples, kept) is samples


def draw_all(nodes, features, title):
    """Every kind of picture that has a heading, of some nodes."""
    rng = np.random.default_rng(0)
    images, counts = rng.random((nodes, 1, 8, 8)), np.arange(nodes)
    rows = rng.random((nodes, features))
    names = [f"{'a long name of a column ' * (i % 4)}{i}" for i in range(features)]
    yield draw_prototype_grid(images, counts, title)
    yield draw_image_rows([images], ["cluster 0: 1"], title=title)
    yield draw_prototype_profiles(rows, counts, names, title)
    yield draw_cluster_profiles(rows, counts, counts % 2, names, title)


@pytest.mark.parametrize("nodes", [1, 3, 40])
@pytest.mark.parametrize("features", [2, 30])
def test_no_text_is_cut_off(nodes, features):
    title = "neighbor_somrl on a_rather_long_name_of_a_file, test split, seed 0: prototypes"
    for figure in draw_all(nodes, features, title):
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        for text in figure.findobj(Text):
            if text.get_visible() and text.get_text().strip():
                box = text.get_window_extent(canvas.get_renderer())
                where = f"{text.get_text()} at {box} of {figure.bbox}"
                assert min(box.x0, box.y0) >= -1, where
                assert box.x1 <= figure.bbox.x1 + 1, where
                assert box.y1 <= figure.bbox.y1 + 1, where


@pytest.mark.parametrize("labels", [None, np.arange(2)])
def test_dots_of_few_samples_are_larger(labels):
    names = None if labels is None else ["a", "b"]
    node, edges = np.zeros((1, 2)), np.empty((0, 2), dtype=int)
    few = draw_embedding(np.zeros((2, 2)), node, edges, labels, names)
    repeated = None if labels is None else labels.repeat(2000)
    many = draw_embedding(np.zeros((4000, 2)), node, edges, repeated, names)
    area = [figure.axes[0].collections[0].get_sizes()[0] for figure in (few, many)]
    assert area == [30, 3]
