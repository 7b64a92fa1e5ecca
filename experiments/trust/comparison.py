"""Whether two folders of results are the same, bit for bit, but for times."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
import torch
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from dcsomrl.checkpoints import read_checkpoint

# Files that say when something was, or that are there while something is at work.
LEFT_OUT = re.compile(r"\.log$|\.lock$|^output\.txt$|^multirun\.yaml$|^\.search$|^version$")
# What results say of times, and of the code that they come from.
TIMES = re.compile(r"seconds|git_commit")
# What callbacks of Lightning keep in checkpoints of the clock, or write and never read.
CLOCK = re.compile(r"^(Timer|TimeLimit)|time_elapsed|^current_score$")


def compare_folders(whole: Path, other: Path) -> list[str]:
    """What another folder holds otherwise, a sentence a file; nothing where it is the same.

    Args:
        whole: results of what never stopped.
        other: of what was stopped and taken up again.
    """
    ours, theirs = ({one: read(one, folder) for one in _list(folder)} for folder in (whole, other))
    found = [f"{name} is lacking" for name in sorted(ours.keys() - theirs.keys())]
    found += [f"{name} is left over" for name in sorted(theirs.keys() - ours.keys())]
    for name in sorted(ours.keys() & theirs.keys()):
        if place := find_difference(ours[name], theirs[name]):
            found.append(f"{name} differs {place}")
    return found


def find_broken(folder: Path) -> list[str]:
    """Files of results that cannot be read, as half of one cannot; parts that are written aside."""
    found = []
    for name in _list(folder):
        if not name.endswith(".part"):
            try:
                read(name, folder)
            except Exception as error:  # of any reader
                found.append(f"{name}: {type(error).__name__}: {error}")
    return found


def _list(folder: Path) -> list[str]:
    files = (one for one in folder.rglob("*") if one.is_file())
    return sorted(str(one.relative_to(folder)) for one in files if not LEFT_OUT.search(one.name))


def read(name: str, folder: Path) -> Any:
    """The content of a file as far as it is to be the same: values, or its bytes."""
    file = folder / name
    by_suffix: dict[str, Callable[[Path], Any]] = {
        ".ckpt": _read_checkpoint,
        ".json": lambda file: _drop_times(json.loads(file.read_text())),
        ".csv": _read_table,
        ".parquet": lambda file: pd.read_parquet(file).to_csv(),
        ".journal": _read_journal,
        ".md": lambda file: [_drop_column(line) for line in file.read_text().splitlines()],
    }
    return by_suffix.get(file.suffix, Path.read_bytes)(file)


def find_difference(one: Any, other: Any, place: str = "") -> str | None:
    """Where two values differ, tensors by their bits; None where they are the same."""
    if type(one) is not type(other):
        return f"{place} ({one!r:.60} and {other!r:.60})"
    if isinstance(one, torch.Tensor):
        same = one.dtype == other.dtype and one.shape == other.shape
        equal = same and torch.equal(one.nan_to_num(7.5), other.nan_to_num(7.5))
        return None if equal else place or "in a tensor"
    if isinstance(one, dict):
        if one.keys() != other.keys():
            return f"{place} (keys {sorted(map(str, one.keys() ^ other.keys()))})"
        parts = ((one[key], other[key], f"{place}.{key}") for key in one)
    elif isinstance(one, list | tuple):
        if len(one) != len(other):
            return f"{place} (lengths {len(one)} and {len(other)})"
        parts = ((a, b, f"{place}[{i}]") for i, (a, b) in enumerate(zip(one, other, strict=True)))
    else:
        same = one == other or (one != one and other != other)
        shown = "" if isinstance(one, bytes) else f" ({one!r:.80} and {other!r:.80})"
        return None if same else f"{place}{shown}" or "in its bytes"
    return next((found for part in parts if (found := find_difference(*part))), None)


def _read_checkpoint(file: Path) -> dict[str, Any]:
    content = read_checkpoint(file)
    return {key: _drop_clock(value) for key, value in content.items()}


def _drop_clock(node: Any) -> Any:
    if isinstance(node, dict):
        return {k: _drop_clock(v) for k, v in node.items() if not CLOCK.search(str(k))}
    return node


def _drop_times(node: Any) -> Any:
    if isinstance(node, dict):
        return {k: _drop_times(v) for k, v in node.items() if not TIMES.search(str(k))}
    return [_drop_times(one) for one in node] if isinstance(node, list) else node


def _read_table(file: Path) -> list[dict[str, str]]:
    rows = list(csv.DictReader(io.StringIO(file.read_text()), strict=True))
    assert rows, "it has no rows"
    return [_drop_times(row) for row in rows]


def _drop_column(line: str) -> str:
    """A line of Markdown without fields of seconds, which stand last in tables."""
    return re.sub(r"\| [\d.]+( ± [\d.]+)? \|$", "", line)


def _read_journal(file: Path) -> list[Any]:
    """Values, parameters and results by point; attempts that died are no matter."""
    storage = JournalStorage(JournalFileBackend(str(file)))
    (study,) = storage.get_all_studies()
    trials = optuna.load_study(study_name=study.study_name, storage=storage).trials
    done = [one for one in trials if one.state == TrialState.COMPLETE]
    done.sort(key=lambda one: one.user_attrs["point"])
    return [[one.params, one.values, _drop_times(one.user_attrs)] for one in done]
