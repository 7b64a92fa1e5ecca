"""The map with neighbours and views: ``python -m experiments.beyond [part ...]``.

Parts, all by default:

- ``views``: how strong views may be, by the pixels alone;
- ``choice``: on which settings two seeds agree most;
- ``mnist``, ``fashion``: ten seeds of ``experiment=beyond_mnist`` and ``beyond_fashion``;
- ``others``: UMAP and N2D, three seeds (needs ``pip install "dcsomrl[umap]"``);
- ``tables``: the defaults on eight tables, five seeds;
- ``usps``: the defaults on USPS, five seeds;
- ``convolution``: the whole method with ``autoencoder=conv``, in bf16, three seeds;
- ``ablation``: five seeds of what each part of the method gives;
- ``render``: nothing but the page.

Every cell is kept in ``results/beyond`` as soon as it has run, and an interrupted run goes on from
its last epoch. Writes ``beyond.md``. Training sees the training split without labels, and all
scores are of the test split.
"""

import json
import platform
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from dcsomrl.writing import write_json
from experiments import beyond_choice, beyond_others, beyond_tables, beyond_views
from experiments.beyond_page import write_page
from experiments.beyond_scores import score_run
from experiments.runs import RUNS, train_job

HERE = Path(__file__).parent
KEPT = HERE / "results" / "beyond"
SEEDS, ABLATION_SEEDS, CONVOLUTION_SEEDS = range(10), range(5), range(3)
DATASETS = ("mnist", "fashion")
COMMON = ["trainer=cpu", "num_threads=1"]
# What is taken from the method, or changed in it.
ABLATED: dict[str, list[str]] = {
    "whole": [],
    "no views": ["dataset.augmentation=null"],
    "views alone": ["dataset.neighbors.k=0"],
    "no contrast": ["model.losses.neighbors.weight=0"],
    "no reconstruction": ["model.losses.reconstruction.weight=0"],
    "no pull to the map": ["model.alpha=0"],
    "never grown anew": ["model.regrow=null"],
    "fixed threshold": ["model.som.radius=null", "model.som.activation_threshold=0.95"],
    "no relevances": ["model.som.relevance_rate=0"],
    "no ageing": ["model.som.life_decay=0"],
    "repel": ["model.som.repel_mode=radial"],
}
ABLATION_EPOCHS = 10
# Two runs of one thread beat one of two.
AT_ONCE = 2


class Cell(NamedTuple):
    """What is measured at once, in some minutes.

    Attributes:
        runs: overrides of ``python -m dcsomrl.train`` by the seed of each run.
        score: what is kept of the runs' folders.
    """

    runs: dict[int, list[str]]
    score: Callable[[list[Path]], dict[str, Any]]


def main(parts: list[str]) -> None:
    """Run what is missing of some parts and write the page of all."""
    KEPT.mkdir(parents=True, exist_ok=True)
    cells = {name: cell for part in parts or PARTS for name, cell in PARTS[part]().items()}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda name: _measure(name, cells[name]), cells))
    kept = {file.stem: json.loads(file.read_text()) for file in sorted(KEPT.glob("*.json"))}
    write_page(HERE / "beyond.md", kept, f"{platform.machine()} CPU")


def make_main_cells(dataset: str) -> dict[str, Cell]:
    """The whole method on a dataset."""
    return {
        f"main-{dataset}-seed{seed}": Cell(
            {seed: [f"experiment=beyond_{dataset}"]},
            lambda folders: score_run(folders[0], with_others=True),
        )
        for seed in SEEDS
    }


def make_convolution_cells() -> dict[str, Cell]:
    """The whole method with a convolutional network, in bf16: slow without AMX or a GPU."""
    settings = ["autoencoder=conv", "trainer.precision=bf16-mixed"]
    return {
        f"convolution-{dataset}-seed{seed}": Cell(
            {seed: [f"experiment=beyond_{dataset}", *settings]},
            lambda folders: score_run(folders[0], with_others=True),
        )
        for seed in CONVOLUTION_SEEDS
        for dataset in DATASETS
    }


def make_ablation_cells() -> dict[str, Cell]:
    """The method without a part each, for fewer epochs."""
    epochs = f"trainer.max_epochs={ABLATION_EPOCHS}"
    return {
        f"ablation-{name.replace(' ', '_')}-{dataset}-seed{seed}": Cell(
            {seed: [f"experiment=beyond_{dataset}", epochs, *changes]},
            lambda folders: score_run(folders[0], with_others=False),
        )
        for seed in ABLATION_SEEDS
        for dataset in DATASETS
        for name, changes in ABLATED.items()
    }


def make_choice_cells() -> dict[str, Cell]:
    """Short runs of the settings to choose from, two seeds a cell."""
    epochs = f"trainer.max_epochs={beyond_choice.EPOCHS}"
    return {
        f"choice-{name}-{dataset}": Cell(
            {
                seed: [f"experiment=beyond_{dataset}", epochs, *changes]
                for seed in beyond_choice.SEEDS
            },
            beyond_choice.score_agreement,
        )
        for dataset in DATASETS
        for name, changes in beyond_choice.list_candidates(dataset).items()
    }


def make_other_cells() -> dict[str, Cell]:
    """Autoencoders, as wide as there are clusters, whose codes UMAP takes."""
    settings = ["model=autoencoder", "model.autoencoder.latent_dim=10", "dataset.val_fraction=0"]
    return {
        f"others-{dataset}-seed{seed}": Cell(
            {seed: [f"dataset={dataset}", *settings]}, beyond_others.score_others
        )
        for seed in beyond_others.SEEDS
        for dataset in DATASETS
    }


def make_table_cells() -> dict[str, Cell]:
    """The defaults on tables, all of whose rows are trained on and scored."""
    return {
        f"tables-{name}-seed{seed}": Cell(
            {seed: beyond_tables.list_overrides(name, RUNS / "beyond" / "tables")},
            beyond_tables.score_table,
        )
        for name in beyond_tables.TABLES
        for seed in beyond_tables.SEEDS
    }


def make_usps_cells() -> dict[str, Cell]:
    """The defaults on USPS."""
    settings = ["model=neighbor_somrl", "dataset=usps", "dataset.val_fraction=0"]
    return {
        f"usps-seed{seed}": Cell(
            {seed: settings}, lambda folders: score_run(folders[0], with_others=True)
        )
        for seed in beyond_tables.SEEDS
    }


def make_views_cells() -> dict[str, Cell]:
    """What views of every strength are nearest to; nothing is trained."""
    scores = beyond_views.score_views
    return {"views": Cell({}, lambda _: {dataset: scores(dataset) for dataset in DATASETS})}


PARTS: dict[str, Callable[[], dict[str, Cell]]] = {
    "views": make_views_cells,
    "choice": make_choice_cells,
    "mnist": lambda: make_main_cells("mnist"),
    "fashion": lambda: make_main_cells("fashion"),
    "others": make_other_cells,
    "tables": make_table_cells,
    "usps": make_usps_cells,
    "convolution": make_convolution_cells,
    "ablation": make_ablation_cells,
    "render": dict,
}


def _measure(name: str, cell: Cell) -> None:
    """Train and score a cell, unless its scores are kept."""
    file = KEPT / f"{name}.json"
    if file.exists():
        return
    several = len(cell.runs) > 1
    folders = [
        train_job(
            f"beyond/{name}-seed{seed}" if several else f"beyond/{name}",
            [*overrides, f"seed={seed}", *COMMON],
        )
        for seed, overrides in cell.runs.items()
    ]
    write_json(file, cell.score(folders))


if __name__ == "__main__":
    main(sys.argv[1:])
