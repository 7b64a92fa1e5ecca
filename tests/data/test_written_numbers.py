"""Whole numbers that are dates or codes are said wherever they stand, others are not."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcsomrl.data import ClusterData
from dcsomrl.data.files import arrays
from dcsomrl.data.in_memory import make_arrays
from dcsomrl.data.stream_files import stream
from dcsomrl.data.written_numbers import find_dates

N = 40
OTHER = np.arange(N) / 7


def spread(values):
    """N of the values, in no order."""
    return np.resize(values, N)[np.random.default_rng(0).permutation(N)]


DATES = {
    "yyyymmdd": [20231231, 20240101, 20240229],
    "yyyymm": [202312, 202401, 202402],
    "ddmmyyyy": [31122023, 1012024, 29022024],
    "mmddyyyy": [12312023, 1012024, 2292024],
    "yyyymmddhh": [2023123123, 2024010100, 2024022912],
    "yyyymmddhhmmss": [20231231235959, 20240101000000, 20240229120000],
}


@pytest.mark.parametrize("way", DATES)
@pytest.mark.parametrize("kind", ["csv", "gap", "npy", "frame", "array", "stream"])
def test_dates_as_numbers_are_said(tmp_path, way, kind):
    table = pd.DataFrame({"when": spread(DATES[way]), "b": OTHER})
    if kind == "gap":
        table.loc[0, "when"] = np.nan
    path = tmp_path / ("t.npy" if kind == "npy" else "t.parquet" if kind == "stream" else "t.csv")
    if kind == "npy":
        np.save(path, table.to_numpy())
    elif kind == "stream":
        table.to_parquet(path, index=False)
    else:
        table.to_csv(path, index=False)
    if kind == "stream":
        data = ClusterData(partial(stream, str(path)))
        data.setup("fit")
        notes = data.notes
    elif kind in ("frame", "array"):
        notes = make_arrays(table if kind == "frame" else table.to_numpy()).notes
    else:
        notes = arrays(str(path), missing="median" if kind == "gap" else "refuse").notes
    (said,) = [one for one in notes if "are dates" in one]
    assert f"({way})" in said
    assert ("column 0" if kind in ("npy", "array") else "`ignore=[when]`") in said


@pytest.mark.parametrize("name", ["date", "Order Date", "timestamp", "created_at", "saleDate"])
def test_columns_that_are_called_as_times_and_count_are_said(name):
    days = make_arrays(pd.DataFrame({name: spread([43831, 43900, 44001]), "b": OTHER})).notes
    assert any("are called as dates and times" in one for one in days)
    small = make_arrays(pd.DataFrame({name: spread([1, 2, 5]), "b": OTHER})).notes
    assert not any("dates" in one for one in small)


@pytest.mark.parametrize("part", [1, 1000, 10**9])
@pytest.mark.parametrize("name", ["time", "ts", "last seen"])
def test_seconds_since_1970_are_said_where_they_are_called_times(part, name):
    stamps = spread([1_700_000_000, 1_700_001_000, 1_700_500_000]) * part
    said = make_arrays(pd.DataFrame({name: stamps, "b": OTHER})).notes
    assert any("are called as dates and times" in one for one in said)
    small = make_arrays(pd.DataFrame({name: spread([20_000, 30_000, 41_000]), "b": OTHER})).notes
    assert not any("dates" in one for one in small)


@given(st.lists(st.integers(0, 3000), min_size=3, max_size=9))
def test_numbers_below_dates_are_none(values):
    assert find_dates(np.array(values, float)) is None


@pytest.mark.parametrize(
    "values",
    [
        [20241301, 20240101, 20240102],  # no such month
        [202313, 202401, 202402],
        [20240101.5, 20240102, 20240103],
        [20240101, 20240102, 20240101],  # two values
        [np.nan, np.nan],
        [],
        [np.nan, np.inf, 20240101],
        [199999, 200500, 201250],
        [-20240101, 20240102, 20240103],
    ],
)
def test_other_numbers_are_no_dates(values):
    assert find_dates(np.array(values, float)) is None


@pytest.mark.parametrize("kind", ["csv", "decimal comma", "late", "parquet", "frame"])
def test_numbers_with_zeros_in_front_are_said(tmp_path, kind):
    late = 5000 if kind == "late" else 0
    zips = [f"{i}" for i in range(20000, 20000 + 7 * late, 7)] + ["98101", "01234", "60601"] * 4
    table = pd.DataFrame({"place": zips, "b": np.arange(len(zips)) / 7})
    path = tmp_path / ("t.parquet" if kind == "parquet" else "t.csv")
    if kind == "parquet":
        table.to_parquet(path)
    elif kind == "decimal comma":
        table.to_csv(path, index=False, sep=";", decimal=",")
    else:
        table.to_csv(path, index=False)
    notes = make_arrays(table).notes if kind == "frame" else arrays(str(path)).notes
    (said,) = [one for one in notes if "zeros in front" in one]
    where = "row 1" if kind in ("parquet", "frame") else f"line {3 + late}"
    assert f"column place holds numbers with zeros in front ('01234' in {where})" in said
    assert "`ignore=[place]`" in said
    assert "categories=onehot" in said


def test_the_line_of_zeros_in_front_is_that_of_the_file(tmp_path):
    path = tmp_path / "t.csv"
    rows = [f"{10 + i},{i / 3}" for i in range(8)]
    path.write_text("\n".join(["# a", "a,b", *rows[:4], ",", *rows[4:], '"007",0.5', "9,1"]) + "\n")
    assert any("('007' in line 12)" in one for one in arrays(str(path)).notes)


@pytest.mark.parametrize("values", [["0", "10", "20"], ["0.05", "0.5", "1.05"], ["1e05", "2", "3"]])
def test_zeros_of_other_numbers_are_not_said(tmp_path, values):
    path = tmp_path / "t.csv"
    pd.DataFrame({"a": values * 5, "b": np.arange(15) / 7}).to_csv(path, index=False)
    assert not any("zeros in front" in one for one in arrays(str(path)).notes)


def test_names_and_labels_may_have_zeros_in_front(tmp_path):
    path = tmp_path / "t.csv"
    codes = [f"{i:03}" for i in range(15)]
    table = pd.DataFrame({"id": codes, "y": codes[:3] * 5, "k": codes, "b": np.arange(15) / 7})
    table.to_csv(path, index=False)
    notes = arrays(str(path), target="y", keep=["k"]).notes
    assert not any("zeros in front" in one for one in notes)


@pytest.mark.parametrize("name", ["zip", "ZipCode", "postal code", "PLZ", "phone_number", "fips"])
def test_columns_that_are_called_as_codes_are_said(tmp_path, name):
    table = pd.DataFrame({name: spread([98101, 60601, 10001]), "b": OTHER})
    assert any(f"column {name} is called as codes" in one for one in make_arrays(table).notes)
    table.to_parquet(tmp_path / "t.parquet")
    data = ClusterData(partial(stream, str(tmp_path / "t.parquet")))
    data.setup("fit")
    assert any(f"column {name} is called as codes" in one for one in data.notes)
    fractions = make_arrays(pd.DataFrame({name: OTHER, "b": OTHER})).notes
    assert not any("called as codes" in one for one in fractions)
