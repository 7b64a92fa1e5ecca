"""Check and time the package on a GPU: ``python -m experiments.gpu``.

Every result is appended to ``results.json`` in the output's folder as soon as it is there; a second
call does what is missing, and tries again what failed. ``--dry-run`` walks through all parts on
a CPU in miniature. ``python -m experiments.gpu render`` writes the page and the figure.
"""

import argparse
import sys
from pathlib import Path

from dcsomrl.errors import DcsomrlError
from experiments.gpu.run import run_parts
from experiments.gpu.setting import Setting

KEPT, DRY = Path("experiments/results/gpu"), Path("runs/gpu-dry")


def main(arguments: list[str]) -> None:
    """Run the parts, or render what is there."""
    parser = argparse.ArgumentParser(prog="python -m experiments.gpu", description=__doc__)
    parser.add_argument("what", nargs="?", choices=("run", "render"), default="run")
    parser.add_argument("--out", type=Path, help=f"folder of the results [{KEPT}, or {DRY}]")
    parser.add_argument("--minutes", type=float, default=8, help="time in all [%(default)s]")
    parser.add_argument("--dry-run", action="store_true", help="in miniature, on a CPU")
    given = parser.parse_args(arguments)
    out = given.out or (DRY if given.dry_run else KEPT)
    if given.what == "render":
        from experiments.gpu.render import render

        render(out, Path("experiments"))
    else:
        run_parts(Setting(out.absolute(), given.dry_run), 60 * given.minutes)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except DcsomrlError as error:
        sys.exit(f"error: {error}")
