"""Codes of missing values and rows of totals are said, and values of a column's kind are not."""

import numpy as np
import pandas as pd
import pytest

from dcsomrl.data.files import arrays
from dcsomrl.data.in_memory import make_arrays


def write(tmp_path, columns):
    path = tmp_path / "t.csv"
    pd.DataFrame(columns).to_csv(path, index=False)
    return str(path)


def say_codes(tmp_path, values):
    path = write(tmp_path, {"a": values, "b": np.arange(len(values)) / 7})
    return [one for one in arrays(path).notes if "lies far from all other values" in one]


TEMPERATURES = [*np.linspace(-20, 40, 30).round(1)]


@pytest.mark.parametrize(
    ("code", "values"),
    [
        ("-999", TEMPERATURES),
        ("-99", TEMPERATURES),
        ("-9999.9", TEMPERATURES),
        ("-999.25", TEMPERATURES),
        ("-3.402823e+38", TEMPERATURES),
        ("1e+20", TEMPERATURES),
        ("999", [*range(60, 90)]),
        ("99", [1, 2, 3, 4, 5] * 6),
        ("-9", [1, 2, 3, 4, 5] * 6),
        ("-32768", [*range(900, 930)]),
        ("-2147483648", [*range(30)]),
    ],
)
def test_codes_of_missing_values_are_said(tmp_path, code, values):
    (said,) = say_codes(tmp_path, [*values, float(code), float(code)])
    assert f": {code} lies far" in said
    assert f"column a (the first in line {2 + len(values)})" in said


def test_codes_beside_each_other_are_said(tmp_path):
    (said,) = say_codes(tmp_path, [1, 2, 3, 4, 5] * 6 + [88, 99, 88])
    assert ": 99 lies far" in said


@pytest.mark.parametrize(
    "values",
    [
        TEMPERATURES,
        [*range(-99, -69)],  # as decibels
        [*range(70, 100)],  # as percent
        [*range(100)],
        [-999] * 30,
        [*np.geomspace(1, 9999, 40)],
        [*np.linspace(-9, 9, 30)],
        [*np.geomspace(1e10, 1e25, 30)],
        [0] * 20 + [1, 5, 9, 40, 99],
        [-1] * 5 + [*range(25)],  # as of noise
    ],
)
def test_values_of_one_kind_are_no_codes(tmp_path, values):
    assert not say_codes(tmp_path, values)


def test_a_code_in_several_columns_is_said_once(tmp_path):
    values = [-999.0, *np.linspace(0, 1, 20)]
    notes = arrays(write(tmp_path, dict.fromkeys("abc", values))).notes
    (said,) = [one for one in notes if "lies far" in one]
    assert "column a, b, c" in said


@pytest.mark.parametrize("kind", ["file", "memory"])
def test_codes_in_arrays_are_said(tmp_path, kind):
    x = np.random.default_rng(0).random((30, 3)).astype(np.float32)
    x[4, 1] = -999
    np.save(tmp_path / "x.npy", x)
    got = arrays(str(tmp_path / "x.npy")) if kind == "file" else make_arrays(x)
    assert any("-999 lies far from all other values of column 1" in one for one in got.notes)


NUMBERS = {"a": np.arange(9) / 2, "b": [3.0, 1, 4, 1, 5, 9, 2, 6, 5]}


@pytest.mark.parametrize("word", ["Total", "Grand Total", "Summe", "mean", "SD"])
@pytest.mark.parametrize("role", ["id", "ignore", "keep"])
def test_a_last_row_called_a_total_is_said(tmp_path, word, role):
    names = [*"pqrstuvw", word]
    given = "name" if role == "id" else ["name"]
    got = arrays(write(tmp_path, {"name": names, **NUMBERS}), **{role: given})
    assert any(f"the last row, line 10, is called '{word}'" in one for one in got.notes)


@pytest.mark.parametrize("gap", [[], [None]])
def test_a_last_row_that_is_the_sum_is_said(tmp_path, gap):
    sums = {name: [*values, sum(values)] for name, values in NUMBERS.items()}
    sums |= {"c": [*range(9), *gap]} if gap else {}
    notes = arrays(write(tmp_path, sums), missing="median").notes
    assert any("the last row, line 11, is the sum of those above" in one for one in notes)


def test_other_last_rows_are_not_said(tmp_path):
    for columns in (NUMBERS, {"a": [0] * 9, "b": [0] * 9}, {"name": [*"totalsumX"], **NUMBERS}):
        notes = arrays(write(tmp_path, columns), categories="ignore").notes
        assert not any("the last row" in one for one in notes)
