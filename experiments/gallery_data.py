"""Files of the gallery's datasets that are tables, as a user would have them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_wine

from experiments.beyond_tables import make_pen_tracks
from experiments.docstrings import write_docstrings
from experiments.tabular import DATASETS

STREAMED_ROWS = 200_000


def write_wine(folder: Path) -> None:
    """``wine.csv``: 178 wines, 13 measurements, and the grower's cultivar."""
    _write_bunch(load_wine(as_frame=True), "cultivar", folder / "wine.csv")


def write_breast_cancer(folder: Path) -> None:
    """``breast_cancer.csv``: 569 tumours, 30 measurements, and the diagnosis."""
    _write_bunch(load_breast_cancer(as_frame=True), "diagnosis", folder / "breast_cancer.csv")


def _write_bunch(bunch: object, label: str, file: Path) -> None:
    table: pd.DataFrame = bunch.frame.rename(columns={"target": label})  # type: ignore[attr-defined]
    names = list(bunch.target_names)  # type: ignore[attr-defined]
    table[label] = [names[number] for number in table[label]]
    table.to_csv(file, index=False)


def write_pen_tracks(folder: Path) -> None:
    """``pen_tracks.parquet``: 6,000 made-up characters, eight points each."""
    x, y = make_pen_tracks()
    names = [f"{axis}{point}" for point in range(8) for axis in "xy"]
    pd.DataFrame(x, columns=names).assign(character=y).to_parquet(folder / "pen_tracks.parquet")


def write_subspaces(folder: Path) -> None:
    """``subspaces.npz``: 1,500 rows in ten groups, each of which shows in some of 20 features."""
    x, y = DATASETS["subspaces, 20 features"]()
    np.savez(folder / "subspaces.npz", x=x, y=y)


def write_stream(folder: Path) -> None:
    """``stream.parquet``: 200,000 rows of six groups in 12 dimensions, read in blocks."""
    rng = np.random.default_rng(0)
    group = rng.integers(6, size=STREAMED_ROWS)
    x = 4 * rng.standard_normal((6, 12))[group] + rng.standard_normal((STREAMED_ROWS, 12))
    names = [f"sensor_{number}" for number in range(12)]
    table = pd.DataFrame(x.astype(np.float32), columns=names).assign(state=group)
    table.to_parquet(folder / "stream.parquet", row_group_size=10_000)


FILES: dict[str, Callable[[Path], None]] = {
    "wine.csv": write_wine,
    "breast_cancer.csv": write_breast_cancer,
    "pen_tracks.parquet": write_pen_tracks,
    "subspaces.npz": write_subspaces,
    "docstrings.parquet": write_docstrings,
    "stream.parquet": write_stream,
}
