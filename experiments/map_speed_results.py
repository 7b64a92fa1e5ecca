"""Results of the benchmark of maps, in one file that is whole at any time."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from dcsomrl.errors import DataError
from dcsomrl.writing import write_json

Record = dict[str, Any]


class Setting(NamedTuple):
    """What has to be the same for numbers to stand side by side."""

    device: str
    torch: str
    threads: int
    samples: int
    features: int

    @property
    def title(self) -> str:
        """In words."""
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        return (
            f"{self.device}, {threads}, torch {self.torch}, {self.samples:,} samples of "
            f"{self.features} features"
        )


def read_results(path: Path) -> dict[str, Record]:
    """Records by their cell; nothing where there is no file.

    Raises:
        DataError: the file is damaged.
    """
    try:
        records = json.loads(path.read_text()) if path.exists() else {}
        needed = {*Setting._fields, "part", "nodes", "batch", "seconds a sample", "git_commit"}
        if not all(needed <= set(record) for record in dict(records).values()):
            raise ValueError("a record is incomplete")
    except (OSError, ValueError, TypeError) as error:
        raise DataError(
            f"{path} holds no results of the map's speed ({error}): remove it"
        ) from error
    return records


def add_result(path: Path, record: Record) -> None:
    """Add a record, in the place of an earlier one of the same cell in the same setting."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cell = f"{record['part']}, {record['nodes']} nodes, batch {record['batch']}"
    write_json(path, {**read_results(path), f"{find_setting(record).title}: {cell}": record})


def find_setting(record: Record) -> Setting:
    """What a record was measured under."""
    return Setting(**{name: record[name] for name in Setting._fields})


def compare(seconds: dict[str, float]) -> tuple[float | None, float]:
    """How SOMRL does beside others.

    Args:
        seconds: a sample, by the method; ``SOMRL``, ``limit``, and others or none.

    Returns:
        SOMRL's samples a second over those of the fastest other, None where there is none; and
        over those of the limit.
    """
    own, limit = seconds["SOMRL"], seconds["limit"]
    others = [value for name, value in seconds.items() if name not in ("SOMRL", "limit")]
    return min(others) / own if others else None, limit / own
