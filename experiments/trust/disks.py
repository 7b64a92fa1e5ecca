"""Full, vanishing and read-only disks, and clocks that jump, under every command that writes.

Each command first runs to completion. Then it is started again where something is wrong: on
a disk that it fills (a small tmpfs), with a limit on the size of files, in a read-only
folder, on a file system without locks, with a clock that jumps by hours, or with its folder
moved away at a random moment. It must either do its work or end with one sentence, and
everything that was there before must still be there and intact. The fault is then removed,
the same command must complete, and what it leaves must equal, bit for bit except for times,
what the first run left. If so, the outcome is `equal`; otherwise something `differs`, or
the command has `failed`.
"""

import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

from experiments.trust.comparison import compare_folders, find_broken
from experiments.trust.kills import SCENARIOS, Whole, run_whole
from experiments.trust.processes import Ended, Runner, make_runner, wait
from experiments.trust.trials import Trial, read_trials, run_trials, tabulate_outcomes

NAME = "disks"
NUMBERS = range(120)
OUTCOMES = ("equal", "differs", "failed")
LEFT_OUT = ("train dec", "train a stream", "train in two processes", "search, two workers")
# What a search is to be told once what its points failed of is fixed.
AGAIN = {"search": ("hydra.sweeper.retry_failed=true",)}
COMMANDS = tuple(name for name in SCENARIOS if name not in LEFT_OUT)


class Trouble(NamedTuple):
    """What is wrong while a command runs.

    Attributes:
        place: gives a folder the trouble; what is in it afterwards stays without it.
        before: Python that the process runs first; None for none.
        disturb: is called with the folder of a process at a random moment; None for nothing.
    """

    place: Callable[[Path, Whole, random.Random], AbstractContextManager[None]]
    before: Callable[[random.Random], str] | None = None
    disturb: Callable[[Path], None] | None = None


@contextmanager
def _leave(folder: Path, whole: Whole, draw: random.Random) -> Iterator[None]:
    """Nothing is wrong with the folder."""
    yield


@contextmanager
def _fill(folder: Path, whole: Whole, draw: random.Random) -> Iterator[None]:
    """A disk with room for a part of what a command leaves."""
    left = _measure(whole.folder / "after")
    size = int(1.05 * _measure(folder) + draw.uniform(0.05, 1.2) * left) + 65536
    with _mounted(folder, "-t", "tmpfs", "-o", f"size={size}", "tmpfs"):
        yield


@contextmanager
def _forbid(folder: Path, whole: Whole, draw: random.Random) -> Iterator[None]:
    """A folder that takes no files, for whomever."""
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


@contextmanager
def _mounted(folder: Path, *arguments: str) -> Iterator[None]:
    """A file system in the place of a folder, with what was in it; this comes back at the end."""
    aside = folder.with_name("aside")
    shutil.rmtree(aside, ignore_errors=True)
    shutil.copytree(folder, aside)
    subprocess.run(["mount", *arguments, folder], check=True)
    try:
        shutil.copytree(aside, folder, dirs_exist_ok=True)
        yield
        shutil.rmtree(aside)
        shutil.copytree(folder, aside)
    finally:
        subprocess.run(["umount", folder], check=True)
    shutil.rmtree(folder)
    aside.rename(folder)


def _measure(folder: Path) -> int:
    """Bytes of a folder on a disk with blocks of 4 KiB."""
    return sum(4096 + -(-one.lstat().st_size // 4096) * 4096 for one in folder.rglob("*"))


def _limit_sizes(draw: random.Random) -> str:
    bound = draw.choice((2_000, 10_000, 30_000, 60_000))
    return f"import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, ({bound}, {bound}))"


def _refuse_locks(draw: random.Random) -> str:
    number = draw.choice(("ENOLCK", "ENOSYS", "EOPNOTSUPP"))
    return (
        "import errno, fcntl, os\n"
        "def flock(file, operation):\n"
        f"    raise OSError(errno.{number}, os.strerror(errno.{number}))\n"
        "fcntl.flock = flock"
    )


def _jump(draw: random.Random) -> str:
    by, after = draw.choice((-(10**8), -7200, -60, 7200, 10**8)), draw.uniform(0, 3)
    return (
        "import time\n"
        "now, began = time.time, time.time()\n"
        f"time.time = lambda: now() + ({by} if now() - began > {after} else 0)\n"
        "time.time_ns = lambda: int(time.time() * 10**9)"
    )


def _move_away(folder: Path) -> None:
    for one in ("made", "search", "bench", "page", "out"):
        if (folder / one).exists():
            (folder / one).rename(folder / f"{one}.away")


TROUBLES = {
    "disk full": Trouble(_fill),
    "limit to files": Trouble(_leave, before=_limit_sizes),
    "no writing": Trouble(_forbid),
    "no locks": Trouble(_leave, before=_refuse_locks),
    "clock jumps": Trouble(_leave, before=_jump),
    "folder vanishes": Trouble(_leave, disturb=_move_away),
}


def run(numbers: range = NUMBERS) -> None:
    """Run what is missing of the trials; only root can make disks that are full."""
    with make_runner() as runner, tempfile.TemporaryDirectory(prefix="disks-") as place:
        wholes: dict[str, Whole] = {}

        def try_one(number: int) -> Trial:
            name = COMMANDS[number % len(COMMANDS)]
            if name not in wholes:
                wholes[name] = run_whole(runner, name, Path(place))
            return try_trouble(runner, name, wholes[name], number)

        run_trials(NAME, numbers, try_one)


def try_trouble(runner: Runner, name: str, whole: Whole, number: int) -> Trial:
    """Run a command in trouble, then without, and compare what it leaves."""
    draw = random.Random(number)
    scenario, folder = SCENARIOS[name], whole.folder.with_name("trial")
    what = list(TROUBLES)[(number // len(COMMANDS)) % len(TROUBLES)]
    trouble = TROUBLES[what]
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(whole.folder, folder, ignore=shutil.ignore_patterns("after"))
    moment = draw.uniform(0, whole.seconds)
    before = trouble.before(draw) if trouble.before else None
    with trouble.place(folder, whole, draw):
        process = runner.start(scenario.command, scenario.arguments, folder, before)
        if trouble.disturb is not None:
            time.sleep(moment)
            trouble.disturb(folder)
        first = wait(process, folder)
        broken = [
            one
            for place in scenario.places
            if (folder / place).exists()
            for one in find_broken(folder / place)
        ]
    for away in folder.glob("*.away"):
        shutil.rmtree(folder / away.stem, ignore_errors=True)
        away.rename(folder / away.stem)
    trial = {"scenario": name, "trouble": what, "first": first.sentence or first.code}
    if not _is_sound(first) or broken:
        return {**trial, "outcome": "failed", "said": [*broken, first.tail]}
    arguments = (*scenario.arguments, *AGAIN.get(name, ()))
    ended = runner.run(scenario.command, arguments, folder)
    if ended.code:
        return {**trial, "outcome": "failed", "said": [ended.tail]}
    found = [
        f"{place}/{one}"
        for place in scenario.places
        for one in compare_folders(whole.folder / "after" / place, folder / place)
    ]
    return {**trial, "outcome": "differs" if found else "equal", "said": found}


def _is_sound(ended: Ended) -> bool:
    return ended.code == 0 or ended.sentence is not None


def _tell(trial: Trial) -> list[str]:
    """Whether the command did its work at first, and what it came to."""
    return ["done" if trial["first"] == 0 else "refused", trial["outcome"]]


def describe() -> str:
    """The part of the page: outcomes by what is wrong, and what has failed."""
    trials = read_trials(NAME)
    columns = ("done", "refused", *OUTCOMES)
    parts = [
        f"## Disks and clocks\n\n{(__doc__ or '').strip()}\n",
        f"{len(trials)} trials; those counted as `done` did their work in spite of the fault:\n",
        tabulate_outcomes(trials, "trouble", "what is wrong", TROUBLES, columns, _tell),
    ]
    parts += [
        f"- {one['number']}: {one['scenario']}, {one['trouble']}\n"
        for one in trials
        if one["outcome"] != "equal"
    ]
    return "\n".join(parts)
