"""Results as they come, in one file that is whole at any time."""

import json
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.__version__ import version as lightning

from dcsomrl.errors import DataError
from dcsomrl.training.results import find_origin
from dcsomrl.writing import write_json

FILE = "results.json"
Record = dict[str, Any]


def read(out: Path) -> dict[str, Record]:
    """Records by ``part/cell``; nothing where there is no file.

    A record has ``result``, or ``error`` where the cell failed; ``seconds``, ``dry_run``, ``date``,
    ``device`` and the versions.

    Raises:
        DataError: the file is damaged.
    """
    path = out / FILE
    try:
        records = json.loads(path.read_text()) if path.exists() else {}
        if not all(
            isinstance(one, dict) and {"device", "dry_run"} <= set(one)
            for one in dict(records).values()
        ):
            raise ValueError("a record is incomplete")
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"{path} holds no results of the GPU check ({error}): remove it") from error
    return records


def add(out: Path, name: str, seconds: float, dry: bool, **outcome: Any) -> None:
    """Add a record, in the place of an earlier one of its name.

    Args:
        out: folder of the file.
        name: ``part/cell``.
        seconds: what it took.
        dry: whether it was done in miniature.
        outcome: ``result`` or ``error``.
    """
    out.mkdir(parents=True, exist_ok=True)
    record = {
        **outcome,
        "seconds": round(seconds, 3),
        "dry_run": dry,
        "date": datetime.now(UTC).date().isoformat(),
        "lightning": lightning,
        "python": platform.python_version(),
        **find_origin(torch.device("cpu" if dry else "cuda")),
    }
    write_json(out / FILE, {**read(out), name: record})
