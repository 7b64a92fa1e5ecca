"""The encoding of a table is told by its mark, and one without is named to be set."""

import gzip
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcsomrl.data.files import Reading, read_features
from dcsomrl.data.text_tables import Writing
from dcsomrl.errors import DataError

MARKED = {
    "utf-16": ("utf-16-le", b"\xff\xfe"),
    "utf-16 the other way": ("utf-16-be", b"\xfe\xff"),
    "utf-32": ("utf-32-le", b"\xff\xfe\0\0"),
    "utf-32 the other way": ("utf-32-be", b"\0\0\xfe\xff"),
}
NAMES = ["length,width", "длина,ширина", "长度,宽度", "größe,höhe"]


@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize("kind", MARKED)
@pytest.mark.parametrize("packed", [False, True])
def test_a_table_of_wide_characters_is_read_with_a_mark_and_named_without(
    tmp_path, names, kind, packed
):
    encoding, mark = MARKED[kind]
    text = (f"{names}\n" + "".join(f"{i},{i % 3}.5\n" for i in range(60))).encode(encoding)
    path = tmp_path / ("t.csv.gz" if packed else "t.csv")

    def write(content):
        path.write_bytes(gzip.compress(content) if packed else content)

    write(mark + text)
    assert read_features(path).names == names.split(",")
    write(text)
    with pytest.raises(DataError, match=f"without a mark at its start: set `encoding={encoding}`"):
        read_features(path)
    got = read_features(path, Reading(writing=Writing(encoding=encoding)))
    assert got.names == names.split(",")


@settings(max_examples=60, deadline=None)
@given(content=st.binary(min_size=1, max_size=200))
def test_any_bytes_are_read_or_refused_in_a_sentence(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("b") / "t.csv"
    path.write_bytes(content)
    with suppress(DataError):
        read_features(path)


def test_a_file_with_a_zero_in_it_is_damaged(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n1,2\n3,\0" + b"4\n5,6\n" * 9)
    with pytest.raises(DataError, match="it is damaged or not what its name says"):
        read_features(path)


@pytest.mark.parametrize("place", [3, 12, 20, 200, -6])
def test_a_packed_file_with_changed_bytes_is_called_damaged(tmp_path, place):
    rows = b"".join(b"%d,%d\n" % (i, i * 7 % 13) for i in range(3000))
    packed = bytearray(gzip.compress(b"a,b\n" + rows))
    packed[place] ^= 0xFF
    packed[place + 1] ^= 0x5A
    path = tmp_path / "t.csv.gz"
    path.write_bytes(packed)
    with pytest.raises(DataError, match="it is damaged"):
        read_features(path)
