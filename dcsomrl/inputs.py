"""Whether what a command reads is there: told before torch is imported, which takes seconds."""

import json
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from dcsomrl.errors import CheckpointError, DataError, shorten
from dcsomrl.shipped import find_shipped, list_shipped

# Where a run keeps its last checkpoint.
LAST = Path("checkpoints") / "last.ckpt"


def find_checkpoint(path: str | PathLike[str]) -> Path:
    """The file of a checkpoint, given by its path or the name of one that comes with the package.

    Raises:
        CheckpointError: there is none, or what was given is not a path.
    """
    if not isinstance(path, str | PathLike):
        raise CheckpointError(f"a checkpoint is given by its path, got {path!r}: give the file")
    found = Path(path) if Path(path).is_file() else find_shipped(str(path))
    if found is None:
        place = f"at {path}" if str(path) else "of no name"
        raise CheckpointError(
            f"there is no checkpoint {place}: check the path, or name one of the models that "
            f"come with the package, {', '.join(list_shipped())}"
        )
    return found


def check_last(run: str | PathLike[str]) -> None:
    """Refuse a folder that holds no checkpoint of a run.

    Raises:
        CheckpointError: there is none.
    """
    find_checkpoint(Path(run) / LAST)


def check_finished(run: str | PathLike[str]) -> None:
    """Refuse a folder that is not that of a finished run.

    Raises:
        DataError: it has no results, or no checkpoint.
    """
    for needed in (Path("metrics.json"), LAST):
        if not (Path(run) / needed).exists():
            raise DataError(
                f"{run} has no {needed}: give the folder of a run that python -m dcsomrl.train has "
                "finished"
            )


def read_json(file: Path, remedy: str) -> dict[str, Any]:
    """The values by name of a JSON file.

    Args:
        file: as this package wrote it.
        remedy: what is to be done about a damaged one.

    Raises:
        DataError: it is damaged.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError("it holds no values by name")
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file} is damaged ({shorten(error)}): {remedy}") from error
    return content


CHECKS: dict[str, dict[str, Callable[[str], object]]] = {
    "evaluate": {"ckpt": find_checkpoint},
    "predict": {"ckpt": find_checkpoint},
    "export": {"ckpt": find_checkpoint, "run": check_last},
    "report": {"run": check_finished},
}


def check_inputs(command: str, cfg: Mapping[Any, Any]) -> None:
    """Refuse a command whose input is not there; what is not a path is left to the command.

    Raises:
        CheckpointError: a checkpoint is missing.
        DataError: a run is missing, or not finished.
    """
    for key, check in CHECKS.get(command, {}).items():
        given = cfg.get(key)
        for one in [given] if isinstance(given, str) or not isinstance(given, Sequence) else given:
            if isinstance(one, str):
                check(one)
