"""Run campaigns and write ``experiments/trust.md``: ``python -m experiments.trust [campaign ...]``.

Without names all of them run. A campaign is a module of this package: its docstring says what it
does, ``run()`` runs what is missing of its trials, ``describe()`` writes its part of the page from
those that are kept. ``python -m experiments.trust render`` writes nothing but the page.
"""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

PAGE = Path(__file__).parents[1] / "trust.md"
CAMPAIGNS: tuple[str, ...] = ("configurations", "kills", "disks", "files", "long", "machines")


def main(names: list[str]) -> None:
    """Run campaigns and write the page of all."""
    for name in names or CAMPAIGNS:
        if name != "render":
            find_campaign(name).run()
    parts = [find_campaign(name).describe() for name in CAMPAIGNS]
    PAGE.write_text("\n".join([INTRODUCTION, *parts]), encoding="utf-8")


def find_campaign(name: str) -> ModuleType:
    """The module of a campaign; ends with a sentence where there is none of the name."""
    if name not in CAMPAIGNS:
        sys.exit(f"error: there is no campaign {name}; there are {', '.join(CAMPAIGNS)}, render")
    return import_module(f"experiments.trust.{name}")


INTRODUCTION = """# Robustness campaigns

`python -m experiments.trust` runs the trials that are missing and writes this page. Every trial
is drawn from its number,
so it can be repeated; `results/trust` keeps the outcome of each.
"""

if __name__ == "__main__":
    main(sys.argv[1:])
