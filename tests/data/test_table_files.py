"""A table is read as it is written, or refused by file, line, column and remedy."""

import gzip
import logging
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcsomrl.data.files import Reading, arrays, read_features
from dcsomrl.data.roles import Roles
from dcsomrl.data.separators import SEPARATORS
from dcsomrl.data.text_tables import Writing
from dcsomrl.errors import DataError

GOOD = "a,b,kind\n1,2,x\n3,4,y\n5,6.5,x\n7,8,y\n"


def write(tmp_path, text, name="t.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def read(path, notes=None, **settings):
    writing = {key: settings.pop(key) for key in list(settings) if key in Writing.__annotations__}
    return read_features(path, Reading(Roles(**settings), Writing(**writing)), notes)


READ = {
    "semicolons": ("a;b\n1;2\n3;4\n", {}, ["a", "b"], [[1, 2], [3, 4]]),
    "decimal commas": (
        *("a;b\n1,5;2\n3,25;4\n", {}),
        *(["a", "b"], [[1.5, 2], [3.25, 4]]),
    ),
    "decimal commas, also thousandths": (
        *("a;b\n1,234;5,6\n2,345;1,2\n", {}),
        *(["a", "b"], [[1.234, 5.6], [2.345, 1.2]]),
    ),
    "a comma in a name": (
        "length,cm;b\n1,5;2\n1,6;3\n",
        {},
        ["length,cm", "b"],
        [[1.5, 2], [1.6, 3]],
    ),
    "decimal commas in quotes": (
        'a,b\n"1,5","2,5"\n"1,6","2,6"\n',
        {},
        ["a", "b"],
        [[1.5, 2.5], [1.6, 2.6]],
    ),
    "decimal commas that are told": (
        *("a;b\n1,234;5,678\n2,345;1,234\n", {"decimal": "comma"}),
        *(["a", "b"], [[1.234, 5.678], [2.345, 1.234]]),
    ),
    "tabs": ("a\tb\n1\t2\n3\t4\n", {}, ["a", "b"], [[1, 2], [3, 4]]),
    "bars": ("a|b\n1|2\n3|4\n", {}, ["a", "b"], [[1, 2], [3, 4]]),
    "spaces": ("a  b\n 1 2\n3   4 \n", {}, ["a", "b"], [[1, 2], [3, 4]]),
    "blanks about commas": (" a , b\n 1 , 2\n 3 , 4\n", {}, ["a", "b"], [[1, 2], [3, 4]]),
    "line ends of Windows": ("a,b\r\n1,2\r\n3,4\r\n", {}, ["a", "b"], [[1, 2], [3, 4]]),
    "blank lines": ("a,b\n\n1,2\n\n3,4\n\n", {}, ["a", "b"], [[1, 2], [3, 4]]),
    "a mark of UTF-8": (b"\xef\xbb\xbf" + b"a,b\n1,2\n3,4\n", {}, ["a", "b"], [[1, 2], [3, 4]]),
    "UTF-16": ("a;é\n1;2\n3;4\n".encode("utf-16"), {}, ["a", "é"], [[1, 2], [3, 4]]),
    "Windows-1252": ("a;é\n1;2\n3;4\n".encode("cp1252"), {}, ["a", "é"], [[1, 2], [3, 4]]),
    "an encoding that is told": (
        *("a;Ж\n1;2\n3;4\n".encode("cp1251"), {"encoding": "cp1251"}),
        *(["a", "Ж"], [[1, 2], [3, 4]]),
    ),
    "no header": ("1.5,2\n3.5,4\n", {}, ["column_1", "column_2"], [[1.5, 2], [3.5, 4]]),
    "no header that is told": (
        *("47,10\n3,4\n", {"header": False}),
        *(["column_1", "column_2"], [[47, 10], [3, 4]]),
    ),
    "names that are numbers": (
        "2019,2021\n3,4\n5,6\n",
        {"header": True},
        ["2019", "2021"],
        [[3, 4], [5, 6]],
    ),
    "counted names": ("0,1\n3,4\n5,6\n", {}, ["0", "1"], [[3, 4], [5, 6]]),
    "separators at the ends": ("a,b,\n1,2,\n3,4,\n", {}, ["a", "b"], [[1, 2], [3, 4]]),
    "separators at the ends of rows alone": ("a,b\n1,2,\n3,4,\n", {}, ["a", "b"], [[1, 2], [3, 4]]),
    "an index without a name": (",a,b\n0,1,2\n1,3,4\n", {}, ["a", "b"], [[1, 2], [3, 4]]),
    "truth values": ("a,b\ntrue,1\nFalse,2\n", {}, ["a", "b"], [[1, 1], [0, 2]]),
    "columns that are chosen": (
        "a,b,c\n1,x,3\n4,y,6\n",
        {"columns": ["c", "a"]},
        ["c", "a"],
        [[3, 1], [6, 4]],
    ),
    "columns that are left out": (
        "a,b,c\n1,x,3\n4,y,6\n",
        {"ignore": ["b"]},
        ["a", "c"],
        [[1, 3], [4, 6]],
    ),
    "texts that are left out": (
        "a,b,c\n1,x,3\n4,y,6\n",
        {"categories": "ignore"},
        ["a", "c"],
        [[1, 3], [4, 6]],
    ),
    "categories": (
        *("b,a\nred,1\nblue,2\nred,3\n", {"categories": "onehot"}),
        *(["b=blue", "b=red", "a"], [[0, 1, 1], [1, 0, 2], [0, 1, 3]]),
    ),
    "categories of which one is dropped": (
        *("b,a\nred,1\nblue,2\n,3\n", {"categories": "onehot", "missing": "drop"}),
        *(["b=blue", "b=red", "a"], [[0, 1, 1], [1, 0, 2]]),
    ),
    "categories of which one is filled later": (
        *("b,a\nred,1\nblue,2\n,3\n", {"categories": "onehot", "missing": "median"}),
        *(["b=blue", "b=red", "a"], [[0, 1, 1], [1, 0, 2], [np.nan, np.nan, 3]]),
    ),
    "a line that names the separator": (
        *("sep=;\na;b\n1,5;2\n3,5;4\n", {}),
        *(["a", "b"], [[1.5, 2], [3.5, 4]]),
    ),
    "a title that is skipped": (
        "Measured 2024, room 3\n\na,b\n1,2\n3,4\n",
        {"skip_lines": 2},
        *(["a", "b"], [[1, 2], [3, 4]]),
    ),
    "rows that are dropped": (
        "a,b\n1,NA\n3,4\n?,6\n7,8\n",
        {"missing": "drop"},
        ["a", "b"],
        [[3, 4], [7, 8]],
    ),
    "gaps that are filled later": (
        *("a,b\n1,\n3,4\nnull,6\n", {"missing": "median"}),
        *(["a", "b"], [[1, np.nan], [3, 4], [np.nan, 6]]),
    ),
    "a scientific notation": (
        "a,b\n1e3,-2.5E-1\n+3,.5\n",
        {},
        ["a", "b"],
        [[1000, -0.25], [3, 0.5]],
    ),
}


@pytest.mark.parametrize("case", READ.values(), ids=READ.keys())
def test_a_table_is_read_as_it_is_written(tmp_path, case):
    text, settings, names, values = case
    got = read(write(tmp_path, text), **settings)
    assert got.names == names
    np.testing.assert_allclose(got.x, values)


REFUSED = {
    "decimals and separators alike": ("a,b\n1,5,2,5\n1,6,2,6\n", {}, "line 2"),
    "a column of decimal commas": ("a\n1,5\n2,5\n", {}, "line 2"),
    "a short row": ("a,b,c\n1,2,3\n1,2\n4,5,6\n", {}, "line 3"),
    "decimals or thousands": ("a;b\n1,234;5,678\n2,345;1,234\n", {}, "decimal=comma"),
    "thousands beside decimal commas": (
        "a;b\n1.100;0,5\n2.100;1,5\n",
        {},
        r"a \(numbers but for '1\.100' in line 2 and 1 more\).*without marks of thousands",
    ),
    "thousands and decimal commas": ("a;b\n1.100,5;0,5\n2,5;1,5\n", {}, r"'1\.100,5' in line 2"),
    "points and commas": ("a;b\n1,5;0,5\n2.5;1,5\n", {}, r"'2\.5' in line 3"),
    "numbers in a row above": ("5,6\n1,2\n3,4\n", {}, "header=false"),
    "years in a row above": ("2019,2020\n1,2\n3,4\n", {}, "header=true"),
    "a title": ("Measured today\na,b\n1,2\n", {}, "line 2.*skip_lines"),
    "a title with commas": ("Measured, 2024\na,b\n1,2\n3,4\n", {}, "skip_lines"),
    "names alone": ("a,b\n", {}, "no row of samples"),
    "text of which one is missing": ("a,b\n1,\n2,high\n", {}, "'high' in line 3"),
    "a category that is missing": (
        *("b,a\nred,1\nblue,2\n,3\n", {"categories": "onehot"}),
        "line 4, column b=blue.*missing=drop",
    ),
    "thousands": ('a,b\n1,"1,234.5"\n2,"2,345.6"\n', {}, "column.* b .*'1,234.5' in line 2"),
    "names twice": ("a,a\n1,2\n3,4\n", {}, "one name"),
    "whole numbers above": ("47,10\n1,2\n3,4\n", {}, "header=false"),
    "years above": ("name,1995,2001\nx,3,4\ny,5,6\n", {}, "header=true"),
    "two separators": ("a,b;c\nx,y;z\n", {}, "comma or semicolon"),
    "nothing": ("", {}, "empty"),
    "a name that is missing": ("a,,b\n1,9,2\n3,8,4\n", {}, "column 2"),
    "a gap": ("a,b\n1,2\n3,\n", {}, "line 3, column b.*missing=drop"),
    "an infinite value": ("a,b\n1,2\n-inf,3\n", {}, "line 3, column a"),
    "text": ("a,b\n1,2\n3,high\n", {}, "'high' in line 3"),
    "dates": ("day,a\n2020-01-31,2\n2020-02-01,3\n", {}, "dates, '2020-01-31' in line 2"),
    "dates as categories": ("day,a\n1.2.2020,2\n2.2.2020,3\n", {"categories": "onehot"}, "dates"),
    "a column without values": ("a,b\n1,\n3,\n", {"missing": "median"}, "without any value: b"),
    "a column that is absent": ("a,b\n1,2\n3,4\n", {"ignore": ["c"]}, "no column c; it has a, b"),
    "an id that is absent": ("a,b\n1,2\n3,4\n", {"id": "c"}, "no column c"),
    "a name of results": ("a,node\n1,2\n3,4\n", {"keep": ["node"]}, "node"),
    "a label that is missing": (
        "a,b\n1,x\n3,\n",
        {"target": "b"},
        "1 rows without a label in column b, line 3",
    ),
    "a separator unheard of": ("a,b\n1,2\n", {"separator": "dash"}, "semicolon"),
    "names as categories": (
        "a,b\n" + "".join(f"{i},name {i}\n" for i in range(200)),
        *({"categories": "onehot"}, "200 different values in 200 rows of column b"),
    ),
    "no text": (b"\x00\x01\x02", {}, "damaged"),
    "half of UTF-16": (b"\xff\xfe\x00", {}, "utf-16"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_plainly_a_table_is_refused(tmp_path, case):
    text, settings, said = case
    with pytest.raises(DataError, match=said) as caught:
        read(write(tmp_path, text), **settings)
    assert "t.csv" in str(caught.value) or {"separator", "skip_lines", "keep"} & set(settings)


@pytest.mark.parametrize(
    ("text", "features", "left_out"),
    [
        (GOOD, ["a", "b"], None),
        ("\ufeff" + GOOD, ["a", "b"], None),
        (",a,b,kind\n0,1,2,x\n1,3,4,y\n2,5,6,x\n", ["a", "b"], "Unnamed: 0"),
        ("Unnamed: 0,a,kind\n0,1,x\n1,3,y\n2,5,x\n", ["a"], "Unnamed: 0"),
        ("a,b,kind,\n1,2,x,\n3,4,y,\n5,6,x,\n", ["a", "b"], "Unnamed: 3"),
        ('"a,1",kind\n1,x\n2,y\n3,x\n', ["a,1"], None),
    ],
)
def test_the_log_says_what_was_taken(tmp_path, caplog, text, features, left_out):
    caplog.set_level(logging.INFO)
    got = arrays(write(tmp_path, text), "kind")
    assert got.feature_names == features
    described = ", ".join(
        rf"{re.escape(name)}: (whole )?numbers from \d to \d" for name in features
    )
    assert re.search(rf"{len(features)} features \({described}\), labels from kind", caplog.text)
    assert ("left out" in caplog.text) == (left_out is not None)
    assert left_out is None or left_out in caplog.text


@pytest.mark.parametrize("name", ["t.csv.gz", "T.CSV", "t.tsv", "t.txt", "t.data"])
def test_a_table_may_be_packed_and_have_any_name(tmp_path, name):
    text = b"a\tb\n1\t2\n3\t4\n"
    packed = gzip.compress(text) if name.endswith(".gz") else text
    assert read(write(tmp_path, packed, name)).x.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["NA", "DE", "NA"], ["DE", "NA"]),
        (["nan", "null", "None"], ["None", "nan", "null"]),
        (["10", "9", "10"], ["9", "10"]),
        (["007", "7", "08"], ["007", "08", "7"]),
        (["True", "False", "True"], ["False", "True"]),
        (["1.0", "2.0", "1.0"], ["1", "2"]),
    ],
)
def test_labels_are_taken_as_they_stand(tmp_path, labels, names):
    rows = "".join(f"{i},{label}\n" for i, label in enumerate(labels))
    assert arrays(write(tmp_path, "a,kind\n" + rows), "kind").class_names == names


def test_rows_are_named_by_an_id_and_what_is_kept(tmp_path):
    text = "sample_id,a,b,town\ns1,1,2,Ulm\ns2,3,,Bonn\ns3,5,6,NA\ns4,7,8,Kiel\n"
    notes = []
    got = read(write(tmp_path, text), notes, keep=["town"], missing="drop")
    assert got.names == ["a", "b"]
    expected = {"row": [0, 2, 3], "id": ["s1", "s3", "s4"], "town": ["Ulm", "NA", "Kiel"]}
    assert got.about.to_dict("list") == expected
    assert any("sample_id names the rows" in one for one in notes)
    assert any("left out: line 3" in one for one in notes)
    got = arrays(write(tmp_path, text), id="town", ignore=["sample_id"], missing="median")
    both = pd.concat([got.train_about, got.test_about])
    assert dict(zip(both["row"], both["id"], strict=True)) == {
        0: "Ulm",
        1: "Bonn",
        2: "NA",
        3: "Kiel",
    }


def test_a_column_that_counts_the_rows_is_said(tmp_path):
    rows = "".join(f"{i},{i * i % 7}\n" for i in range(30))
    notes = []
    read(write(tmp_path, "n,a\n" + rows), notes)
    assert any("column n counts the rows" in one for one in notes)


@pytest.mark.parametrize(("second", "why"), [("1", "the same value twice"), ("", "missing values")])
def test_what_is_called_as_ids_and_is_none_is_said(tmp_path, second, why):
    notes = []
    read(write(tmp_path, f"id,a\n1,2\n{second},3\n4,5\n"), notes, missing="median")
    assert any(f"column id is called as what names rows, but has {why}" in one for one in notes)


def test_a_header_that_counts_from_0_is_said(tmp_path):
    notes = []
    read(write(tmp_path, "0,1\n3,4\n5,6\n"), notes)
    assert any("counts from 0" in one and "header=false" in one for one in notes)


@pytest.mark.parametrize("key", ["ignore", "keep"])
def test_a_name_may_stand_for_a_list_of_one(tmp_path, key):
    path = write(tmp_path, "a,colour\n1,red\n2,blue\n3,red\n4,red\n5,red\n")
    assert arrays(path, **{key: "colour"}).feature_names == ["a"]
    assert arrays(path, columns="a", ignore="colour").feature_names == ["a"]


def test_lists_in_a_table_are_spread_and_a_named_index_names_the_rows(tmp_path):
    table = pd.DataFrame(
        {"embedding": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "size": [1, 2, 3]},
        index=pd.Index(["x", "y", "z"], name="id"),
    )
    table.to_parquet(tmp_path / "t.parquet")
    got = read(tmp_path / "t.parquet")
    assert got.names == ["embedding.0", "embedding.1", "size"]
    assert got.x.tolist() == [[1, 2, 1], [3, 4, 2], [5, 6, 3]]
    assert got.about["id"].tolist() == ["x", "y", "z"]
    for chosen, names in (
        ({"columns": ["embedding"]}, ["embedding.0", "embedding.1"]),
        ({"ignore": ["embedding"]}, ["size"]),
        ({"keep": ["embedding"]}, ["size"]),
    ):
        assert read(tmp_path / "t.parquet", **chosen).names == names
    table.assign(embedding=[[1.0, 2.0], None, [5.0, 6.0]]).to_parquet(tmp_path / "gap.parquet")
    assert read(tmp_path / "gap.parquet", missing="drop").x.tolist() == [[1, 2, 1], [5, 6, 3]]
    table.rename_axis(None).to_parquet(tmp_path / "nameless.parquet")
    assert read(tmp_path / "nameless.parquet").about["id"].tolist() == ["x", "y", "z"]
    table.loc["y", "embedding"].append(9.0)
    table.to_parquet(tmp_path / "t.parquet")
    with pytest.raises(DataError, match=r"2 numbers in column embedding, but of 3 in row 1"):
        read(tmp_path / "t.parquet")


def test_categories_of_a_training_are_made_of_other_rows(tmp_path):
    path = write(tmp_path, "b,a\nred,1\ngreen,2\n", "new.csv")
    notes = []
    got = read_features(path, notes=notes, learned=["b=blue", "b=red", "a"])
    assert got.x.tolist() == [[0, 1, 1], [0, 0, 2]]
    assert any("green" in one for one in notes)


names = st.lists(
    st.text("abcXYZ_ äЖ", min_size=1, max_size=6).filter(lambda one: one.strip() == one and one),
    min_size=2,
    max_size=4,
    unique=True,
)


@settings(max_examples=60, deadline=None)
@given(
    names=names,
    rows=st.integers(2, 6),
    separator=st.sampled_from(["comma", "semicolon", "tab", "bar"]),
    decimal=st.sampled_from(["point", "comma"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    end=st.sampled_from(["\n", "\r\n"]),
    data=st.data(),
)
def test_any_way_of_writing_is_read_or_refused_never_misread(
    tmp_path_factory, names, rows, separator, decimal, encoding, end, data
):
    numbers = st.floats(-1e4, 1e4, allow_nan=False).map(lambda one: round(one, 3))
    values = data.draw(
        st.lists(
            st.lists(numbers, min_size=len(names), max_size=len(names)),
            min_size=rows,
            max_size=rows,
        )
    )
    mark = SEPARATORS[separator]

    def field(value):
        text = str(value) if decimal == "point" else str(value).replace(".", ",")
        return f'"{text}"' if mark in text else text

    lines = [mark.join(names), *(mark.join(map(field, row)) for row in values)]
    path = tmp_path_factory.mktemp("table") / "t.csv"
    path.write_bytes((end.join(lines) + end).encode(encoding))
    try:
        got = read(path, columns=names)
    except DataError:
        return
    assert got.names == names
    np.testing.assert_allclose(got.x, values, rtol=1e-6)


@pytest.mark.parametrize("missing", ["refuse", "drop", "median"])
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_rows_without_a_label_are_named(tmp_path, missing, suffix):
    table = pd.DataFrame({"x": [1.5, 2, 3, 4, 5], "y": [2.0, 3, 4, 5, 6], "k": list("a bc ")})
    table["k"] = table["k"].where(table["k"] != " ", None)
    if missing != "refuse":
        table.loc[0, "y"] = np.nan
    path = tmp_path / f"t.{suffix}"
    table.to_csv(path, index=False) if suffix == "csv" else table.to_parquet(path)
    rows = "line 3, line 6" if suffix == "csv" else "row 1, row 4"
    said = f"2 rows without a label in column k, {rows}: fill or remove .*`missing` is about feat"
    with pytest.raises(DataError, match=said):
        read(path, target="k", missing=missing)


POINTS = {
    "thousands or decimals": ("a;b\n1.500;2\n20.250;3\n300.125;4\n", {}, True),
    "decimals of two digits, too": ("a;b\n1.500;2\n2.25;3\n", {}, False),
    "decimals in another column": ("a;b\n1.500;2.5\n2.250;3\n", {}, False),
    "fractions of one": ("a;b\n0.500;2\n0.250;3\n", {}, False),
    "commas between fields": ("a,b\n1.500,2\n2.250,3\n", {}, False),
    "points that are told": ("a;b\n1.500;2\n2.250;3\n", {"decimal": "point"}, False),
    "tabs": ("a\tb\n1.500\t2\n2.250\t3\n", {}, False),
}


@pytest.mark.parametrize("case", POINTS.values(), ids=POINTS.keys())
def test_points_that_may_set_thousands_apart_are_said(tmp_path, case):
    text, settings, said = case
    notes = []
    assert read(write(tmp_path, text), notes, **settings).x[0, 0] in (1.5, 0.5)
    assert [one for one in notes if "point is read as a decimal sign" in one] == notes
    assert bool(notes) == said


@pytest.mark.parametrize("one", [0x661, 0xFF11, 0x967], ids=["Arabic", "wide", "Devanagari"])
def test_digits_of_other_scripts_are_text(tmp_path, one):
    digits = [chr(one), chr(one + 1), chr(one + 2)]
    path = tmp_path / "t.csv"
    path.write_text("u,c\n" + "".join(f"{i}.5,{one}\n" for i, one in enumerate(digits * 3)))
    with pytest.raises(DataError, match=r"c .text, .* in line 2"):
        arrays(path)
    found = arrays(path, target="c")
    assert found.class_names == sorted(digits)


def test_labels_may_be_what_python_takes_for_digits(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("u,c\n" + "".join(f"{i}.5,{'²³'[i % 2]}\n" for i in range(9)))
    assert arrays(path, target="c").class_names == ["²", "³"]


@pytest.mark.parametrize("n", [12, 60, 300])
def test_free_text_is_no_category_however_few_rows(tmp_path, n):
    texts = [f"the {i}th visit went well, and nothing is left to say" for i in range(n - 2)]
    table = pd.DataFrame({"said": [*texts, *texts[:2]], "x": range(n)})
    table.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(DataError, match=rf"{n - 2} different values in {n} rows of column said"):
        arrays(str(tmp_path / "t.csv"), categories="onehot")
    few = table.assign(said=["red", "green", "blue", "red"] * (n // 4))
    few.to_csv(tmp_path / "t.csv", index=False)
    assert "said=red" in arrays(str(tmp_path / "t.csv"), categories="onehot").feature_names
