"""The map with neighbours and views: ``python -m experiments.beyond [part ...]``.

Parts, all by default: ``mnist`` and ``fashion``, ten seeds of ``experiment=beyond_mnist`` and
``beyond_fashion`` each; ``choice``, on which settings two further seeds agree most; ``ablation``, five
seeds of what each part of the method gives; ``render``, nothing but the page. Every cell is kept in ``results/beyond`` as soon as it has run, and an
interrupted run goes on from its last epoch. Writes ``beyond.md``.

Training sees the training split without labels, and all scores are of the test split.
"""

import json
import platform
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from dcsomrl.writing import write_json
from experiments import beyond_choice
from experiments.beyond_page import write_page
from experiments.beyond_scores import score_run
from experiments.runs import train_job

HERE = Path(__file__).parent
KEPT = HERE / "results" / "beyond"
SEEDS, ABLATION_SEEDS = range(10), range(5)
DATASETS = ("mnist", "fashion")
COMMON = ["trainer=cpu", "num_threads=1"]
# What is taken from the method, or changed in it.
ABLATED: dict[str, list[str]] = {
    "whole": [],
    "no views": ["augmentation=none"],
    "views alone": ["dataset.neighbors.k=0"],
    "no contrast": ["model.losses.neighbors.weight=0"],
    "no reconstruction": ["model.losses.reconstruction.weight=0"],
    "no pull to the map": ["model.alpha=0"],
    "never grown anew": ["model.regrow=null"],
    "fixed threshold": ["model.som.radius=null", "model.som.activation_threshold=0.95"],
}
ABLATION_EPOCHS = 10
# Two runs of one thread beat one of two.
AT_ONCE = 2


def main(parts: list[str]) -> None:
    """Run what is missing of some parts and write the page of all."""
    KEPT.mkdir(parents=True, exist_ok=True)
    cells = {name: job for part in parts or PARTS for name, job in PARTS[part]().items()}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda name: _measure(name, cells[name]), cells))
    kept = {file.stem: json.loads(file.read_text()) for file in sorted(KEPT.glob("*.json"))}
    write_page(HERE / "beyond.md", kept, f"{platform.machine()} CPU")


def main_cells(dataset: str) -> dict[str, list[str]]:
    """Overrides of the main runs on a dataset by name."""
    return {
        f"main-{dataset}-seed{seed}": [f"experiment=beyond_{dataset}", f"seed={seed}"]
        for seed in SEEDS
    }


def ablation_cells() -> dict[str, list[str]]:
    """Overrides of the shorter runs without a part each."""
    return {
        f"ablation-{name.replace(' ', '_')}-{dataset}-seed{seed}": [
            f"experiment=beyond_{dataset}",
            f"trainer.max_epochs={ABLATION_EPOCHS}",
            f"seed={seed}",
            *changes,
        ]
        for seed in ABLATION_SEEDS
        for dataset in DATASETS
        for name, changes in ABLATED.items()
    }


def choice_cells() -> dict[str, list[str]]:
    """Overrides of the short runs, two seeds a cell, of the settings to choose from."""
    return {
        f"choice-{name}-{dataset}": [
            f"experiment=beyond_{dataset}",
            f"trainer.max_epochs={beyond_choice.EPOCHS}",
            *changes,
        ]
        for dataset in DATASETS
        for name, changes in beyond_choice.candidates(dataset).items()
    }


PARTS: dict[str, Callable[[], dict[str, list[str]]]] = {
    **{dataset: partial(main_cells, dataset) for dataset in DATASETS},
    "choice": choice_cells,
    "ablation": ablation_cells,
    "render": dict,
}


def _measure(name: str, overrides: list[str]) -> Mapping[str, Any]:
    """Train and score a cell, unless its scores are kept."""
    file = KEPT / f"{name}.json"
    if file.exists():
        return json.loads(file.read_text())
    if name.startswith("choice"):
        folders = [
            train_job(f"beyond/{name}-seed{seed}", [*overrides, f"seed={seed}", *COMMON])
            for seed in beyond_choice.SEEDS
        ]
        write_json(file, beyond_choice.score_agreement(folders))
    else:
        folder = train_job(f"beyond/{name}", [*overrides, *COMMON])
        write_json(file, score_run(folder, with_others=name.startswith("main")))
    return json.loads(file.read_text())


if __name__ == "__main__":
    main(sys.argv[1:])
