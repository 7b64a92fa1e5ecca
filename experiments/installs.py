"""What an installation takes: size and time of the package, and of each extra beside ``train``.

``python -m experiments.installs`` makes an environment with the Python that runs it, installs torch
and torchvision, the package, ``train``, and then one extra after the other, each taken away again
before the next, and writes ``installs.md``. Six gigabytes of room, removed in the end. Times are
those of pip, with what it downloads: they differ by network and disk.
"""

import json
import platform
import subprocess
import sys
import tempfile
import time
import tomllib
import venv
from pathlib import Path
from typing import Any, NamedTuple

from dcsomrl.writing import tabulate, write_text

PAGE = Path("experiments/installs.md")
# What an install of the package begins with, counted apart.
TORCH = ("torch", "torchvision")
# Tools that are only for work on the package.
LEFT_OUT = ("bench", "docs", "dev")


class Row(NamedTuple):
    """What one installation added.

    Attributes:
        name: of what was installed.
        packages: distributions that came with it.
        size: bytes in site-packages.
        seconds: that pip took.
    """

    name: str
    packages: int
    size: int
    seconds: float


class Environment:
    """A virtual environment that is measured.

    Args:
        folder: where it is made.
    """

    def __init__(self, folder: Path) -> None:
        venv.create(folder, with_pip=True)
        self._folder = folder

    def add(self, name: str, *what: str) -> Row:
        """Install, and say what came of it."""
        before, size, start = self.list_versions(), self._measure(), time.perf_counter()
        self._pip("install", "--quiet", *what)
        seconds = time.perf_counter() - start
        new = self.list_versions().keys() - before.keys()
        return Row(name, len(new), self._measure() - size, seconds)

    def restore(self, versions: dict[str, str]) -> None:
        """Go back to what was there, also where an installation has changed a version."""
        now = self.list_versions()
        if new := sorted(now.keys() - versions.keys()):
            self._pip("uninstall", "--quiet", "--yes", *new)
        lines = [f"{name}=={one}" for name, one in versions.items() if now.get(name) != one]
        if lines:
            self._pip("install", "--quiet", "--no-deps", *lines)

    def list_versions(self) -> dict[str, str]:
        """Distributions that are there, with their versions."""
        found = json.loads(self._pip("list", "--format=json"))
        return {one["name"]: one["version"] for one in found}

    def _pip(self, *arguments: str) -> str:
        line = [str(self._folder / "bin" / "python"), "-m", "pip", *arguments]
        done = subprocess.run(line, stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout

    def _measure(self) -> int:
        (site,) = self._folder.glob("lib/python*/site-packages")
        files = (file for file in site.rglob("*") if file.is_file() and not file.is_symlink())
        return sum(file.stat().st_size for file in files)


def measure(folder: Path) -> list[Row]:
    """Install everything, in a folder for the environment."""
    project: dict[str, Any] = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    extras = [one for one in project["optional-dependencies"] if one not in (*LEFT_OUT, "train")]
    environment = Environment(folder)
    rows = [
        environment.add("torch and torchvision", *TORCH),
        environment.add("dcsomrl", "--editable", "."),
        environment.add("dcsomrl[train]", "--editable", ".[train]"),
    ]
    base = environment.list_versions()
    for extra in extras:
        rows.append(environment.add(f"dcsomrl[{extra}]", "--editable", f".[{extra}]"))
        environment.restore(base)
    return rows


def render(rows: list[Row]) -> str:
    """The page."""
    table = tabulate(
        ("installed", "adds", "packages", "seconds"),
        [
            (f"`{row.name}`", f"{row.size / 1e6:,.0f} MB", str(row.packages), f"{row.seconds:.0f}")
            for row in rows
        ],
    )
    return f"""# What an installation takes

`python -m experiments.installs`, {platform.machine()}, Python {platform.python_version()}: bytes in
`site-packages`, number of packages, and seconds taken by pip, including downloads. The row
`dcsomrl` shows what it adds to torch, `dcsomrl[train]` what it adds to `dcsomrl`, and every other
row what it adds to `dcsomrl[train]`.

{table}"""


def main() -> None:
    """Measure, and write the page."""
    if sys.argv[1:]:
        sys.exit(f"error: no arguments are taken, got {' '.join(sys.argv[1:])}")
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(Path(folder) / "venv")
    write_text(PAGE, render(rows))
    print(f"written: {PAGE}")


if __name__ == "__main__":
    main()
