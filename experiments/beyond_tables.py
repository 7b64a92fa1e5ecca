"""The defaults of the map with neighbours on tables, beside k-means that is told the number."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from dcsomrl.loading import load
from experiments.beyond_scores import compute_codes, score_against, score_run
from experiments.tabular import DATASETS, make_slug

SEEDS = range(5)
Table = tuple[NDArray[np.floating], NDArray[np.integer]]


def make_embeddings() -> Table:
    """Twelve far groups in 512 dimensions, of length 1."""
    rng = np.random.default_rng(0)
    y = rng.integers(12, size=5000)
    x = rng.standard_normal((12, 512))[y] + 0.7 * rng.standard_normal((5000, 512))
    return x / np.linalg.norm(x, axis=1, keepdims=True), y


def make_pen_tracks() -> Table:
    """Ten characters, each written in two ways: eight points along a track, scaled to a square."""
    rng = np.random.default_rng(0)
    along = np.pi * np.linspace(0, 1, 8)
    waves = np.stack([wave(i * along) / i for i in (1, 2, 3) for wave in (np.cos, np.sin)])
    written = np.einsum("cswd,wp->cspd", rng.standard_normal((10, 2, 6, 2)), waves)
    y, way = rng.integers(10, size=6000), rng.integers(2, size=6000)
    angle = rng.normal(0, 0.15, 6000)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    tracks = np.einsum("dkn,npk->npd", turn, written[y, way]) * rng.normal(1, 0.1, (6000, 1, 2))
    tracks += rng.normal(0, 0.15, tracks.shape)
    low = tracks.min(1, keepdims=True)
    size = (tracks.max(1, keepdims=True) - low).max(2, keepdims=True)
    return (100 * (tracks - low) / size).round().reshape(6000, 16), y


SHARED = (
    *("iris", "wine", "breast cancer", "digits"),
    *("subspaces, 20 features", "subspaces, 50 features"),
)
TABLES: dict[str, Callable[[], Table]] = {
    **{make_slug(name): DATASETS[name] for name in SHARED},
    "pen-tracks": make_pen_tracks,
    "embeddings": make_embeddings,
}


def list_overrides(name: str, folder: Path) -> list[str]:
    """What trains on all rows of a table, written into the folder, and scores on the same."""
    file = folder.resolve() / f"{name}.npz"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        x, y = TABLES[name]()
        np.savez(file, x=x, y=y)
    table = [f"dataset.path={file}", f"dataset.source.test_path={file}", "dataset.val_fraction=0"]
    return ["model=neighbor_somrl", "dataset=arrays", *table]


def score_table(folders: list[Path]) -> dict[str, Any]:
    """Scores of a run on all rows, and ``kmeans_*`` of k-means in the same normalisation."""
    metrics = score_run(folders[0], with_others=False)
    trained = load(folders[0] / "checkpoints" / "last.ckpt")
    trained.data.setup("test")
    x, labels, _ = compute_codes(trained.model, trained.data.split_dataloader("test"))
    k = trained.data.num_classes
    clusters = KMeans(k, n_init=10, random_state=int(metrics["seed"])).fit_predict(x)
    rows, columns = x.shape
    return {
        **metrics,
        "rows": rows,
        "columns": columns,
        **score_against("kmeans", clusters, labels, k),
    }
