"""Which parameters of a search matter: ``python -m dcsomrl.sensitivity sweep=runs/search/...``."""

from pathlib import Path

from omegaconf import DictConfig

from dcsomrl.kinds import settle_kinds
from dcsomrl.search.outcome import read
from dcsomrl.search.sensitivity_page import write_sensitivity


def sensitivity(cfg: DictConfig) -> Path:
    """Analyse a search; returns the page that it writes, and prints it."""
    settle_kinds(cfg)
    sweep = Path(cfg.sweep)
    outcome = read(sweep)
    metrics = list(cfg.metrics or outcome.objectives)
    page = write_sensitivity(
        outcome, metrics, Path(cfg.output) if cfg.output else sweep / "sensitivity"
    )
    print(f"{page.read_text()}\nwritten into {page.parent}")
    return page
