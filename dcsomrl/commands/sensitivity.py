"""Which parameters of a search matter: ``python -m dcsomrl.sensitivity folder=runs/search/...``."""

from pathlib import Path

from omegaconf import DictConfig

from dcsomrl.kinds import settle_kinds
from dcsomrl.search.outcome import read
from dcsomrl.search.sensitivity_page import write_sensitivity


def sensitivity(cfg: DictConfig) -> Path:
    """Analyse a search; returns the page that it writes, and prints it."""
    settle_kinds(cfg)
    folder = Path(cfg.folder)
    outcome = read(folder)
    metrics = list(cfg.metrics or outcome.objectives)
    page = write_sensitivity(
        outcome, metrics, Path(cfg.output) if cfg.output else folder / "sensitivity"
    )
    print(f"{page.read_text()}\nwritten into {page.parent}")
    return page
