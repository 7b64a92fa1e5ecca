"""A page about trained maps: ``python -m dcsomrl.report run=runs/.../seed0``."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from omegaconf import DictConfig, ListConfig
from rich.progress import track

from dcsomrl.errors import ConfigError
from dcsomrl.keys import name_keys
from dcsomrl.kinds import settle_kinds
from dcsomrl.reporting.html import RunPage, build_page
from dcsomrl.reporting.page import draw_report, write_figures
from dcsomrl.reporting.run_data import read_run
from dcsomrl.writing import make_folder, write_text


def report(cfg: DictConfig) -> Path:
    """Write the page and the figures; returns the page's path.

    Args:
        cfg: see ``conf/report.yaml``.

    Raises:
        ConfigError: a setting out of its range.
        DataError: a folder is not a finished run's.
        CheckpointError: a checkpoint is damaged.
    """
    settle_kinds(cfg)
    runs = list_folders(cfg.run)
    beside = Path(runs[0]) / ("report" if len(runs) == 1 else "compared")
    output = Path(cfg.output) if cfg.output else beside
    pages = []
    for number, run in enumerate(track(runs, description="report")):
        data = read_run(run, cfg.data_dir, cfg.trust, cfg.dataset.path)
        make_folder(output)
        found, page = draw_report(data, cfg.embedding, cfg.seed)
        write_figures(found, page, output if len(runs) == 1 else output / f"run{number}")
        pages.append(replace(page, notes=[name_keys(one, data.config) for one in page.notes]))
    path = output / "report.html"
    pages = tell_apart(pages, runs)
    title = " and ".join(page.title for page in pages)
    write_text(path, build_page(pages, title))
    print(f"report: {path}")
    return path


def list_folders(run: object) -> list[str]:
    """The run directories of the configuration's ``run``.

    Raises:
        ConfigError: it names none, or something else, or one twice.
    """
    given = list(run) if isinstance(run, ListConfig) else [run]
    runs = [one for one in given if isinstance(one, str) and one]
    if not runs or len(runs) < len(given):
        raise ConfigError(f"run must be the folder of a finished run, or a list of some: got {run}")
    if len({Path(one).resolve() for one in runs}) < len(runs):
        raise ConfigError(f"run names a folder twice: {run}")
    return runs


def tell_apart(pages: Sequence[RunPage], runs: Sequence[str]) -> list[RunPage]:
    """Pages of runs that differ in their settings alone bear their folders, too."""
    titles = [page.title for page in pages]
    return [
        replace(page, title=f"{page.title} ({run})") if titles.count(page.title) > 1 else page
        for page, run in zip(pages, runs, strict=True)
    ]
