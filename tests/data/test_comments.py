"""Lines that begin with # above a table: names of columns, or left out with a word."""

import numpy as np
import pytest

from dcsomrl.data.files import Reading, read_features
from dcsomrl.data.roles import Roles
from dcsomrl.data.text_tables import Writing
from dcsomrl.errors import DataError

X = np.arange(24).reshape(8, 3) * 1.5


def read(path, notes=None, writing=Writing(), **roles):  # noqa: B008  # frozen
    return read_features(path, Reading(Roles(**roles), writing), notes)


@pytest.mark.parametrize("mark", [" ", ",", "\t", ";"])
@pytest.mark.parametrize("comments", ["# ", "#"])
@pytest.mark.parametrize("above", ["", "made by hand\n"])
def test_savetxt_is_read_with_its_names(tmp_path, mark, comments, above):
    path, notes = tmp_path / "t.txt", []
    header = above + mark.join(["a", "b2", "c"])
    np.savetxt(path, X, delimiter=mark, header=header, comments=comments)
    got = read(path, notes)
    assert got.names == ["a", "b2", "c"]
    assert np.array_equal(got.x, X)
    assert [one for one in notes if "left out" in one] == [
        f"{path}: lines above the table are left out: {comments}made by hand" for _ in above[:1]
    ]


@pytest.mark.parametrize(
    ("text", "names", "said"),
    [
        ("# made by hand\na,b\n1,2\n3,5\n", ["a", "b"], "made by hand"),
        ("# two words\na b\n1 2\n3 5\n", ["a", "b"], "two words"),  # as many as there are columns
        ("#\n#\na,b\n1,2\n3,5\n", ["a", "b"], "left out"),
        ("#1 2\n3.5 4.5\n5.5 6\n", ["column_1", "column_2"], "#1 2"),
        ("#,a,b\n1,2,3\n1,4,5\n", ["#", "a", "b"], None),
        ("#id,a,b\nx,2,3\ny,4,5\n", ["a", "b"], None),
        ("#id,a\n#1,2\n#2,3\n", ["a"], None),
    ],
)
def test_comments_that_are_no_names_are_said(tmp_path, text, names, said):
    path, notes = tmp_path / "t.csv", []
    path.write_text(text)
    assert read(path, notes, ignore=["#id"] if "#1,2" in text else []).names == names
    assert (said is None) == (not any("above the table" in one for one in notes))
    assert said is None or any(said in one for one in notes)


def test_rows_are_named_by_their_line_below_comments(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("# one\n# two\na,b\n1,2\n3,\n5,6\n")
    with pytest.raises(DataError, match="line 5, column b"):
        read(path)
    path.write_text("# a,b\n1,2\n3,4\n5,\n")
    with pytest.raises(DataError, match="line 4, column b"):
        read(path)
