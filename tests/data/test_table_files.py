"""A table is read plainly, or refused with what to do."""

import logging

import pytest

from dcsomrl.data.files import arrays
from dcsomrl.errors import DataError

GOOD = "a,b,kind\n1,2,x\n3,4,y\n5,6.5,x\n7,8,y\n"


def write(tmp_path, text, name="t.csv"):
    path = tmp_path / name
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    "text",
    [
        "a;b;c;d;e\n1,5;2,5;3,5;4,5;5,5\n1,6;2,6;3,6;4,6;5,6\n2,6;2,6;3,6;4,6;5,6\n",
        "a;b\n1;2\n3;4\n5;6\n",
        "length;width,cm;kind\n1,5;3,5;2\n1,5;3,5;2\n1,6;3,5;2\n",
        "a\tb\n1\t2\n3\t4\n5\t6\n",
        "a|b\n1|2\n3|4\n5|6\n",
        "a b\n1 2\n3 4\n5 6\n",
        'a,b\n"1,5","2,5"\n"1,6","2,6"\n"1,7","2,7"\n',
        "a\n1,5\n2,5\n3,5\n",
        "a,b\n1,5,2,5\n1,6,2,6\n1,7,2,7\n",
        "a,b,c\n1,2,3\n1,2\n4,5,6\n",
        "1.5,2.5\n3.5,4.5\n5.5,6.5\n7.5,8.5\n",
        "a,a\n1,2\n3,4\n5,6\n",
        "# made by hand\na,b\n1,2\n3,4\n",
        "",
        "a,,b\n1,9,2\n3,8,4\n5,7,6\n",
    ],
)
def test_what_is_not_plainly_a_table_is_refused(tmp_path, text):
    with pytest.raises(DataError) as caught:
        arrays(write(tmp_path, text))
    assert "t.csv" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "features", "left_out"),
    [
        (GOOD, ["a", "b"], None),
        ("\ufeff" + GOOD, ["a", "b"], None),
        (",a,b,kind\n0,1,2,x\n1,3,4,y\n2,5,6,x\n", ["a", "b"], "Unnamed: 0"),
        ("Unnamed: 0,a,kind\n0,1,x\n1,3,y\n2,5,x\n", ["a"], "Unnamed: 0"),
        ("a,b,kind,\n1,2,x,\n3,4,y,\n5,6,x,\n", ["a", "b"], "Unnamed: 3"),
        ("0,1,kind\n5,2,x\n3,4,y\n5,6,x\n", ["0", "1"], None),
        ('"a,1",kind\n1,x\n2,y\n3,x\n', ["a,1"], None),
        ("a,kind\n\n1,x\n2,y\n\n3,x\n", ["a"], None),
    ],
)
def test_the_log_says_what_was_taken(tmp_path, caplog, text, features, left_out):
    caplog.set_level(logging.INFO)
    got = arrays(write(tmp_path, text), "kind")
    assert got.feature_names == features
    assert f"{len(features)} features ({', '.join(features)}), labels from kind" in caplog.text
    assert ("left out" in caplog.text) == (left_out is not None)
    assert left_out is None or left_out in caplog.text
