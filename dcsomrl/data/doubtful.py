"""What looks like a sample and may be none: a row of totals."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from dcsomrl.data.notes import note

# What the last row of a table is called that sums up the others.
TOTALS = re.compile(
    r"(grand |sub)?(totals?|sum|mean|average|avg|median|std|sd|min|max|count)|(gesamt)?summe|gesamt"
    r"|mittelwert|total general|total général|moyenne|media|somme|suma|totale?",
    re.IGNORECASE,
)


def warn_of_totals(
    features: pd.DataFrame,
    others: pd.DataFrame,
    path: Path,
    where: Sequence[str],
    notes: list[str],
) -> None:
    """Note a last row that is the sum of those above, or called so.

    Args:
        features: columns of numbers, (n, features).
        others: columns of the same rows that are not features.
        path: what messages call the table.
        where: what they call each row.
        notes: gets a sentence on such a row.
    """
    if len(features) < 5:
        return
    columns = [others.iloc[:, i].tolist() for i in range(others.shape[1])]
    words = [words[-1] for words in columns if isinstance(words[-1], str)]
    called = next((repr(one) for one in words if TOTALS.fullmatch(one.strip())), None)
    values = features.to_numpy(float, na_value=np.nan)
    last, sums = values[-1], np.nansum(values[:-1], axis=0)
    given = ~np.isnan(last)
    if called is None and not (sums[given].any() and np.allclose(last[given], sums[given])):
        return
    what = f"is called {called}" if called else "is the sum of those above"
    note(
        notes,
        f"{path}: the last row, {where[-1]}, {what} and is taken as a sample: remove it if it sums "
        "up the others",
    )
