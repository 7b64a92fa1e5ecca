"""What could be misread without a word is read as it is meant, said, or refused."""

import json
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from dcsomrl.data.files import Reading, arrays, read_features
from dcsomrl.data.in_memory import make_arrays
from dcsomrl.data.roles import Roles
from dcsomrl.data.stream_files import stream
from dcsomrl.errors import DataError


def make(tmp_path, odd, n=40, name="t.csv", sep=","):
    """A table of numbers with one odd field, b in line 9."""
    rows = [f"{i}.5{sep}{odd if i == 7 else i * 2}" for i in range(n)]
    path = tmp_path / name
    path.write_text(f"a{sep}b\n" + "\n".join(rows) + "\n")
    return str(path)


GAPS = [
    "n.a.",
    "-",
    "na",
    "None",
    "missing",
    "#DIV/0!",
    "1.#IND",
    "NaT",
    r"\N",
    "(null)",
    "#NV",
    "k.A.",
]


@pytest.mark.parametrize("gap", GAPS)
@pytest.mark.parametrize("categories", ["refuse", "onehot", "ignore"])
def test_words_for_no_number_are_missing_values(tmp_path, gap, categories):
    path = make(tmp_path, gap)
    settings = {"categories": categories, "test_fraction": 0.1}
    with pytest.raises(DataError, match="no value in line 9, column b"):
        arrays(path, **settings)
    got = arrays(path, missing="drop", **settings)
    assert got.feature_names == ["a", "b"]
    assert len(got.train_x) + len(got.test_x) == 39
    if gap != "None":  # that is missing in every column
        assert any(f"taken as missing ({gap}, the first in line 9)" in one for one in got.notes)


MARKED = [
    "15%",
    "$81",
    "1'232",
    '"1,100.50"',
    "2.6D-01",
    "\u22122",
    "1 855",
    "3 m",
    "?!",
    "(5)",
    "3-",
]


@pytest.mark.parametrize("odd", MARKED)
@pytest.mark.parametrize("categories", ["refuse", "onehot"])
def test_what_is_no_number_among_numbers_is_no_category(tmp_path, odd, categories):
    said = rf"b \(numbers but for ['\"]{re.escape(odd.strip(chr(34)))}['\"] in line 9\)"
    with pytest.raises(DataError, match=said) as caught:
        arrays(make(tmp_path, odd), categories=categories)
    assert "onehot" not in str(caught.value)


@pytest.mark.parametrize(
    "value", ["{}%", "${}", "{} €", "USD {}", "{} EUR", "({})", "{}-", '"1,00,00{}"']
)
def test_numbers_with_marks_are_no_categories(tmp_path, value):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "".join(f"{i}.5,{value.format(i % 5)}\n" for i in range(30)))
    with pytest.raises(DataError, match=r"b \(numbers but for .* in line 2 and 29 more\)"):
        arrays(str(path), categories="onehot")


@pytest.mark.parametrize("values", [["red", "none", "-"], ["1-2", "3-4", "5+"], ["A1", "B2", "3"]])
def test_categories_stay_categories(tmp_path, values):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "".join(f"{i}.5,{values[i % 3]}\n" for i in range(30)))
    got = arrays(str(path), categories="onehot")
    assert got.feature_names == ["a", *(f"b={one}" for one in sorted(values))]
    assert not got.notes


def test_a_late_comma_names_the_mark_of_decimals(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a;b\n" + "".join(f"{i};{i * 3}\n" for i in range(1100)) + "1,5;5\n")
    with pytest.raises(DataError, match=r"'1,5' in line 1102.*set `decimal=comma`"):
        arrays(str(path))
    assert arrays(str(path), decimal="comma").train_x.max() >= 3200


def test_a_late_point_that_may_set_thousands_apart_is_said(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "".join(f"{i},{i * 3}\n" for i in range(1100)) + "1.100,5\n")
    assert "holds '1.100', whose point" in " ".join(arrays(str(path)).notes)
    assert not arrays(str(path), decimal="point").notes


@pytest.mark.parametrize("name", ["label", "Class", "true_class", "target_id", "ground truth"])
def test_a_feature_that_is_called_as_labels_are_is_said(tmp_path, name):
    path = tmp_path / "t.csv"
    rows = "".join(f"{i * i}.5,{i % 3},{i * 7 % 5}\n" for i in range(20))
    path.write_text(f"a,{name},subclassing\n{rows}")
    assert f"column {name} is called as labels are" in " ".join(arrays(str(path)).notes)
    assert not arrays(str(path), name).notes
    assert not arrays(str(path), columns=[name]).notes


TWO = pd.MultiIndex.from_product([range(4), range(5)], names=["u", "v"])
FRAME = pd.DataFrame({"a": np.arange(20.0) ** 2, "b": np.arange(20.0)[::-1] ** 2})


@pytest.mark.parametrize(
    ("index", "settings", "features", "named"),
    [
        (pd.Index([f"p{i}" for i in range(20)], name="who"), {}, ["a", "b"], True),
        (pd.Index(range(5, 25), name="time"), {}, ["a", "b"], True),
        (pd.Index(range(5, 25), name="time"), {"columns": ["time", "a"]}, ["time", "a"], False),
        (pd.Index([i // 2 for i in range(20)], name="group"), {}, ["a", "b"], False),
        (TWO, {}, ["a", "b"], False),
        (
            TWO,
            {"id": "v"},
            ["a", "b"],
            True,
        ),
    ],
)
def test_the_index_of_a_frame_is_no_feature(tmp_path, index, settings, features, named):
    path = tmp_path / "t.parquet"
    FRAME.set_index(index).to_parquet(path)
    got = arrays(str(path), **settings)
    assert got.feature_names == features
    assert ("id" in got.train_about) == named
    assert bool(got.notes) == ("columns" not in settings)
    assert all("the index" in one for one in got.notes)


def test_a_frame_without_columns_and_lists_without_numbers_are_refused(tmp_path):
    path = tmp_path / "t.parquet"
    pd.DataFrame().to_parquet(path)
    with pytest.raises(DataError, match="has no columns"):
        arrays(str(path))
    FRAME.assign(e=[[]] * 20).to_parquet(path)
    with pytest.raises(DataError, match=r"without any value: e; leave them out by `ignore`"):
        arrays(str(path))
    assert arrays(str(path), ignore=["e"]).feature_names == ["a", "b"]


def test_a_quote_that_is_never_closed_is_said_where_it_opens(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('a,b\n1,"2\n' + "".join(f"{i},{i}\n" for i in range(30)))
    with pytest.raises(DataError, match=r"opened in line 2 and never closed"):
        arrays(str(path))
    path.write_text("a,b\n" + "".join(f"{i},x\n" for i in range(30)) + '1,"two\nlines\n"\n')
    assert arrays(str(path), ignore=["b"]).feature_names == ["a"]


@pytest.mark.parametrize("text", [[{"a": 1}, {"a": 2}], {"a": [1, 2]}])
@pytest.mark.parametrize("indent", [None, 2])
def test_json_by_the_name_of_a_table_is_said(tmp_path, text, indent):
    path = tmp_path / "t.csv"
    path.write_text(json.dumps(text, indent=indent))
    with pytest.raises(DataError, match="holds JSON"):
        arrays(str(path))
    path.write_text("[a],{b}\n1,2\n3,4\n5,6\n")
    assert arrays(str(path)).feature_names == ["[a]", "{b}"]


@pytest.mark.parametrize("name", ["y", "labels"])
def test_labels_in_a_column_are_labels_and_missing_ones_are_said(tmp_path, name):
    path, x = tmp_path / "t.npz", np.random.default_rng(0).random((20, 3))
    y = np.arange(20) % 4
    np.savez(path, x=x, **{name: y[:, None]})
    got = arrays(str(path))
    assert got.class_names == ["0", "1", "2", "3"]
    np.savez(path, x=x, **{name: np.where(y == 3, np.nan, y)})
    with pytest.raises(DataError, match="5 labels that are missing"):
        arrays(str(path))


def test_channels_that_may_come_last_are_said(tmp_path, caplog):
    path = tmp_path / "t.npy"
    np.save(path, np.random.default_rng(0).random((6, 32, 32, 5)))
    got = arrays(str(path))
    assert got.train_x.shape[1:] == (32, 32, 5)
    assert any("read as 32 channels of 32 x 5; set `layout`" in one for one in got.notes)
    caplog.clear()
    assert arrays(str(path), layout="channels_last").train_x.shape[1:] == (5, 32, 32)
    assert not caplog.text


MIXED = {
    "pd.NA among numbers": ([1.5, 2, pd.NA, 4] * 5, True),
    "NaT among truths": ([True, False, pd.NaT, True] * 5, True),
    "a text among numbers": ([1.5, 2, "2.5", 4] * 5, False),
    "a gap in a word": ([1.5, 2, "n.a.", "4"] * 5, True),
}


@pytest.mark.parametrize("case", MIXED.values(), ids=MIXED.keys())
def test_objects_that_are_numbers_are_numbers(case):
    values, gaps = case
    frame = FRAME.assign(c=pd.Series(values, dtype=object))
    got = make_arrays(frame, roles=Roles(missing="drop", categories="onehot"))
    assert got.feature_names == ["a", "b", "c"]
    assert len(got.train_x) == (15 if gaps else 20)


def test_lists_and_the_like_are_no_categories():
    frame = FRAME.assign(c=pd.Series([{"k": i % 3} for i in range(20)]))
    with pytest.raises(DataError, match=r"c \(objects, ") as caught:
        make_arrays(frame, roles=Roles(categories="onehot"))
    assert "onehot" not in str(caught.value)


@pytest.mark.parametrize(
    ("labels", "said"),
    [([None, "a"] * 10, "10 labels that are missing"), ([1.0, np.inf] * 10, "infinite")],
)
def test_labels_that_are_none_are_no_class(labels, said):
    with pytest.raises(DataError, match=said):
        make_arrays(FRAME.to_numpy(), np.array(labels, dtype=object if None in labels else float))


def test_an_id_comes_before_the_index_of_a_filtered_frame(tmp_path):
    path = tmp_path / "t.parquet"
    frame = FRAME.assign(id=[f"r{i}" for i in range(20)])
    frame[frame.a > 9].to_parquet(path)
    got = arrays(str(path))
    assert got.feature_names == ["a", "b"]
    assert {*got.train_about["id"]} <= {*frame["id"]}
    frame.set_index("id", drop=False).to_parquet(path)
    assert arrays(str(path)).feature_names == ["a", "b"]
    maps = pd.DataFrame({"a": np.arange(20.0) ** 2, "m": [[("k", 1)]] * 20})
    maps.to_parquet(path, schema=pa.schema({"a": pa.float64(), "m": pa.map_("string", "int64")}))
    assert arrays(str(path), ignore=["m"]).feature_names == ["a"]
    with pytest.raises(DataError, match=r"m \(objects"):
        arrays(str(path))


def test_a_stream_names_what_is_no_feature_and_mixes_no_splits(tmp_path):
    table = FRAME.assign(id=range(20), label=[0, 1] * 10)
    for name in ("train-00000.parquet", "test-00000.parquet"):
        table.to_parquet(tmp_path / name)
    with pytest.raises(DataError, match="named like splits"):
        stream(str(tmp_path))
    train, test = (str(tmp_path / f"{one}-00000.parquet") for one in ("train", "test"))
    notes = " ".join(stream(train, test).notes)
    assert "column id names the rows and is not a feature" in notes
    assert "column label is called as labels are" in notes
    assert not stream(train, test, ignore=["id", "label"]).notes
    with pytest.raises(DataError, match="names a more than once"):
        stream(train, test, columns=["a", "a"])


def test_a_stream_says_what_only_its_folders_hold(tmp_path):
    for country in "de", "fr":
        folder = tmp_path / f"country={country}" / "year=2020"
        folder.mkdir(parents=True)
        FRAME.to_parquet(folder / "part-0.parquet")
    got = stream(str(tmp_path))
    assert got.feature_names == ["a", "b"]
    assert any("columns that only names of folders hold" in one for one in got.notes)
    assert any("country, year" in one for one in got.notes)


@pytest.mark.parametrize("kind", ["int64", "Int64", "uint64"])
@pytest.mark.parametrize("gap", [True, False])
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_integers_that_floats_do_not_tell_apart_are_refused(tmp_path, kind, gap, suffix):
    values = pd.Series([2**60 + i for i in range(20)], dtype=kind)
    values = values.astype("Int64").mask(np.arange(20) == 3) if gap else values
    path = tmp_path / f"t.{suffix}"
    table = FRAME.assign(big=values)
    table.to_csv(path, index=False) if suffix == "csv" else table.to_parquet(path)
    with pytest.raises(DataError, match="which floats of 64 bits round to multiples of"):
        arrays(str(path), missing="median")


def test_categories_of_whole_numbers_are_known_again_beside_a_gap(tmp_path):
    frame = FRAME.assign(kind=pd.Categorical([1, 2, 3, 2] * 5))
    names = make_arrays(frame, roles=Roles(categories="onehot")).feature_names
    assert names == ["a", "b", "kind=1", "kind=2", "kind=3"]
    path = tmp_path / "further.csv"
    FRAME.assign(kind=[1.0, None, 3.0, 2.0] * 5).to_csv(path, index=False)
    got = read_features(path, Reading(Roles(missing="median")), [], learned=names)
    expected = np.array([[1, 0, 0], [np.nan] * 3, [0, 0, 1], [0, 1, 0]])
    assert np.array_equal(got.x[:4, 2:], expected, equal_nan=True)


@pytest.mark.parametrize(
    "value",
    [
        *("2020-01-{0:02d}T10:00:00", "{0:02d}JAN2020", "{0}-Mar-20", "Dez {0} 2020"),
        *("{0}. Mai 2020", "10:{0:02d}", "10:{0:02d}:00.5", "9:{0:02d} PM", "{0} days 01:00:00"),
    ],
)
def test_dates_and_times_are_no_categories(tmp_path, value):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "".join(f"{i}.5,{value.format(i)}\n" for i in range(1, 25)))
    with pytest.raises(DataError, match=r"b \(dates, '") as caught:
        arrays(str(path), categories="onehot")
    assert "onehot" not in str(caught.value)


@pytest.mark.parametrize("value", ["may{0}", "{0}:{0}", "mark {0}", "A{0}-20"])
def test_words_like_dates_are_categories(tmp_path, value):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "".join(f"{i}.5,{value.format(i % 3)}\n" for i in range(1, 25)))
    assert len(arrays(str(path), categories="onehot").feature_names) == 4


@pytest.mark.parametrize("missing", ["refuse", "median", "drop"])
@pytest.mark.parametrize("separator", [",", ";"])
def test_rows_of_empty_fields_are_left_out(tmp_path, missing, separator):
    blank = f"{separator} {separator}\n"
    rows = [f"r{i}{separator}{i}{separator}{i * 3 % 7}\n" for i in range(20)]
    path = tmp_path / "t.csv"
    head = f"id{separator}a{separator}b\n"
    path.write_text(head + "".join(rows[:5]) + blank + "".join(rows[5:]) + blank * 2)
    got = arrays(str(path), missing=missing)
    about = pd.concat([got.train_about, got.test_about]).sort_values("row")
    assert about["id"].tolist() == [f"r{i}" for i in range(20)]
    assert any("3 rows without any value are left out: line 7, line 23" in one for one in got.notes)
    gap = f"r6{separator}{separator}"
    path.write_text(path.read_text().replace(f"r6{separator}6{separator}", gap))
    if missing == "refuse":
        with pytest.raises(DataError, match="no value in line 9, column a"):
            arrays(str(path))


def test_a_title_above_a_table_separated_by_spaces_is_refused_by_its_line(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("A title of words\na b c\n" + "".join(f"{i}.5 {i} 3\n" for i in range(20)))
    with pytest.raises(DataError, match=r"4 fields in line 1 but 3 in line 2.*skip_lines"):
        arrays(str(path))
    assert arrays(str(path), skip_lines=1).feature_names == ["a", "b", "c"]


@pytest.mark.parametrize(("shape", "said"), [((28, 28, 3, 40), True), ((40, 3, 28, 28), False)])
def test_samples_that_may_come_last_are_said(tmp_path, shape, said):
    path = tmp_path / "t.npy"
    np.save(path, np.random.default_rng(0).random(shape))
    notes = arrays(str(path)).notes
    assert any("save np.moveaxis(x, 3, 0)" in one for one in notes) == said


def make_lines(first, middle, last):
    rows = [f"{i}.5,{i * 3 % 7},{i % 5}.25" for i in range(12)]
    return "\n".join(["a,b,c", *first, *rows[:6], *middle, *rows[6:], *last]) + "\n"


@pytest.mark.parametrize(
    ("lines", "remedy"),
    [
        ((["s,bar,%"], [], []), "remove line 2 if it is not a sample, as units"),
        (([], ["a,b,c"], []), "remove line 8 if"),
        (([], [], ["Total,9,12.5"]), "remove line 14 if"),
        (([], [], ["Total,9,x"]), "remove line 14 if"),
        (([], ["x,1,2"], ["Total,9,x"]), None),
        (([], ["x,1,2"], ["x,9,2"]), None),
        (([], ["# new battery"], []), "remove those that are not rows, as comments and footers"),
        (([], [], ["", "Source: office"]), "remove those that are not rows"),
    ],
)
def test_a_line_that_is_no_sample_is_to_be_removed(tmp_path, lines, remedy):
    path = tmp_path / "t.csv"
    path.write_text(make_lines(*lines))
    with pytest.raises(DataError) as caught:
        arrays(str(path))
    assert (remedy or "make them numbers, leave them out") in str(caught.value)
    path.write_text(make_lines([], [], []))
    assert arrays(str(path)).feature_names == ["a", "b", "c"]


@pytest.mark.parametrize("odd", ["k.x.", "n. b."])
def test_words_beside_decimal_commas_are_no_marks_of_thousands(tmp_path, odd):
    with pytest.raises(DataError, match="numbers but for") as caught:
        arrays(make(tmp_path, odd, sep=";"), decimal="comma", columns="b")
    assert "thousands" not in str(caught.value)


def test_titles_in_fields_are_to_be_skipped(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("Report,,\n,,\n" + make_lines([], [], []))
    with pytest.raises(DataError, match=r"column 2: name or remove it, or set `skip_lines`"):
        arrays(str(path))
    assert arrays(str(path), skip_lines=2).feature_names == ["a", "b", "c"]


@pytest.mark.parametrize("text", ["\t", ",,\n,,\n", "a,b\n,\n,\n"])
def test_a_table_of_empty_fields_alone_is_refused(tmp_path, text):
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(DataError, match="no row of samples"):
        arrays(str(path))
