"""What stands between fields is told though a row is odd, which is refused by its line."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcsomrl.data.files import read_features
from dcsomrl.data.separators import SEPARATORS
from dcsomrl.errors import DataError


def write(tmp_path, rows, separator):
    path = tmp_path / "t.txt"
    path.write_text("".join(separator.join(map(str, row)) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("name", SEPARATORS)
@pytest.mark.parametrize("quoted", [True, False])
def test_a_line_of_names_with_one_too_few_is_refused_as_rs(tmp_path, name, quoted):
    mark = '"' if quoted else ""
    rows = [
        ["x", "y"],
        *([f"{mark}r{i}{mark}", i + 0.5, f"{mark}{'ab'[i % 2]}{mark}"] for i in range(9)),
    ]
    said = f"2 names in line 1, but 3 fields in every other line, with a {name} .* col.names=NA"
    with pytest.raises(DataError, match=said):
        read_features(write(tmp_path, rows, SEPARATORS[name]))


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(sorted(SEPARATORS)),
    n=st.integers(4, 30),
    width=st.integers(2, 5),
    odd=st.data(),
)
def test_an_odd_row_is_refused_by_its_line(tmp_path_factory, name, n, width, odd):
    rows = [[f"c{i}" for i in range(width)], *([i + 0.5] * width for i in range(n))]
    at = odd.draw(st.integers(1, n))
    rows[at] = rows[at] + [7] if odd.draw(st.booleans()) or width == 2 else rows[at][:-1]
    path = write(tmp_path_factory.mktemp("t"), rows, SEPARATORS[name])
    said = f"{width} fields in line 1 but {len(rows[at])} in line {at + 1}, with a {name} "
    with pytest.raises(DataError, match=said):
        read_features(path)


def test_a_title_above_a_table_is_refused_by_its_line(tmp_path):
    rows = [["Results of 2020"], ["a", "b"], *([i, i + 0.5] for i in range(9))]
    for name in ("tab", "semicolon", "bar"):
        with pytest.raises(DataError, match=r"1 fields in line 1 but 2 in line 2.*skip_lines"):
            read_features(write(tmp_path, rows, SEPARATORS[name]))


def test_a_single_column_whose_name_holds_a_space_is_read(tmp_path):
    got = read_features(write(tmp_path, [["my value"], *([i + 0.5] for i in range(9))], ","))
    assert got.names == ["my value"]
