"""Commands in processes of their own, forked from one that has imported the libraries."""

import contextlib
import multiprocessing
import os
import resource
import runpy
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

# Imported once, by the process that all others are forked from.
PRELOADED = (
    *("dcsomrl.app", "hydra_plugins.dcsomrl_basic", "hydra_plugins.dcsomrl_sweeper"),
    *(f"dcsomrl.commands.{name}" for name in ("train", "evaluate", "predict", "report", "export")),
    *("dcsomrl.commands.benchmark", "dcsomrl.commands.sensitivity", "dcsomrl.search"),
    *("matplotlib.figure", "torch._dynamo", "torchvision", "statsmodels.api", "pyarrow.parquet"),
    "sklearn.manifold",
)
# Bytes that a process may take beside what its imports have mapped.
MOST_MEMORY = 4 * 2**30
SPAWNED = multiprocessing.get_context("forkserver")
SPAWNED.set_forkserver_preload(list(PRELOADED))


class Ended(NamedTuple):
    """What came of a command.

    Attributes:
        code: its exit status; negative after a signal, None where its time was over.
        out: what it wrote to its standard output.
        err: and to its standard error.
    """

    code: int | None
    out: str
    err: str


def run_command(command: str, overrides: Sequence[str], folder: Path, seconds: float) -> Ended:
    """Run ``python -m dcsomrl.<command> <overrides>`` in a folder; kill it when its time is over.

    Args:
        command: such as ``train``.
        overrides: its arguments.
        folder: its working directory, in which its output is kept as ``stdout`` and ``stderr``.
        seconds: that it may take.
    """
    process = SPAWNED.Process(target=_become, args=(command, list(overrides), str(folder)))
    process.start()
    process.join(seconds)
    over = process.is_alive()
    with contextlib.suppress(ProcessLookupError):  # what it has started ends with it
        os.killpg(process.pid or 0, signal.SIGKILL)
    process.join()
    out, err = (
        (folder / name).read_text(encoding="utf-8", errors="replace")
        if (folder / name).exists()
        else ""
        for name in ("stdout", "stderr")
    )
    return Ended(None if over else process.exitcode, out, err)


def _become(command: str, overrides: list[str], folder: str) -> None:
    """In the forked process: be the command."""
    os.setsid()
    os.chdir(folder)
    os.environ["DCSOMRL_CACHE"] = str(Path(folder) / "cache")
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + MOST_MEMORY, mapped + MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.argv = [command, *overrides]
    runpy.run_module(f"dcsomrl.{command}", run_name="__main__", alter_sys=True)
