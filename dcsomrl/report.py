"""A page about trained maps: ``python -m dcsomrl.report run=runs/.../seed0``."""

from pathlib import Path

from omegaconf import DictConfig, ListConfig
from rich.progress import track

from dcsomrl.app import entry_point
from dcsomrl.inspection import inspect
from dcsomrl.pages import build_page
from dcsomrl.reporting.portrait import sections, write_figures


def report(cfg: DictConfig) -> Path:
    """Write the page and the figures; returns the page's path."""
    runs = list(cfg.run) if isinstance(cfg.run, ListConfig) else [cfg.run]
    output = Path(cfg.output) if cfg.output else Path(runs[0]) / "report"
    pages = []
    for number, run in enumerate(track(runs, description="report")):
        found, page = sections(inspect(run, cfg.data_dir), cfg.embedding, cfg.seed)
        write_figures(found, output if len(runs) == 1 else output / f"run{number}")
        pages.append(page)
    output.mkdir(parents=True, exist_ok=True)
    path = output / "report.html"
    title = " and ".join(page.title for page in pages)
    path.write_text(build_page(pages, title), encoding="utf-8")
    print(f"report: {path}")
    return path


main = entry_point("report")(report)

if __name__ == "__main__":
    main()
