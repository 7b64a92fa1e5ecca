"""The files that a finished run leaves, and the table that a person reads at its end."""

import logging
import os
import platform
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from dcsomrl import __version__
from dcsomrl.analysis.typical import order_typical
from dcsomrl.data import ClusterData
from dcsomrl.data.normalization import to_floats
from dcsomrl.metrics import BY_KEY
from dcsomrl.models import ClusteringModule
from dcsomrl.writing import save_figure, swapped

log = logging.getLogger(__name__)

# What training grows by, and what is made of a run when it has ended.
GROWING = ("checkpoints", "config.yaml", "metrics.csv", "step_scores.csv", "paths.npz")
ASSIGNMENTS = ("assignments.parquet", "assignments.csv")
PICTURES = ("prototypes.png", "clusters.png", "typical.png")
RESULTS = ("metrics.json", *ASSIGNMENTS, "clusters.csv", *PICTURES, "report", "compared")
SHOWN = (
    *("nodes", "nodes_used", "purity", "nmi", "ari", "accuracy", "quantization_error"),
    *("clusters", "cluster_accuracy", "cluster_nmi", "cluster_ari", "seconds"),
)


def set_aside(run_dir: Path, results_only: bool = False) -> Path | None:
    """Move what an earlier run left in a folder into ``previous-N`` inside it.

    Of a run that was stopped in its first epoch there is nothing to keep.

    Args:
        run_dir: the folder.
        results_only: whether checkpoints and what grows with a training stay.

    Returns:
        The new folder, or None where there was nothing.
    """
    names = RESULTS if results_only else (*GROWING, *RESULTS)
    found = [run_dir / name for name in names if (run_dir / name).exists()]
    found += [] if results_only else run_dir.glob("hpc_ckpt_*.ckpt")
    found += run_dir.glob("evaluate-*")
    if not found or not (results_only or _is_worth_keeping(run_dir)):
        return None
    number = 1
    while (aside := run_dir / f"previous-{number}").exists():
        number += 1
    aside.mkdir()
    for path in found:
        shutil.move(path, aside / path.name)
    return aside


def _is_worth_keeping(run_dir: Path) -> bool:
    """Whether a run can go on, or has left a result or a table of more than its first epoch."""
    table = run_dir / "metrics.csv"
    return (
        (run_dir / "checkpoints" / "last.ckpt").exists()
        or any(run_dir.glob("hpc_ckpt_*.ckpt"))
        or any((run_dir / name).exists() for name in RESULTS)
        or (table.exists() and len(table.read_bytes().splitlines()) > 2)
    )


def find_origin(device: torch.device) -> dict[str, str | None]:
    """The kind of machine, versions and, in a checkout, the commit that a result comes from.

    ``-dirty`` behind the commit: code or configuration differ from it.
    """
    on_gpu = device.type == "cuda"
    kind = torch.cuda.get_device_name(device) if on_gpu else f"{platform.machine()} CPU"
    try:
        commit = _run_git("rev-parse", "--short=12", "HEAD") or None
        if commit and _run_git("status", "--porcelain", "--", "dcsomrl", "conf", "pyproject.toml"):
            commit += "-dirty"
    except (OSError, subprocess.TimeoutExpired):
        commit = None
    versions = {"torch": torch.__version__, "dcsomrl": __version__}
    return {"device": kind, **versions, "git_commit": commit}


def _run_git(*arguments: str) -> str:
    top = Path(__file__).parents[2]
    done = subprocess.run(
        ["git", *arguments], cwd=top, capture_output=True, text=True, timeout=10, check=False
    )
    return done.stdout.strip()


def write_assignments(folder: Path, table: pd.DataFrame) -> None:
    """One row a sample: ``assignments.csv``, and ``assignments.parquet`` with pyarrow installed."""
    parquet, csv = (folder / name for name in ASSIGNMENTS)
    write_table(csv, table)
    if find_spec("pyarrow"):
        write_table(parquet, table)
    else:
        log.warning("pyarrow is not installed: the assignments are written to %s alone", csv)
        parquet.unlink(missing_ok=True)


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as its name ends, ``.csv`` or ``.parquet``, whole or not at all."""
    with swapped(path) as part:
        if path.suffix == ".csv":
            table.to_csv(part, index=False)
            return
        # Columns that a user keeps may hold values of several kinds.
        mixed = [name for name in table if table[name].dtype == object]
        table.astype(dict.fromkeys(mixed, "string")).to_parquet(part, index=False)


def write_clusters(folder: Path, table: pd.DataFrame) -> None:
    """One row a cluster: ``clusters.csv``."""
    with swapped(folder / "clusters.csv") as part:
        table.to_csv(part, index=False, float_format="%.4g")


def draw_pictures(
    folder: Path,
    model: ClusteringModule,
    data: ClusterData,
    wins: "pd.Series[int]",
    merged: Tensor,
    title: str,
) -> None:
    """Pictures of the decoded prototypes of the nodes in use, and of the clusters that they make.

    Needs Matplotlib, or is left out.

    Args:
        folder: for ``prototypes.png`` and ``clusters.png``.
        model: that was trained.
        data: that it was trained on.
        wins: test samples of every slot that won some, by its number.
        merged: (K,) cluster of every slot.
        title: what the pictures are of, as ``dcsomrl on digits``.
    """
    if not find_spec("matplotlib"):
        log.warning("matplotlib is not installed: no picture of the prototypes is drawn")
        return
    from dcsomrl.figures import draw_prototype_grid, draw_prototype_profiles
    from dcsomrl.figures.clusters import draw_cluster_profiles, draw_cluster_rows
    from dcsomrl.figures.images import rescale_images

    live = model.codebook.live_slots().cpu().numpy()
    if len(live) == 0:
        return
    cluster = merged.cpu().numpy()[live]
    counts = wins.reindex(live, fill_value=0).to_numpy()
    decoded = data.denormalize(model.decoded_prototypes().cpu()).numpy()
    if decoded.ndim == 4 and decoded.shape[1] in (1, 3):
        samples = data.denormalize(next(iter(data.split_dataloader("test"))).x.cpu()).numpy()
        images = rescale_images(decoded, samples).clip(0, 1)
        figure = draw_prototype_grid(images, counts, f"{title}: prototypes")
        clusters = draw_cluster_rows(images, counts, cluster, f"{title}: clusters")
    else:
        flat = decoded.reshape(len(decoded), -1)
        names = data.feature_names
        figure = draw_prototype_profiles(flat, counts, names, f"{title}: prototypes")
        clusters = draw_cluster_profiles(flat, counts, cluster, names, f"{title}: clusters")
    save_figure(figure, folder / "prototypes.png", dpi=130)
    save_figure(clusters, folder / "clusters.png", dpi=130)


def draw_typical(folder: Path, data: ClusterData, assigned: pd.DataFrame, title: str) -> None:
    """A sheet of images: of every cluster those nearest to their nodes, the nearest first.

    Args:
        folder: for ``typical.png``; none is drawn of what is not an image, or without Matplotlib.
        data: that the samples are of.
        assigned: samples with their ``split``, ``index``, ``cluster`` and ``distance``.
        title: what the picture is of.
    """
    if len(data.shape) != 3 or data.shape[0] not in (1, 3) or not find_spec("matplotlib"):
        return
    from dcsomrl.figures.clusters import MOST_CLUSTERS, MOST_NODES
    from dcsomrl.figures.images import draw_image_rows, rescale_images

    rows: list[NDArray[np.floating]] = []
    labels = []
    for cluster, members in assigned[assigned["cluster"] >= 0].groupby("cluster"):
        if len(rows) == MOST_CLUSTERS:
            break
        order = order_typical(members["node"].to_numpy(), members["distance"].to_numpy())
        shown = members.iloc[order[:MOST_NODES]]
        images = [
            data.raw(split, torch.tensor([index]))
            for split, index in zip(shown["split"], shown["index"], strict=True)
        ]
        rows.append(to_floats(torch.cat(images)).numpy())
        labels.append(f"cluster {cluster}: {len(members):,}")
    if rows:
        whole = np.concatenate(rows)
        rows = [rescale_images(row, whole).clip(0, 1) for row in rows]
        figure = draw_image_rows(rows, labels, title=f"{title}: typical samples")
        save_figure(figure, folder / "typical.png", dpi=130)


def print_summary(
    metrics: Mapping[str, Any], title: str, run_dir: Path, report: bool = False
) -> None:
    """The numbers that matter, the warnings, the commands to go on with, and where the rest is.

    Args:
        metrics: what stands in ``metrics.json``.
        title: the heading.
        run_dir: where the results are.
        report: whether they are those of a run, of which a report can be made.
    """
    print(f"\n{title}")
    for name in SHOWN:
        if name in metrics:
            print(f"  {BY_KEY[name].title:<18} {metrics[name]:>9.{BY_KEY[name].decimals}f}")
    for warning in metrics["warnings"]:
        print(f"warning: {warning}")
    if report:
        print(f"to see it: python -m dcsomrl.report run={shlex.quote(os.path.relpath(run_dir))}")
        checkpoint = shlex.quote(os.path.relpath(run_dir / "checkpoints" / "last.ckpt"))
        print(f"for new samples: python -m dcsomrl.predict ckpt={checkpoint} input=...")
    files = [name for name in reversed(ASSIGNMENTS) if (run_dir / name).exists()]
    where = f", with every sample's cluster in {files[0]}" if files else ""
    print(f"run directory: {run_dir}{where}")
