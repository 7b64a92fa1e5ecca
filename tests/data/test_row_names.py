"""A column that names the rows is found by itself, and comes back as it is written."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcsomrl.data.files import Reading, read_features
from dcsomrl.data.in_memory import make_arrays
from dcsomrl.data.roles import Roles
from dcsomrl.data.text_tables import Writing

NUMBERLIKE = st.one_of(
    st.from_regex(r"0{0,3}[0-9]{1,25}", fullmatch=True),
    st.from_regex(r"[0-9]{1,3}[eE][+-]?[0-9]{1,2}", fullmatch=True),
    st.from_regex(r"[+-]?[0-9]{1,3}\.[0-9]{1,20}", fullmatch=True),
    st.from_regex(r"[a-z]{1,3}[0-9]{0,3}", fullmatch=True),
    st.sampled_from(["True", "false", "inf", "1_000", "0x1F", "12-05-2020"]),
)


def read(path, notes=None, **roles):
    return read_features(path, Reading(Roles(**roles), Writing(header=True)), notes)


@settings(max_examples=60, deadline=None)
@given(ids=st.lists(NUMBERLIKE, min_size=2, max_size=30, unique=True), place=st.integers(0, 2))
def test_ids_come_back_as_they_are_written(tmp_path_factory, ids, place):
    ids = [one for one in ids if one.lower() not in ("na", "nan", "null", "none")] or ["7"]
    columns = {"a": range(len(ids)), "b": [i % 3 + 0.5 for i in range(len(ids))]}
    items = list(columns.items())
    items.insert(place, ("sample_id", ids))
    path = tmp_path_factory.mktemp("ids") / "t.csv"
    pd.DataFrame(dict(items)).to_csv(path, index=False)
    got = read(path)
    assert got.names == ["a", "b"]
    assert got.about["id"].tolist() == ids


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_fractions_that_all_differ_name_the_rows(tmp_path, suffix):
    table = pd.DataFrame({"id": np.arange(9) + 0.5, "x": range(9), "y": [0, 1, 2] * 3})
    path = tmp_path / f"t.{suffix}"
    table.to_csv(path, index=False) if suffix == "csv" else table.to_parquet(path, index=False)
    notes = []
    got = read(path, notes)
    assert got.names == ["x", "y"]
    assert got.about["id"].astype(float).tolist() == table["id"].tolist()
    assert any("column id names the rows" in one for one in notes)
    assert make_arrays(table).feature_names == ["x", "y"]


def test_a_measure_called_index_is_a_feature_and_said(tmp_path):
    path = tmp_path / "glass.csv"
    path.write_text("refractive_index,x\n" + "".join(f"1.{500 + i},{i % 3}\n" for i in range(9)))
    notes = []
    assert read(path, notes).names == ["refractive_index", "x"]
    assert any("refractive_index holds fractions" in one for one in notes)


def test_rows_of_one_number_written_in_two_ways_have_two_names(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("id,x,y\n1,1,2\n01,2,3\n001,3,1\n")
    got = read(path)
    assert got.names == ["x", "y"]
    assert got.about["id"].tolist() == ["1", "01", "001"]


def test_a_column_that_the_training_learned_from_is_no_name(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("id,x\n1.5,1\n2.5,2\n")
    notes = []
    got = read_features(path, Reading(), notes, learned=["id", "x"])
    assert got.x.tolist() == [[1.5, 1.0], [2.5, 2.0]]
    assert notes == []


@pytest.mark.parametrize("kind", ["int64", "Int64", "int64[pyarrow]"])
def test_only_a_whole_column_counts_the_rows(kind):
    def said_of(values):
        frame = pd.DataFrame({"e": pd.array(values, dtype=kind), "x": np.arange(12) % 5})
        notes = make_arrays(frame, roles=Roles(missing="median")).notes
        return any("column e counts the rows" in one for one in notes)

    assert said_of([*range(12)])
    assert kind == "int64" or not said_of([1, None] * 6)
    assert kind == "int64" or not said_of([*range(11), None])


NAMES_OF_ROWS = (
    "id ID Id index Index uuid row_id Row-Id sample_id CustomerId customerID userID "
    "user_id userid UserID PassengerId patientid id_customer idCustomer IdCustomer "
    "sample_index SampleIdx row_idx df_index rowid rownames row_names ID_no obj_ID "
    "item.index caseid "
)
NO_NAMES = (
    "humid acid solid grid fluid_acid Hybrid idle ideal IDH1 identity body_mass_index "
    "heat_index price.idx paid indexed aid weight "
)


def count_up(name):
    """Whole numbers that all differ and do not count the rows."""
    return pd.DataFrame({name: [3, 9, 4, 1, 7, 6, 20, 11, 5], "x": range(9), "y": [0, 1, 2] * 3})


@pytest.mark.parametrize("name", NAMES_OF_ROWS.split())
def test_columns_that_are_called_as_names_of_rows_are_no_features(tmp_path, name):
    table = count_up(name)
    table.to_csv(tmp_path / "t.csv", index=False)
    notes = []
    got = read(tmp_path / "t.csv", notes)
    assert got.names == ["x", "y"]
    assert list(got.about["id"]) == list(map(str, table[name]))
    assert any(f"column {name} names the rows" in one for one in notes)


@pytest.mark.parametrize("name", NO_NAMES.split())
def test_other_names_are_those_of_features(tmp_path, name):
    count_up(name).to_csv(tmp_path / "t.csv", index=False)
    notes = []
    assert read(tmp_path / "t.csv", notes).names == [name, "x", "y"]
    said = any(f"column {name} holds values that all differ" in one for one in notes)
    assert said == name.endswith(("_index", ".idx"))


def test_further_names_of_rows_are_no_features_either(tmp_path):
    table = count_up("order_id").assign(CustomerId=list("ihgfedcba"), shop_id=[1, 1, 2] * 3)
    table.to_csv(tmp_path / "t.csv", index=False)
    notes = []
    got = read(tmp_path / "t.csv", notes)
    assert got.names == ["x", "y", "shop_id"]
    assert list(got.about["id"]) == list(map(str, table["order_id"]))
    assert any("CustomerId names the rows, too, and is left out" in one for one in notes)
    assert any("shop_id is called as what names rows, but has the same" in one for one in notes)


def test_an_index_that_was_saved_twice_is_left_out(tmp_path):
    table = pd.DataFrame({"a": np.arange(9) ** 2, "b": [0, 1, 2] * 3})
    table.to_csv(tmp_path / "once.csv")
    pd.read_csv(tmp_path / "once.csv").to_csv(tmp_path / "twice.csv")
    notes = []
    assert read(tmp_path / "twice.csv", notes).names == ["a", "b"]
    assert sum("has no name and numbers the rows" in one for one in notes) == 2


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (range(100, 130), "counts the rows"),
        (range(1000, 1300, 10), "rises from row to row"),
        ([20200101 + i + i // 5 for i in range(30)], "rises from row to row"),
        ([i * i + 0.0 for i in range(30)], None),
        ([i // 2 for i in range(30)], None),
        ([i + 0.5 for i in range(30)], None),
        ([-i for i in range(30)], None),
    ],
)
def test_whole_numbers_that_rise_are_said(tmp_path, values, said):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "".join(f"{i % 7 / 4},{value}\n" for i, value in enumerate(values)))
    notes = []
    read_features(path, Reading(), notes)
    assert [said in one for one in notes] == ([True] if said else [])


@pytest.mark.parametrize("name", ["Kundennummer", "customer_number", "Order No.", "S.No", "SrNo"])
def test_numbers_of_cases_name_the_rows(tmp_path, name):
    path = tmp_path / "t.csv"
    path.write_text(f"{name},a\n" + "".join(f"{i * 37 % 101},{i}.5\n" for i in range(30)))
    got = read_features(path)
    assert got.names == ["a"]


@pytest.mark.parametrize("name", ["number", "Number of rooms", "no", "atomic number", "num"])
def test_other_numbers_are_features(tmp_path, name):
    path = tmp_path / "t.csv"
    path.write_text(f"{name},a\n" + "".join(f"{i * 37 % 101},{i}.5\n" for i in range(30)))
    assert read_features(path, Reading()).names == [name, "a"]
