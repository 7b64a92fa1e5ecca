"""Commands in processes of their own, forked from one that has imported the libraries already.

``python -m dcsomrl.train`` spends seven of its eight seconds on imports. What is tested by this is
what a command does; that it starts from nothing is tested in test_packaging and test_optional.
"""

import io
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

CONTEXT = multiprocessing.get_context("forkserver")
IMPORTED = [
    *("dcsomrl.app", "dcsomrl.__main__", "hydra_plugins.dcsomrl_sweeper", "matplotlib.figure"),
    *(f"dcsomrl.commands.{name}" for name in ("train", "evaluate", "predict", "report")),
    *("dcsomrl.commands.benchmark", "dcsomrl.commands.sensitivity", "dcsomrl.search"),
    *("torch._dynamo", "torchvision", "statsmodels.api", "pyarrow.parquet"),
]


class Forked:
    """A running ``python arguments...``, with what :class:`subprocess.Popen` offers.

    Args:
        arguments: ``-m`` and a module, or ``-c`` and a program, and what is given to it.
        cwd: its folder.
        environment: further variables.
    """

    def __init__(
        self, arguments: Sequence[str], cwd: str | Path = ".", environment: Mapping[str, str] = {}
    ) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._files = [Path(self._folder.name) / name for name in ("stdout", "stderr")]
        env = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
        files = [str(file) for file in self._files]
        CONTEXT.set_forkserver_preload(IMPORTED)  # for a server that is yet to start
        self._process = CONTEXT.Process(
            target=_run, args=(list(arguments), str(cwd), env, files), daemon=False
        )
        self._process.start()
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        """What it ended with, -n by signal n; None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float = 280) -> int:
        """Wait for its end; gives the return code."""
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired("python", timeout)
        return self.returncode

    def communicate(self, timeout: float = 280) -> tuple[str, str]:
        """Its output and errors, when it has ended."""
        self.wait(timeout)
        return self.output()

    def output(self) -> tuple[str, str]:
        """Its output and errors so far."""
        out, err = (file.read_text() if file.exists() else "" for file in self._files)
        return out, err

    def send_signal(self, sign: int) -> None:
        """Like :meth:`subprocess.Popen.send_signal`."""
        if self.returncode is None:
            assert self.pid is not None
            os.kill(self.pid, sign)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)
        self.wait()


def run(
    arguments: Sequence[str], cwd: str | Path = ".", environment: Mapping[str, str] = {}
) -> subprocess.CompletedProcess:
    """Run ``python arguments...`` to its end, or for 280 seconds."""
    process = Forked(arguments, cwd, environment)
    try:
        out, err = process.communicate()
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return subprocess.CompletedProcess(arguments, process.returncode or 0, out, err)


def _run(arguments: list[str], cwd: str, env: Mapping[str, str], files: list[str]) -> None:
    """In the child: become what ``python arguments...`` would be."""
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    for number, file in enumerate(files, 1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    sys.stdout, sys.stderr = (
        io.TextIOWrapper(os.fdopen(number, "wb", 0), "utf-8", write_through=True)
        for number in (1, 2)
    )
    time.tzset()
    paths = [path for path in env.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:0] = [cwd if arguments[0] == "-m" else "", *map(os.path.abspath, paths)]
    kind, what, *rest = arguments
    sys.argv = [what if kind == "-m" else "-c", *rest]
    if kind == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})
