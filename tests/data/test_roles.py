"""A column has one role, and a feature one name."""

import numpy as np
import pandas as pd
import pytest

from dcsomrl.data.files import Reading, arrays, read_features
from dcsomrl.data.in_memory import make_arrays
from dcsomrl.data.roles import Roles
from dcsomrl.errors import DataError

TABLE = pd.DataFrame(
    {"a": [1.5, 2, 3, 4], "b": [4, 1, 2, 3], "c": ["x", "y", "x", "z"], "c=x": [9, 8, 7, 6]}
)


@pytest.mark.parametrize(
    ("roles", "said"),
    [
        ({"columns": ["a"], "ignore": ["a"]}, "`columns` and `ignore` both name a"),
        ({"keep": ["c"], "ignore": ["b", "c"]}, "`keep` and `ignore` both name c"),
        ({"id": "c", "ignore": ["c"]}, "`id` and `ignore` both name c"),
        ({"target": "c", "ignore": ["c"]}, "`target` and `ignore` both name c"),
        ({"target": "a", "columns": ["a", "b"]}, "`columns` names a, the `target`"),
        ({"columns": ["a", "b", "a"]}, "`columns` names a more than once"),
        ({"categories": "onehot"}, "a column c=x"),
    ],
)
@pytest.mark.parametrize("form", ["csv", "parquet", "frame"])
def test_roles_that_exclude_each_other_are_refused(tmp_path, roles, said, form):
    path = str(tmp_path / f"t.{form}")
    if form == "csv":
        TABLE.to_csv(path, index=False)
    elif form == "parquet":
        TABLE.to_parquet(path)
    with pytest.raises(DataError, match=said):
        make_arrays(TABLE, roles=Roles(**roles)) if form == "frame" else arrays(path, **roles)


def test_numbers_that_name_columns_exclude_each_other_too(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("1,2\n" + "".join(f"{i},{i % 7}\n" for i in range(9)))
    for given in ({"columns": [1], "ignore": [1]}, {"columns": ["1", 1]}):
        with pytest.raises(DataError, match=r"name.* 1"):
            arrays(str(path), header=True, **given)
    # A feature may name the rows as well.
    assert arrays(str(path), header=True, columns=1, id=1).feature_names == ["1"]


def test_a_list_that_is_spread_is_one_feature_an_element(tmp_path):
    table = pd.DataFrame({"e": [[1.0, 2.0], [3.0, 4.0]], "e.0": [5.0, 6.0]})
    path = tmp_path / "t.parquet"
    table.to_parquet(path)
    with pytest.raises(DataError, match=r"several columns of one name \(e\.0\)"):
        read_features(path)
    table.drop(columns="e.0").to_parquet(path)
    with pytest.raises(DataError, match=r"`columns` names e\.0 more than once"):
        read_features(path, Reading(Roles(columns=["e", "e.0"])))


def test_a_frame_with_two_columns_of_one_name_is_refused():
    frame = pd.DataFrame(np.arange(12.0).reshape(4, 3), columns=["a", "b", "a"])
    with pytest.raises(DataError, match=r"several columns of one name \(a\)"):
        make_arrays(frame)
    with pytest.raises(DataError, match=r"several columns of one name \(1\)"):
        make_arrays(frame.set_axis([1, "1", "x"], axis=1))


@pytest.mark.parametrize("form", ["csv", "parquet", "npy"])
def test_what_a_training_kept_and_is_missing_is_said(tmp_path, form):
    path = tmp_path / f"t.{form}"
    table = TABLE[["a", "b", "c"]]
    if form == "npy":
        np.save(path, table[["a", "b"]].to_numpy())
    else:
        table.to_csv(path, index=False) if form == "csv" else table.to_parquet(path)
    notes = []
    roles = Roles(id="code", keep=["c", "town"], lenient=True)
    got = read_features(path, Reading(roles), notes, learned=["a", "b"])
    lacking = "code, c, town" if form == "npy" else "code, town"
    assert [one for one in notes if f"has no column {lacking}, which stood beside" in one]
    assert got.about.columns.tolist() == (["row"] if form == "npy" else ["row", "c"])


@pytest.mark.parametrize("given", ["a", ["a"], ("a",), np.array(["a"]), pd.Index(["a"])])
def test_names_stand_alone_or_in_any_list(given):
    assert Roles(columns=given, ignore=given).columns == ("a",)
    assert make_arrays(TABLE, roles=Roles(columns=given)).feature_names == ["a"]


@pytest.mark.parametrize("key", ["target", "id", "keep", "columns", "ignore"])
@pytest.mark.parametrize("given", [True, b"a", {"a"}, {"a": 1}, [["a"]], [None], len, np.nan])
def test_a_role_that_names_no_column_is_refused(key, given):
    with pytest.raises(DataError, match=f"`{key}` must be .*name"):
        Roles(**{key: given})


@pytest.mark.parametrize("wrong", [{"categories": "foo"}, {"missing": "mean"}, {"missing": None}])
def test_a_choice_that_there_is_not_is_refused_of_frames_too(wrong):
    with pytest.raises(DataError, match=f"`{next(iter(wrong))}` must be one of refuse"):
        make_arrays(TABLE, roles=Roles(ignore=["c"], **wrong))


def test_names_that_are_no_text_are_roles_too():
    numbered = pd.DataFrame(np.arange(12.0).reshape(4, 3))
    got = make_arrays(numbered, roles=Roles(target=2, columns=[np.int64(1), 0]))
    assert got.feature_names == ["1", "0"]
    assert got.class_names == ["2", "5", "8", "11"]
    levels = numbered.set_axis(
        pd.MultiIndex.from_tuples([("g", "a"), ("g", "b"), ("h", "")]), axis=1
    )
    got = make_arrays(levels, roles=Roles(target=("h", "")))
    assert got.feature_names == ["g.a", "g.b"]
