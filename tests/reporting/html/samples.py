"""Made-up maps in the shape of trained ones."""

import io
from dataclasses import replace
from functools import cache
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from dcsomrl.reporting.html import Answer, Cluster, Comparison, Explorer, Picture, RunPage

# Of a comparison of a table's clusters: the second feature is twice as far apart in its deviations.
FEATURES: dict[str, Any] = {
    "means": np.array([[1.0, 100.0], [2.0, 300.0], [-2.5e-7, -100.0]]),
    "deviation": np.array([1.0, 100.0]),
    "names": ["width of the longest leaf in the whole of the plant", "height"],
}
DIGITS = [str(digit) for digit in range(10)]


@cache
def picture(name: str = "scores", title: str = "Scores by epoch") -> Picture:
    """A real matplotlib figure with clip paths, markers and shared glyphs."""
    figure = Figure(figsize=(5, 3.2), layout="constrained")
    axis = figure.subplots()
    axis.plot([0, 1, 2, 3], [0.2, 0.6, 0.7, 0.72], "o-", label="purity")
    axis.plot([0, 1, 2, 3], [0.1, 0.5, 0.62, 0.66], "s-", label="NMI")
    axis.set_xlabel("epoch")
    axis.set_title(title)
    axis.legend()
    file = io.StringIO()
    # Without the salt every figure has ids of its own; with it, two figures' ids clash.
    with matplotlib.rc_context({"svg.hashsalt": "same"}):
        figure.savefig(file, format="svg")
    return Picture(name, title, "Both scores rise, then level off.", file.getvalue())


def blobs(rng: np.random.Generator, count: int, side: int, channels: int) -> np.ndarray:
    """Smooth pictures, (count, side, side, channels), each its own."""
    axis = np.linspace(-1, 1, side)
    x, y = np.meshgrid(axis, axis)
    at, width = (
        rng.uniform(-0.6, 0.6, (count, channels, 2)),
        rng.uniform(0.1, 0.5, (count, channels)),
    )
    distance = (x - at[..., 0, None, None]) ** 2 + (y - at[..., 1, None, None]) ** 2
    pixels = 255 * np.exp(-distance / width[..., None, None] ** 2)
    return np.moveaxis(pixels, 1, -1).astype(np.uint8)


def explorer(
    nodes: int = 12,
    points: int = 300,
    channels: int = 1,
    side: int = 10,
    m: int = 8,
    **changes: Any,
) -> Explorer:
    """A labelled map of pictures with relevances; ``changes`` replace single fields."""
    rng = np.random.default_rng(nodes)
    turn = np.arange(nodes) * 2.4
    node_xy = np.sqrt(np.arange(nodes) + 0.5)[:, None] * np.stack([np.cos(turn), np.sin(turn)], 1)
    gaps = np.linalg.norm(node_xy[:, None] - node_xy[None], axis=-1)
    edges = np.argwhere(np.triu(gaps < 2.0, 1))
    owner = rng.integers(0, nodes, points) if nodes > 1 else np.zeros(points, dtype=int)
    owner = np.sort(owner * (rng.random(points) < 0.9))
    wins = np.bincount(owner, minlength=nodes)
    node_class = np.arange(nodes) % 10
    tiles = blobs(rng, nodes, side, channels)
    levels = np.array([0.2, 0.4, 0.6, 0.8])
    nearest = np.clip(tiles[:, None] * rng.uniform(0.4, 1, (nodes, 6, 1, 1, 1)), 0, 255)
    disturbed = np.stack([tiles.astype(float) * (1 - level) + 40 for level in levels])
    won = np.where(wins > 0, 1.0, np.nan)
    made = Explorer(
        node_xy=node_xy,
        edges=edges,
        strength=1 / gaps[edges[:, 0], edges[:, 1]],
        slots=np.arange(nodes) * 3 + 5,
        wins=wins,
        activation=rng.uniform(0.8, 1, nodes) * won,
        node_class=node_class,
        purity=rng.uniform(0.5, 1, nodes) * won,
        class_names=DIGITS,
        point_xy=node_xy[owner] + 0.4 * rng.standard_normal((points, 2)),
        point_node=owner,
        point_activation=rng.uniform(0.7, 1, points),
        point_class=np.where(rng.random(points) < 0.85, owner % 10, rng.integers(0, 10, points)),
        relevances=rng.random((nodes, m)) ** 0.6,
        relevance_names=[f"z{i}" for i in range(m)],
        tiles=tiles,
        nearest=nearest.astype(np.uint8),
        levels=levels,
        disturbed=disturbed.astype(np.uint8),
        profiles=None,
        feature_names=None,
        nearest_rows=rng.integers(0, 10000, (nodes, 6)),
        nearest_distance=np.sort(rng.uniform(0.1, 2, (nodes, 6)), axis=1),
    )
    return replace(made, **changes)


def table_explorer(features: int = 6, **changes: Any) -> Explorer:
    """A map of rows of a table, whose relevances are of the features."""
    names = [f"feature {i}" for i in range(features)]
    profiles = np.random.default_rng(1).normal(size=(12, features))
    made = explorer(m=features, tiles=None, nearest=None, disturbed=None)
    return replace(
        made, **{"profiles": profiles, "feature_names": names, "relevance_names": names} | changes
    )


def cluster_rows(count: int = 3, side: int = 8, channels: int = 1) -> list[Cluster]:
    """Clusters with their facts and five typical pictures each."""
    pictures = blobs(np.random.default_rng(2), 5, side, channels)
    return [Cluster(i, {"samples": str(90 - i), "nodes": "4"}, pictures) for i in range(count)]


def run_page(title: str = "seed 1", **changes: Any) -> RunPage:
    """A run with everything; ``changes`` replace single fields."""
    made = RunPage(
        title=title,
        summary=[("Purity", "0.912"), ("NMI", "0.654"), ("Nodes used", "12 of 12")],
        notes=["The map is full: no further node could be added."],
        pictures=[picture(), picture("sizes", "Samples won")],
        explorer=explorer(),
        clusters=cluster_rows(),
        meanings={"NMI": "0 to 1, higher is better"},
    )
    return replace(made, **changes)


def comparison(**changes: Any) -> Comparison:
    """Three clusters of pictures; ``changes`` replace single fields."""
    border = np.array([[0, 45, 0], [89, 0, 0], [22, 0, 0]])
    pictures = blobs(np.random.default_rng(3), 3, 8, 1)
    made = Comparison(np.array([90, 89, 88]), border, pictures, None, None, None)
    return replace(made, **changes)


def answered_page(title: str = "seed 1", **changes: Any) -> RunPage:
    """A run with an answer to every question."""
    odd = Answer(
        "2 of 9 are outliers.",
        ["sample", "outlier"],
        [["s7", "yes"], ["s3", "no"]],
        blobs(np.random.default_rng(4), 2, 8, 1),
    )
    level = Answer("It looks so.", ["", "change"], [["loss", "-0.1%"]])
    number = Answer("3 stand out.", ["clusters", "holds over"], [["2", "10%"], ["3", "60%"]])
    sizes = replace(picture("sizes", "Samples won"), question="trained", source="Fig. X")
    return run_page(
        title,
        **{
            "answers": {"odd": odd, "trained": level, "number": number},
            "pictures": [picture(), sizes],
            "comparison": comparison(),
            **changes,
        },
    )
