"""A CSV file that grows by rows and can be taken up again."""

import csv
import logging
from io import StringIO
from pathlib import Path

from pytorch_lightning import Trainer

from dcsomrl.writing import swapped

log = logging.getLogger(__name__)


class GrowingTable:
    """Rows of numbers, rewritten whole and swapped in, so that a reader never sees half a row.

    Args:
        path: the CSV file.
        key: the column that orders the rows.
    """

    def __init__(self, path: str | Path, key: str) -> None:
        self.path = Path(path)
        self.key = key
        self.rows: list[dict[str, float | int | str]] = []

    def restore(self, before: int) -> None:
        """Take up the rows in the file whose key is below ``before``; forget the others.

        A file that is damaged is left out and kept under another name: it is only for show. Rows
        that are missing at its end are said.
        """
        self.rows = []
        if before <= 0 or not self.path.exists():
            return
        try:
            rows = self._read()
        except (OSError, ValueError, TypeError, KeyError, csv.Error) as error:
            leave_out(self.path, error)
            return
        self.rows = [row for row in rows if int(row[self.key]) < before]
        last = int(self.rows[-1][self.key]) if self.rows else -1
        if last < before - 1:
            missing = f"{self.key} {last + 1} to {before - 1}"
            log.warning("%s has no rows of %s: it goes on without them", self.path, missing)

    def _read(self) -> list[dict[str, float | int | str]]:
        with self.path.open(newline="", encoding="utf-8") as file:
            text = file.read()
        if not text.endswith("\n"):
            raise ValueError("its end is missing")
        rows = [dict(row) for row in csv.DictReader(StringIO(text), strict=True)]
        for row in rows:
            int(row[self.key])
            for name, value in row.items():
                if name is None or value is None or (value and float(value) is None):
                    raise ValueError("a row has other fields than the header")
        return rows

    def save(self) -> None:
        """Write all rows; what is NaN, as a score that is not defined, is left empty."""
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        with swapped(self.path, alone=True) as part, part.open("w", newline="") as file:
            writer = csv.DictWriter(file, columns, restval="")
            writer.writeheader()
            for row in self.rows:
                writer.writerow({name: one for name, one in row.items() if one == one})


def leave_out(path: Path, error: Exception) -> None:
    """Warn that a damaged file is not continued, and keep it beside."""
    kept, number = path.with_name(path.name + ".damaged"), 1
    while kept.exists():  # of an earlier damage
        number += 1
        kept = path.with_name(f"{path.name}.damaged-{number}")
    log.warning("%s is damaged (%s): begun anew; what was there is in %s", path, error, kept.name)
    path.replace(kept)


def goes_on_beside(trainer: Trainer, path: Path) -> bool:
    """Whether a training continues a checkpoint of the folder that a file lies in."""
    resumed: str | Path | None = trainer.ckpt_path
    if resumed is None:
        return False
    return Path(resumed).resolve().is_relative_to(path.resolve().parent)
