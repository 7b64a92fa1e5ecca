"""Valid files of every kind that the package reads, small, as one folder."""

import gzip
import shutil
import struct
from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from PIL import Image

from experiments.trust.processes import Runner

SAMPLES = 90
FEATURES = 5
SIDE = 8
SMALL = ("trainer=cpu", "trainer.max_epochs=2", "num_threads=1")
NETWORK = ("model.autoencoder.hidden_dims=[8]", "model.autoencoder.latent_dim=3")
TABLE = ("dataset=arrays", "dataset.path=x.csv", "dataset.target=kind")
RUN = (*TABLE, *SMALL, *NETWORK, "callbacks=history", "hydra.run.dir=run")
SEARCH = (
    *("-m", "search=default", "model=som", *TABLE, *SMALL),
    *("model.rows=choice(2,3)", "model.columns=choice(2,3)", "hydra.sweep.dir=search"),
    *("hydra.sweeper.sampler._target_=optuna.samplers.RandomSampler",),
    "+hydra.sweeper.sampler._partial_=true",
)
OTHERS = (
    *("neighbor_somrl", "autoencoder", "desom", "somvae", "dec", "idec", "somrl", "larfdssom"),
    *("kmeans10", "dcsomrl"),
)
BENCHMARK = (
    *(f"~methods.{name}" for name in OTHERS),
    *("datasets=[digits]", "seeds=[0]", "merged_clusters=3", "against=som"),
    "common=['trainer=cpu','trainer.max_epochs=1','dataset.val_fraction=0',num_threads\\=1]",
    *("runs_dir=bench", "output=bench/results"),
)
NEIGHBORS = (
    *(*TABLE, *SMALL, *NETWORK, "model=neighbor_somrl", "neighbors=nearest"),
    *("dataset.neighbors.cache_dir=cache", "hydra.run.dir=near"),
)


def make_data(folder: Path) -> None:
    """Write data of all kinds into a folder: arrays, tables, images, idx and HDF5."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, SAMPLES)
    x = (rng.normal(size=(SAMPLES, FEATURES)) + 4 * np.eye(3, FEATURES)[y]).astype(np.float32)
    np.savez(folder / "x.npz", x=x, y=y)
    np.savez_compressed(folder / "packed.npz", x=x, y=y)
    np.save(folder / "x.npy", x)
    torch.save({"x": torch.from_numpy(x), "y": torch.from_numpy(y)}, folder / "x.pt")
    table = pd.DataFrame(x, columns=[f"size{i}" for i in range(FEATURES)])
    table.to_parquet(folder / "stream.parquet")
    table.insert(0, "id", [f"row{i}" for i in range(SAMPLES)])
    table["kind"] = np.array(["=a", "<b>", "c"])[y]
    table.to_csv(folder / "x.csv", index=False)
    table.to_csv(folder / "x.csv.gz", index=False)
    table.to_parquet(folder / "x.parquet")
    make_images(folder, rng.integers(0, 256, (SAMPLES, SIDE, SIDE)).astype(np.uint8), y)


def make_images(folder: Path, x: NDArray[np.uint8], y: NDArray[np.int64]) -> None:
    """Write images (n, SIDE, SIDE) with labels (n,) as folders of pictures, idx and HDF5."""
    for suffix in ("png", "tiff", "jpg"):
        for i in range(24):
            file = folder / suffix / f"class{y[i]}" / f"{i}.{suffix}"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(x[i]).save(file)
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for split, part in (("train", slice(0, 60)), ("t10k", slice(60, None))):
        header = struct.pack(">4i", 2051, len(x[part]), SIDE, SIDE)
        images, labels = header + x[part].tobytes(), y[part].astype(np.uint8).tobytes()
        (raw / f"{split}-images-idx3-ubyte").write_bytes(images)
        labelled = struct.pack(">2i", 2049, len(y[part])) + labels
        (raw / f"{split}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labelled))
    with h5py.File(folder / "usps.h5", "w") as file:
        for split, part in (("train", slice(0, 60)), ("test", slice(60, None))):
            file[f"{split}/data"] = np.repeat(x[part].reshape(-1, SIDE**2), 4, axis=1) / 255
            file[f"{split}/target"] = y[part]


def make_fixtures(runner: Runner, folder: Path) -> None:
    """Write data, and a run, a search, a comparison and a cache that are made of it.

    Raises:
        RuntimeError: a command fails.
    """
    folder.mkdir(parents=True)
    make_data(folder)
    commands: Mapping[str, tuple[tuple[str, ...], ...]] = {
        "train": (RUN, NEIGHBORS, (*SEARCH, "hydra.sweeper.n_trials=2")),
        "benchmark": (BENCHMARK,),
    }
    for command, each in commands.items():
        for arguments in each:
            ended = runner.run(command, arguments, folder)
            if ended.code:
                raise RuntimeError(ended.tail)
    # One of two cells is left to do.
    (folder / "bench" / "results" / "digits-som-seed0.json").unlink()
    shutil.rmtree(folder / "bench" / "som-digits")
