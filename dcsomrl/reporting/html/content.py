"""What a page shows: arrays and sentences, and the check that they fit each other."""

import re
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dcsomrl.reporting.html.answers import Answer, Comparison, check_answers

Floats = NDArray[np.floating]
Integers = NDArray[np.integer]
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Picture:
    """A figure drawn elsewhere.

    Args:
        name: letters, digits, "-" and "_"; unique in a run. Runs are matched by it.
        title: the figure's heading.
        caption: one or two sentences, what one sees.
        svg: the text of an SVG file, as matplotlib writes it.
        source: the number of the paper's figure that it is after; empty where there is none.
        question: that it helps to answer, a key of
            :data:`~dcsomrl.reporting.html.answers.QUESTIONS`; empty where it helps with none.
    """

    name: str
    title: str
    caption: str
    svg: str
    source: str = ""
    question: str = ""


@dataclass(frozen=True)
class Explorer:
    """A map's K live nodes and n test samples, to be looked through.

    Args:
        node_xy: (K, 2) where the nodes are drawn.
        edges: (E, 2) pairs of node numbers 0..K-1.
        strength: (E,) above 0.
        slots: (K,) the node's slot on the map, its name to a person.
        wins: (K,) samples won.
        activation: (K,) mean activation of its samples, NaN where it won none.
        node_class: (K,) majority class, -1 where none.
        purity: (K,) share of the majority class, NaN where none.
        class_names: None where there are no labels.
        point_xy: (n, 2) where the samples are drawn.
        point_node: (n,) winner's number 0..K-1, -1 where none.
        point_activation: (n,) activation of the winner.
        point_class: (n,) class, -1 where none; None where there are no labels.
        relevances: (K, m) in [0, 1]; None for maps without relevances.
        relevance_names: m names of the dimensions.
        tiles: (K, h, w, 1 or 3) decoded prototypes; None for tables of features.
        nearest: (K, r, h, w, 1 or 3) each node's nearest samples.
        levels: (L,) relevances below which dimensions are disturbed.
        disturbed: (L, K, h, w, 1 or 3) what a prototype then decodes to.
        profiles: (K, f) prototypes of tables: a value for each feature.
        feature_names: f names.
        nearest_rows: (K, r) row numbers of the nearest samples, -1 where there are fewer.
        nearest_distance: (K, r) their distances, -1 where there are fewer.
    """

    node_xy: Floats
    edges: Integers
    strength: Floats
    slots: Integers
    wins: Integers
    activation: Floats
    node_class: Integers
    purity: Floats
    class_names: list[str] | None
    point_xy: Floats
    point_node: Integers
    point_activation: Floats
    point_class: Integers | None
    relevances: Floats | None
    relevance_names: list[str]
    tiles: Pixels | None
    nearest: Pixels | None
    levels: Floats
    disturbed: Pixels | None
    profiles: Floats | None
    feature_names: list[str] | None
    nearest_rows: Integers
    nearest_distance: Floats


@dataclass(frozen=True)
class Cluster:
    """A row of the sheet of clusters.

    Args:
        number: of the cluster, from 0.
        facts: by their headings, which are the same for all clusters of a run.
        pictures: (r, h, w, 1 or 3) bytes of typical samples; None where there are none.
    """

    number: int
    facts: dict[str, str]
    pictures: Pixels | None = None


@dataclass(frozen=True)
class RunPage:
    """What a page says about one trained map.

    Args:
        title: the run's name.
        summary: rows of measure and value; a measure stands once.
        notes: plain sentences.
        pictures: figures, in the order of the page.
        explorer: None where there is nothing to explore.
        clusters: the largest first; none where nodes are not merged.
        meanings: what measures of the summary say, by their name, where they need a word.
        answers: by their question, a key of :data:`~dcsomrl.reporting.html.answers.QUESTIONS`.
        comparison: of any two clusters; None where there are none.
    """

    title: str
    summary: list[tuple[str, str]]
    notes: list[str]
    pictures: list[Picture]
    explorer: Explorer | None
    clusters: list[Cluster] = field(default_factory=list)
    meanings: dict[str, str] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    comparison: Comparison | None = None


def check_run(run: RunPage) -> None:
    """Whether a run's parts fit each other.

    Raises:
        ValueError: they do not; one sentence says where.
    """
    for name in (picture.name for picture in run.pictures):
        if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
            raise ValueError(
                f"a picture's name must be letters, digits, '-' and '_', got {name!r}."
            )
    for what, names in (
        ("picture", [picture.name for picture in run.pictures]),
        ("measure", [measure for measure, _ in run.summary]),
    ):
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise ValueError(f"{what} {twice[0]!r} stands twice in the run {run.title!r}.")
    for cluster in run.clusters:
        if cluster.facts.keys() != run.clusters[0].facts.keys():
            raise ValueError(f"cluster {cluster.number} has other facts than the first one.")
        if cluster.pictures is not None:
            _check_pixels("pictures", cluster.pictures, len(cluster.pictures))
    check_answers(run.answers, run.comparison)
    if run.explorer is not None:
        _check_nodes(run.explorer)
        _check_points(run.explorer)
        _check_pictures(run.explorer)


def _check_shape(name: str, array: NDArray[np.generic], *expected: int) -> None:
    if array.shape != expected:
        raise ValueError(f"{name} must have the shape {expected}, got {array.shape}.")


def _check_numbers(name: str, array: Integers, low: int, end: int) -> None:
    """Raise unless ``low <= array < end`` everywhere."""
    if not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"{name} must hold whole numbers, got {array.dtype}.")
    wrong = array[(array < low) | (array >= end)]
    if wrong.size:
        raise ValueError(f"{name} must be between {low} and {end - 1}, got {wrong[0]}.")


def _check_nodes(explorer: Explorer) -> None:
    k, n_edges = len(explorer.slots), len(explorer.strength)
    if k == 0:
        raise ValueError("an explorer needs at least one node.")
    _check_shape("node_xy", explorer.node_xy, k, 2)
    _check_shape("edges", explorer.edges, n_edges, 2)
    _check_shape("strength", explorer.strength, n_edges)
    _check_numbers("edges", explorer.edges, 0, k)
    for name in ("slots", "wins", "activation", "node_class", "purity"):
        _check_shape(name, getattr(explorer, name), k)
    _check_numbers("slots", explorer.slots, 0, 2**31)
    _check_numbers("wins", explorer.wins, 0, 2**31)
    if explorer.class_names is not None:
        _check_numbers("node_class", explorer.node_class, -1, len(explorer.class_names))
    if not np.isfinite(explorer.node_xy).all():
        raise ValueError("node_xy must be finite.")
    if not (np.isfinite(explorer.strength) & (explorer.strength > 0)).all():
        raise ValueError("strength must be finite and above 0.")
    if explorer.relevances is not None:
        _check_shape("relevances", explorer.relevances, k, len(explorer.relevance_names))


def _check_points(explorer: Explorer) -> None:
    k, n = len(explorer.slots), len(explorer.point_node)
    _check_shape("point_xy", explorer.point_xy, n, 2)
    _check_shape("point_node", explorer.point_node, n)
    _check_shape("point_activation", explorer.point_activation, n)
    _check_numbers("point_node", explorer.point_node, -1, k)
    if not np.isfinite(explorer.point_xy).all():
        raise ValueError("point_xy must be finite.")
    if explorer.point_class is not None:
        _check_shape("point_class", explorer.point_class, n)
        if explorer.class_names is not None:
            _check_numbers("point_class", explorer.point_class, -1, len(explorer.class_names))


def _check_pictures(explorer: Explorer) -> None:
    k, r = len(explorer.slots), explorer.nearest_rows.shape[-1]
    _check_shape("nearest_rows", explorer.nearest_rows, k, r)
    _check_shape("nearest_distance", explorer.nearest_distance, k, r)
    _check_numbers("nearest_rows", explorer.nearest_rows, -1, 2**31)
    _check_shape("levels", explorer.levels, len(explorer.levels))
    if explorer.tiles is not None:
        _check_pixels("tiles", explorer.tiles, k)
    if explorer.nearest is not None:
        _check_pixels("nearest", explorer.nearest, k, r)
    if explorer.disturbed is not None:
        if explorer.tiles is None or len(explorer.levels) == 0:
            raise ValueError("disturbed pictures need tiles and at least one level.")
        _check_pixels("disturbed", explorer.disturbed, len(explorer.levels), k)
        _check_shape("disturbed", explorer.disturbed, len(explorer.levels), *explorer.tiles.shape)
    if explorer.profiles is not None:
        if explorer.feature_names is None:
            raise ValueError("profiles need feature_names.")
        _check_shape("profiles", explorer.profiles, k, len(explorer.feature_names))


def _check_pixels(name: str, images: Pixels, *leading: int) -> None:
    """Raise unless ``images`` are bytes of shape (*leading, h, w, 1 or 3)."""
    fits = images.ndim == len(leading) + 3 and images.shape[: len(leading)] == leading
    if not fits or images.shape[-1] not in (1, 3) or 0 in images.shape[-3:-1]:
        wanted = ", ".join(str(size) for size in leading)
        raise ValueError(
            f"{name} must have the shape ({wanted}, h, w, 1 or 3), got {images.shape}."
        )
    if images.dtype != np.uint8:
        raise ValueError(f"{name} must be uint8, got {images.dtype}.")
