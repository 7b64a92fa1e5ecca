"""An interpreter that starts warm: ``sys.executable`` of the tests.

``python -m dcsomrl.train`` spends seven of its eight seconds on imports. :func:`warm_python` makes
an executable that takes what ``python`` takes and gives what it gives, but whose process is forked
from a server that has imported the libraries already. Commands, and whatever starts processes by
``sys.executable`` (launchers, DDP, the benchmark), need no change. What is tested by it is what a
program does; that it starts from nothing is tested with :data:`PYTHON`.
"""

import json
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).parent
# The interpreter itself, which starts from nothing.
PYTHON = sys.executable
IMPORTED = (
    *("dcsomrl.app", "hydra_plugins.dcsomrl_basic", "hydra_plugins.dcsomrl_sweeper"),
    *(f"dcsomrl.commands.{name}" for name in ("train", "evaluate", "predict", "report")),
    *("dcsomrl.commands.benchmark", "dcsomrl.commands.sensitivity", "dcsomrl.search"),
    *("matplotlib.figure", "torch._dynamo", "torchvision", "statsmodels.api", "pyarrow.parquet"),
    *("joblib.externals.loky.backend.popen_loky_posix", "submitit.core._submit"),
)


def warm_python(
    folder: Path,
    imported: Sequence[str] = IMPORTED,
    flags: Sequence[str] = (),
    environment: Mapping[str, str] = os.environ,
) -> str:
    """Write the executable into a folder; its server lives no longer than this process.

    Args:
        folder: holds the socket as well, so its path is to be short.
        imported: modules that the server imports.
        flags: of its interpreter, which its processes have as well.
        environment: its own, where the modules are found by.

    Returns:
        The executable's path.
    """
    setting = {
        "python": PYTHON,
        "executable": str(folder / "python"),
        "flags": list(flags),
        "environment": {**environment, "OMP_NUM_THREADS": "1"},
        "imported": imported,
        "pid": os.getpid(),
    }
    (folder / "setting.json").write_text(json.dumps(setting))
    executable = folder / "python"
    warm = sys.platform == "linux"  # whose signals and descriptors of processes it needs
    line = [PYTHON, "-IS", str(HERE / "client.py"), str(folder)] if warm else [PYTHON, *flags]
    executable.write_text(f'#!/bin/sh\nexec {shlex.join(line)} "$@"\n')
    executable.chmod(0o755)
    return str(executable)
