"""Methods x datasets x seeds, trained where missing, in one table: ``python -m dcsomrl.benchmark``.

A cell that has its result is never run again, one that was interrupted goes on, and several
processes may work on one table: a cell that another one holds is left to it.
"""

import math
from itertools import product
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from dcsomrl.benchmarking.cells import Cell, check_same, collect_settings, read_results, train
from dcsomrl.benchmarking.merged import score_merged
from dcsomrl.configuration import find_config_dir
from dcsomrl.errors import ConfigError, DcsomrlError
from dcsomrl.inputs import read_json
from dcsomrl.kinds import settle_kinds
from dcsomrl.loading import load
from dcsomrl.locks import lend
from dcsomrl.writing import write_json


def benchmark(cfg: DictConfig) -> dict[Cell, dict[str, Any]]:
    """Run what is missing, render what is there; returns the results by cell.

    Raises:
        ConfigError: a result or a run that is there was made with other settings.
        DcsomrlError: a training failed; the others have been done.
    """
    # Here, so that `run_cell` can be had where Rich and Matplotlib are not installed.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from dcsomrl.benchmarking.table import make_summary, write_report

    settle_kinds(cfg)
    config: Any = OmegaConf.to_container(cfg, resolve=True)
    cells = [
        Cell(method, dataset, seed)
        for seed, dataset, method in product(config["seeds"], config["datasets"], config["methods"])
    ]
    output = Path(config["output"])
    kept = read_results(output)
    check_datasets(config["datasets"], {cell.dataset for cell in kept}, config["common"])
    output.mkdir(parents=True, exist_ok=True)
    for cell, result in kept.items():
        if cell in cells:
            check_same(result.get("settings"), collect_settings(cell, config), output / cell.file)
    missing = [cell for cell in cells if not (output / cell.file).exists()]
    missing = missing if config["train"] else []
    failures = []
    # A cell takes minutes: the speed is that of all cells so far.
    left = TimeRemainingColumn(elapsed_when_finished=True)
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), left)
    with Progress(*columns, speed_estimate_period=math.inf, disable=not missing) as progress:
        task = progress.add_task("cells", total=len(missing))
        for cell in missing:
            progress.update(task, description=f"{cell.dataset} {cell.method} seed {cell.seed}")
            try:
                run_cell(cell, config, output / cell.file)
            except DcsomrlError as error:
                failures.append(str(error))
                progress.console.print(f"failed: {error}", highlight=False)
            progress.advance(task)
    results = read_results(output)
    shown = {cell: results[cell] for cell in cells if cell in results}
    write_report(shown, config, output)
    console = Console()
    for dataset in config["datasets"]:
        console.print(make_summary(shown, config, dataset))
    console.print(f"table: {output / 'table.md'}", soft_wrap=True, highlight=False)
    if failures:
        raise DcsomrlError(f"{len(failures)} of {len(missing)} cells failed; {failures[0]}")
    return results


def check_datasets(asked: list[str], kept: set[str], common: list[str]) -> None:
    """Refuse a dataset that has neither a configuration nor a result.

    Raises:
        ConfigError: lists what there is.
    """
    if any(one.startswith("--config") for one in common):  # a folder of one's own may have it
        return
    known = {file.stem for file in (find_config_dir() / "dataset").glob("[!_]*.yaml")} | kept
    if unknown := [name for name in asked if name not in known]:
        raise ConfigError(
            f"there is no dataset={unknown[0]}: datasets can be {', '.join(sorted(known))}"
        )


def run_cell(cell: Cell, config: dict[str, Any], result: Path) -> None:
    """Train a cell and write its result, unless it is there or another process is at it."""
    if result.exists():
        return
    run_dir, now = Path(config["runs_dir"]) / cell.run, collect_settings(cell, config)
    with lend(run_dir) as lock:
        if lock is None or result.exists():
            return
        begun, training = run_dir / "settings.json", {"training": now["training"]}
        if begun.exists():
            remedy = f"remove {run_dir}, and run again"
            check_same(read_json(begun, remedy), training, run_dir)
        write_json(begun, training)
        if not (run_dir / "metrics.json").exists():
            train(cell, [*config["common"], *config["methods"][cell.method]], run_dir, lock)
        metrics = read_json(run_dir / "metrics.json", "remove it, and run again")
        trained = load(run_dir / "checkpoints" / "last.ckpt", trust=config["trust"])
        k = config["merged_clusters"]
        merged = score_merged(trained.model, trained.data, k, cell.seed)
        named = {"method": cell.method, "settings": now}
        # Data of one's own has a name of its own; a cell goes by the name of the configuration.
        write_json(result, {**named, **metrics, "dataset": cell.dataset, **merged})
