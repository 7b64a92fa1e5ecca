"""Commands of the package in processes that start at once, and how they end."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.warm import warm_python

# Lines of the output that a failed trial keeps.
TAIL = 12
# Beyond what a process takes that has imported the libraries.
MEMORY = 2 << 30
HUNG = -1


class Ended(NamedTuple):
    """How a process ended.

    Attributes:
        code: its exit code; :data:`HUNG` for one that was ended after its time.
        output: what it wrote on both streams.
    """

    code: int
    output: str

    @property
    def tail(self) -> str:
        """The last lines of the output."""
        return "\n".join(self.output.strip().splitlines()[-TAIL:])

    @property
    def sentence(self) -> str | None:
        """The one sentence of a mistake; None where the process ended in another way."""
        errors = [line for line in self.output.splitlines() if line.startswith("error: ")]
        if self.code != 2 or len(errors) != 1 or "Traceback" in self.output:
            return None
        return errors[0] if self.output.rstrip().endswith(errors[0]) else None


class Runner:
    """Starts commands of this checkout.

    Args:
        python: an interpreter that starts warm.
    """

    def __init__(self, python: str) -> None:
        self._python = python

    def start(
        self,
        command: str,
        arguments: Sequence[str],
        folder: Path,
        before: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> "subprocess.Popen[str]":
        """Start a command in a folder; its output goes into the file ``output`` beside it.

        Args:
            command: of the package, as ``train``.
            arguments: of the command line.
            folder: in which it runs.
            before: Python that its process runs first; processes that it starts do not.
            environment: what is added to that of this process.
        """
        called = ["-m", f"dcsomrl.{command}"]
        if before is not None:
            called = ["-c", f"{before}\nfrom dcsomrl.{command} import main\nmain()"]
        with call_output(folder).open("w") as file:
            return subprocess.Popen(
                [self._python, *called, *arguments],
                cwd=folder,
                env={**ENVIRONMENT, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                text=True,
            )

    def run(
        self,
        command: str,
        arguments: Sequence[str],
        folder: Path,
        before: str | None = None,
        environment: Mapping[str, str] | None = None,
        seconds: float = 120,
    ) -> Ended:
        """Run a command to its end, or for some seconds; see :meth:`start`."""
        return wait(self.start(command, arguments, folder, before, environment), folder, seconds)


def wait(process: "subprocess.Popen[str]", folder: Path, seconds: float = 120) -> Ended:
    """Wait for a process that :meth:`Runner.start` has started in a folder."""
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        code = HUNG
    return Ended(code, call_output(folder).read_text(errors="replace"))


def call_output(folder: Path) -> Path:
    """The file with the output of a process in a folder."""
    return folder.with_name(f"{folder.name}.output")


@contextmanager
def make_runner() -> Iterator[Runner]:
    """A runner, whose interpreter ends with the context."""
    with tempfile.TemporaryDirectory(prefix="warm-") as folder:
        python = warm_python(Path(folder), environment=ENVIRONMENT)
        subprocess.run([python, "-c", ""], check=True)  # what it imports is there from then on
        yield Runner(python)


def limit_memory() -> str:
    """Python that bounds what its process may take beyond what it has imported."""
    return (
        "import resource\n"
        "pages = int(open('/proc/self/statm').read().split()[0])\n"
        f"bound = pages * resource.getpagesize() + {MEMORY}\n"
        "resource.setrlimit(resource.RLIMIT_AS, (bound, bound))"
    )


def _make_environment() -> dict[str, str]:
    top = Path(__file__).parents[2]
    found = os.pathsep.join([str(top), str(top / "dcsomrl" / "plugins")])
    unset = {"DCSOMRL_DATA", "DCSOMRL_CACHE"}
    kept = {name: value for name, value in os.environ.items() if name not in unset}
    return {**kept, "PYTHONPATH": found, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}


ENVIRONMENT = _make_environment()
