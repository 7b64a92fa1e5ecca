"""The parts one after the other, each in a process of its own, until the time is over."""

import json
import multiprocessing
import os
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple

import torch

from dcsomrl.errors import DcsomrlError
from experiments.gpu import store
from experiments.gpu.setting import Cells, Setting


class Part(NamedTuple):
    """A module whose function ``list_cells`` gives what it measures, and the most seconds of it."""

    module: str
    seconds: float

    @property
    def name(self) -> str:
        """What its results are filed under."""
        return self.module.rpartition(".")[2]

    def list_cells(self, setting: Setting) -> Cells:
        """What the part measures."""
        return import_module(self.module).list_cells(setting)


# What matters most comes first; the last takes what time is left.
PARTS = (
    Part("experiments.gpu.agreement", 120),
    Part("experiments.gpu.waits", 60),
    Part("experiments.gpu.steps", 200),
    Part("experiments.gpu.maps", 60),
    Part("experiments.gpu.training", 120),
    Part("experiments.gpu.resuming", 180),
    Part("experiments.gpu.waiting", 3600),
)


def run_parts(setting: Setting, seconds: float, parts: Sequence[Part] = PARTS) -> None:
    """Do what has no result yet; a failure is recorded, and the next part runs.

    Args:
        setting: where and how large.
        seconds: after which nothing goes on.
        parts: in the order in which they run.

    Raises:
        DcsomrlError: there is no GPU; or, at the end, something failed or is missing.
    """
    if not (setting.dry or torch.cuda.is_available()):
        raise DcsomrlError("there is no GPU that torch can use: run it where one is, or --dry-run")
    if any(record["dry_run"] != setting.dry for record in store.read(setting.out).values()):
        raise DcsomrlError(
            f"{setting.out} holds results of {'a GPU' if setting.dry else 'a dry run'}: choose "
            "another folder with --out"
        )
    end = time.monotonic() + seconds
    # Forked from a process that has imported everything and touched no device.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, *(part.module for part in parts)])
    for part in parts:
        left = end - time.monotonic()
        if left > 0 and find_missing(part, setting):
            process = context.Process(target=_work, args=(part, setting))
            process.start()
            _await(process, part, setting, min(left, part.seconds))
    _report(setting, parts)


def find_missing(part: Part, setting: Setting) -> list[str]:
    """Cells of a part without a result, by name; those that failed come last."""
    found = store.read(setting.out)
    names = [f"{part.name}/{cell}" for cell in part.list_cells(setting)]
    lacking = [name for name in names if "result" not in found.get(name, {})]
    return sorted(lacking, key=lambda name: name in found)


def _work(part: Part, setting: Setting) -> None:
    """All missing cells of a part, in this process."""
    os.setsid()  # so that what the cells start can be ended with them
    cells = part.list_cells(setting)
    for cell in find_missing(part, setting):
        start = time.perf_counter()
        try:
            result = cells[cell.partition("/")[2]]()
            json.dumps(result, allow_nan=False)  # what is not a number is a failure
            outcome: dict[str, Any] = {"result": result}
        except Exception as error:
            traceback.print_exc()
            outcome = {"error": f"{type(error).__name__}: {error}"[:500]}
        seconds = time.perf_counter() - start
        store.add(setting.out, cell, seconds, setting.dry, **outcome)
        print(f"{cell}: {seconds:.1f} s{' FAILED' if 'error' in outcome else ''}", flush=True)


def _await(process: BaseProcess, part: Part, setting: Setting, seconds: float) -> None:
    """Wait for a part; end it when its time is over, and record what it was at if that failed.

    What was cut because the whole time is over did not fail: the next call does it.
    """
    start = time.perf_counter()
    process.join(seconds)
    late = process.is_alive()
    if late:
        assert process.pid is not None
        with suppress(ProcessLookupError):  # it has no group of its own before its first line
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.join()
    if process.exitcode and not (late and seconds < part.seconds):
        spent = time.perf_counter() - start
        why = f"stopped after {spent:.0f} s" if late else f"the process ended ({process.exitcode})"
        for name in find_missing(part, setting)[:1]:
            store.add(setting.out, name, spent, setting.dry, error=why)
            print(f"{name}: {why}", file=sys.stderr, flush=True)


def _report(setting: Setting, parts: Sequence[Part]) -> None:
    """How much is there, and what to do next.

    Raises:
        DcsomrlError: something failed or is missing.
    """
    found = store.read(setting.out)
    lacking = [name for part in parts for name in find_missing(part, setting)]
    failed = [f"{name} ({found[name]['error']})" for name in lacking if name in found]
    done = sum("result" in record for record in found.values())
    print(f"\n{done} results in {setting.out / store.FILE}")
    if lacking:
        first = f"; first {failed[0]}" if failed else ""
        raise DcsomrlError(
            f"{len(failed)} failed and {len(lacking) - len(failed)} are missing{first}: the same "
            "command goes on"
        )
    if not setting.dry:
        print("next: python -m experiments.gpu render")
