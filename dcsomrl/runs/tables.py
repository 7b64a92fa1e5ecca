"""A CSV file that grows by rows and can be taken up again."""

import csv
from pathlib import Path


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
        """Take up the rows in the file whose key is below ``before``; forget the others."""
        self.rows = []
        if before > 0 and self.path.exists():
            with self.path.open(newline="") as file:
                self.rows = [dict(row) for row in csv.DictReader(file)]
        self.rows = [row for row in self.rows if int(row[self.key]) < before]

    def save(self) -> None:
        """Write all rows."""
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        part = self.path.with_name(self.path.name + ".part")
        with part.open("w", newline="") as file:
            writer = csv.DictWriter(file, columns, restval="")
            writer.writeheader()
            writer.writerows(self.rows)
        part.replace(self.path)
