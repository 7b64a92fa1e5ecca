"""Part 7: runs that wait for a GPU, in the formats of the experiments that want them."""

import json
from functools import partial
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from dcsomrl.benchmarking.cells import Cell
from dcsomrl.commands.benchmark import run_cell
from dcsomrl.configuration import compose_config
from dcsomrl.writing import write_json
from experiments.gpu.setting import Cells, Setting
from experiments.gpu.training import finish, start

# What the benchmark has already, to which the missing seeds are added.
BENCHMARK = Path(__file__).parents[1] / "results" / "benchmark"
SEEDS = range(10)


def list_cells(setting: Setting) -> Cells:
    """SOM-VAE's published convolutions, then the benchmark's missing seeds."""
    found: dict[str, Any] = {
        f"somvae convolutions, seed {seed}": partial(train_somvae, setting, seed)
        for seed in (SEEDS[:1] if setting.dry else SEEDS[:3])
    }
    for cell in find_lacking(setting):
        found[f"benchmark {cell.run}"] = partial(train_cell, setting, cell)
    return found


def find_lacking(setting: Setting) -> list[Cell]:
    """Cells of the benchmark without a result, the first seeds first."""
    if setting.dry:
        return [Cell("kmeans", "digits", 0)]
    config = compose_benchmark(setting)
    every = [
        Cell(method, dataset, seed)
        for seed in SEEDS
        for dataset in config["datasets"]
        for method in config["methods"]
        if method != "larfdssom"  # it learns sample by sample, which no GPU makes faster
    ]
    return [cell for cell in every if not (BENCHMARK / cell.file).exists()]


def compose_benchmark(setting: Setting) -> dict[str, Any]:
    """The benchmark's own configuration."""
    overrides = [f"runs_dir={setting.runs / 'benchmark'}", f"output={setting.out / 'benchmark'}"]
    if setting.dry:
        overrides.append("common=['trainer=cpu','trainer.max_epochs=1','dataset.val_fraction=0']")
    container: Any = OmegaConf.to_container(compose_config("benchmark", overrides, setting.runs))
    return container


def train_cell(setting: Setting, cell: Cell) -> dict[str, Any]:
    """A cell of the benchmark, kept as the benchmark keeps it."""
    result = setting.out / "benchmark" / cell.file
    result.parent.mkdir(parents=True, exist_ok=True)
    run_cell(cell, compose_benchmark(setting), result)
    return _select_scores(json.loads(result.read_text()))


def train_somvae(setting: Setting, seed: int) -> dict[str, Any]:
    """SOM-VAE under its own protocol on the network that it was published with."""
    overrides = ["experiment=somvae_mnist", "autoencoder=pooled_conv"]
    if setting.dry:
        overrides += [
            *("dataset=digits", "trainer.max_epochs=1", "+trainer.limit_train_batches=2"),
            "model.autoencoder.channels=[4,4]",
        ]
    folder = f"somvae_mnist_conv/seed{seed}"
    process = start(setting, folder, *setting.machine, f"seed={seed}", *overrides, "ckpt_path=last")
    metrics = finish(setting, folder, process)
    kept = setting.out / "baselines"
    kept.mkdir(parents=True, exist_ok=True)
    write_json(kept / f"own-somvae_mnist_conv-seed{seed}.json", metrics)
    return _select_scores(metrics)


def _select_scores(metrics: dict[str, Any]) -> dict[str, Any]:
    keys = ("purity", "nmi", "nodes_used", "epochs", "seconds", "device")
    return {key: metrics[key] for key in keys}
