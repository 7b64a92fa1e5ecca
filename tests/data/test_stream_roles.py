"""Labels, ids, categories and missing values of streams, held against the same rows in memory."""

from decimal import Decimal
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dcsomrl.data import ClusterData
from dcsomrl.data.column_passes import look_for_names
from dcsomrl.data.files import arrays
from dcsomrl.data.medians import find_medians
from dcsomrl.data.row_names import look_at_values
from dcsomrl.data.stream_files import stream
from dcsomrl.errors import DataError

N = 400


def make_table():
    draw = np.random.default_rng(0)
    table = pd.DataFrame(draw.normal([0, 5, -2], [1, 3, 0.1], (N, 3)), columns=[*"abc"])
    table["d"] = draw.integers(0, 9, N).astype(np.int16)
    return table


def spoil(table, column, rows, value=np.nan):
    table = table.copy()
    table.loc[rows, column] = value
    return table


GAPS = spoil(spoil(make_table(), "b", range(0, N, 7)), "d", [3, 5, 50, 120, 399])
WORDS = np.array(["red", "green", "blue"])[np.arange(N) % 3]
SETTINGS = {
    "labels in words": (make_table().assign(y=WORDS), {"target": "y"}),
    "labels as numbers": (make_table().assign(y=np.arange(N) % 4 + 2), {"target": "y"}),
    "labels as floats": (make_table().assign(y=np.arange(N) % 4 - 1.0), {"target": "y"}),
    "labels as digits": (make_table().assign(y=[str(i % 12) for i in range(N)]), {"target": "y"}),
    "labels as truth": (make_table().assign(y=np.arange(N) % 5 == 0), {"target": "y"}),
    "labels as categories": (make_table().assign(y=pd.Categorical(WORDS)), {"target": "y"}),
    "an id": (make_table().assign(id=[f"r{i}" for i in range(N)]), {}),
    "an id in numbers": (make_table().assign(CustomerId=np.arange(N)[::-1] * 3), {}),
    "an id by name": (make_table().assign(key=WORDS), {"id": "key"}),
    "an id that is none": (make_table().assign(id=np.arange(N) // 2), {}),
    "an index": (make_table().set_index(pd.Index([f"k{i}" for i in range(N)], name="who")), {}),
    "an index with copies": (make_table().set_index(pd.Index(WORDS, name="who")), {}),
    "kept": (make_table().assign(w=WORDS, n=np.arange(N)), {"keep": ["n", "w"]}),
    "kept with gaps": (
        spoil(make_table().assign(w=WORDS.astype(object), n=np.arange(N) / 2), "n", [0, 9]),
        {"keep": ["w", "n"]},
    ),
    "onehot": (make_table().assign(w=WORDS), {"categories": "onehot"}),
    "onehot with gaps": (
        spoil(make_table().assign(w=WORDS.astype(object)), "w", [3, 77], None),
        {"categories": "onehot", "missing": "median"},
    ),
    "onehot of a category": (
        make_table().assign(w=pd.Categorical(np.arange(N) % 3)), {"categories": "onehot"},
    ),
    "words left out": (make_table().assign(w=WORDS), {"categories": "ignore"}),
    "numbers as text": (make_table().assign(w=[f"{i / 8}" for i in range(N)]), {}),
    "truth as text": (make_table().assign(w=np.where(np.arange(N) % 3, "True", "false")), {}),
    "decimals": (make_table().assign(w=[Decimal(i) / 4 for i in range(N)]), {}),
    "drop": (GAPS, {"missing": "drop"}),
    "drop with labels": (
        GAPS.assign(y=WORDS, id=np.arange(N) + 10), {"missing": "drop", "target": "y"},
    ),
    "median": (GAPS, {"missing": "median"}),
    "median of floats": (GAPS.astype(np.float32), {"missing": "median"}),
    "median of nullable": (
        GAPS.astype({"d": "Int16"}).assign(t=pd.array([None, True, False, True] * 100, "boolean")),
        {"missing": "median"},
    ),
    "median without gaps": (make_table(), {"missing": "median"}),
}  # fmt: skip


def load(source, path, kind="standard", **given):
    data = ClusterData(partial(source, str(path), **given), normalization=kind, val_fraction=0)
    data.setup("fit")
    return data


def take(data, split):
    batches = list(data.split_dataloader(split))
    x = torch.cat([batch.x for batch in batches]).numpy()
    return x, None if batches[0].y is None else torch.cat([one.y for one in batches]).numpy()


def about(data, split):
    return data.about(split, torch.arange(len(data.rows(split))))


def cut_notes(data):
    """Notes on what is in the columns, without the name of the file."""
    return sorted(one.partition(": ")[2] for one in data.notes)


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("parts", [1, 3])
def test_columns_are_taken_as_those_of_the_same_rows_in_memory(name, parts, tmp_path):
    table, given = SETTINGS[name]
    (tmp_path / "whole").mkdir()
    sizes = np.linspace(0, N, parts + 1).astype(int)
    for i in range(parts):
        some = table.iloc[sizes[i] : sizes[i + 1]]
        some.to_parquet(tmp_path / "whole" / f"{i}.parquet", row_group_size=30)
    data = load(stream, tmp_path / "whole", window=2000, **given)
    rows = {}
    for split in ("train", "test"):
        where = about(data, split)
        first = sizes[where["file"].str[0].astype(int)] if parts > 1 else 0
        rows[split] = where["row"].to_numpy() + first
        some = table.iloc[rows[split]]
        plain = isinstance(table.index, pd.RangeIndex)
        some.to_parquet(tmp_path / f"{split}.parquet", index=not plain)
    whole = table.dropna() if given.get("missing") == "drop" else table
    both = np.concatenate([rows["train"], rows["test"]])
    assert sorted(both) == [i for i in range(N) if table.index[i] in whole.index]
    memory = load(
        arrays, tmp_path / "train.parquet", test_path=str(tmp_path / "test.parquet"), **given
    )
    assert data.feature_names == memory.feature_names
    assert data.class_names == memory.class_names
    assert data.constant == memory.constant
    for fit in ("offset", "scale"):
        np.testing.assert_allclose(getattr(data, fit), getattr(memory, fit), rtol=1e-6)
    filled = data.preparation.fill, memory.preparation.fill
    if given.get("missing") == "median":
        np.testing.assert_array_equal(*filled)
    else:
        assert filled == (None, None)
    for split in ("train", "test"):
        (x, y), (known, labels) = take(data, split), take(memory, split)
        np.testing.assert_allclose(x, known, atol=1e-5)
        np.testing.assert_array_equal(y, labels)
        ours = about(data, split).drop(columns=["row", "file"], errors="ignore")
        theirs = about(memory, split).drop(columns="row")
        assert list(ours) == list(theirs)
        for column in ours:
            found, wanted = (
                table[column].to_numpy(object, na_value=None) for table in (ours, theirs)
            )
            np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("name", SETTINGS)
def test_what_is_said_of_columns_is_what_is_said_in_memory(name, tmp_path):
    table, given = SETTINGS[name]
    table.to_parquet(tmp_path / "t.parquet", row_group_size=50)
    ours = cut_notes(load(stream, tmp_path / "t.parquet", **given))
    assert ours == cut_notes(load(arrays, tmp_path / "t.parquet", **given))


@pytest.mark.parametrize("kind", ["minmax", "standard", "unit"])
@pytest.mark.parametrize("missing", ["drop", "median"])
def test_gaps_of_arrays_are_settled_as_in_memory(kind, missing, tmp_path):
    np.save(tmp_path / "t.npy", np.ascontiguousarray(GAPS.to_numpy()))
    data = load(stream, tmp_path / "t.npy", kind, missing=missing, window=2000)
    for split in ("train", "test"):
        np.save(tmp_path / f"{split}.npy", GAPS.to_numpy()[about(data, split)["row"]])
    test_path = str(tmp_path / "test.npy")
    memory = load(arrays, tmp_path / "train.npy", kind, test_path=test_path, missing=missing)
    for split in ("train", "test"):
        np.testing.assert_allclose(take(data, split)[0], take(memory, split)[0], atol=1e-6)
    lacks = int(GAPS.isna().any(axis=1).sum())
    assert len(about(data, "train")) + len(about(data, "test")) == N - lacks * (missing == "drop")
    said = "rows with missing values are left out: row 0, row 3, row 5"
    assert (said in " ".join(data.notes)) == (missing == "drop")


@pytest.mark.parametrize(
    ("table", "given"),
    [
        (make_table().assign(species=WORDS), {}),
        (make_table().assign(species=WORDS), {"target": "klass"}),
        (make_table().assign(species=WORDS), {"target": "species", "columns": ["species"]}),
        (make_table().assign(species=WORDS), {"id": "a", "ignore": ["a"], "target": "species"}),
        (make_table().assign(y=spoil(pd.DataFrame({"y": WORDS}), "y", [7, 300], None)["y"]),
         {"target": "y"}),
        (make_table().assign(y=np.arange(N) // 200 / 2), {"target": "y"}),
        (make_table().assign(cluster=WORDS), {"keep": ["cluster"]}),
        (make_table().assign(when=pd.date_range("2020-01-01", periods=N)), {}),
        (make_table().head(90).assign(w=[f"w{i}" for i in range(90)]), {"categories": "onehot"}),
        (make_table().assign(w=[{"u": 1}] * N), {"categories": "onehot"}),
        (make_table().assign(w="5 cm"), {"categories": "onehot"}),
        (make_table().assign(none=np.nan), {"missing": "drop"}),
        (make_table().assign(none=np.nan), {"missing": "median"}),
        (make_table().assign(none=None), {}),
        (make_table().head(1), {}),
        (make_table(), {"ignore": ["a", "b", "c", "e"]}),
    ],
)  # fmt: skip
def test_what_is_refused_in_memory_is_refused_with_the_same_sentence(table, given, tmp_path):
    table.to_parquet(tmp_path / "t.parquet", row_group_size=50)
    said = []
    for source in (arrays, stream):
        with pytest.raises(DataError) as error:
            load(source, tmp_path / "t.parquet", **given)
        said.append(str(error.value))
    assert said[0] == said[1]


@pytest.mark.parametrize("missing", ["refuse", "drop", "median"])
def test_infinite_and_missing_values_are_named_by_file_row_and_number(missing, tmp_path):
    for i, table in enumerate([make_table(), GAPS, spoil(make_table(), "b", [70], np.inf)]):
        (tmp_path / str(i)).mkdir()
        make_table().to_parquet(tmp_path / str(i) / "a.parquet")
        table.to_parquet(tmp_path / str(i) / "b.parquet", row_group_size=40)
    with pytest.raises(
        DataError, match=r"b\.parquet has an infinite value in row 70 \(row group 1"
    ):
        load(stream, tmp_path / "2", missing=missing)
    if missing == "refuse":
        lacks = int(GAPS.isna().any(axis=1).sum()), int(GAPS.isna().sum().sum())
        said = (
            rf"b\.parquet has no value in row 0 \(row group 0\), column b; {lacks[1]} are missing "
            rf"in {lacks[0]} rows and columns b, d: fill them, or set `missing=drop`"
        )
        with pytest.raises(DataError, match=said):
            load(stream, tmp_path / "1")
    elif missing == "drop":
        notes = load(stream, tmp_path / "1", missing="drop").notes
        assert "are left out: b.parquet row 0, b.parquet row 3, b.parquet row 5," in notes[1]


def test_files_may_differ_in_what_is_no_feature_and_in_kinds_of_numbers(tmp_path):
    table = make_table()
    table.iloc[:150].assign(z=1, n=None).to_parquet(tmp_path / "a.parquet")
    table.iloc[150:].assign(d=table["d"] / 2, n=2.0)[[*"dcban"]].to_parquet(tmp_path / "b.parquet")
    table.head(0).assign(n=None).to_parquet(tmp_path / "c.parquet")
    with pytest.raises(DataError, match=r"a\.parquet has a column z that .*b\.parquet lacks"):
        load(stream, tmp_path)
    data = load(stream, tmp_path, "none", ignore=["z"], missing="median")
    assert data.feature_names == [*"abcdn"]
    where = about(data, "train")
    place = where["row"].to_numpy() + 150 * (where["file"] == "b.parquet").to_numpy()
    d = np.where(place < 150, table["d"].to_numpy()[place], table["d"].to_numpy()[place] / 2)
    np.testing.assert_array_equal(take(data, "train")[0][:, 3], d.astype(np.float32))
    assert (take(data, "train")[0][:, 4] == 2).all()
    said = " ".join(data.notes)
    assert "has int16 in column d, and" in said
    assert "files without a row are passed over:" in said
    assert "150 missing values in columns n are taken as the medians" in said
    chosen = load(stream, tmp_path, columns=["c", "a"])
    assert chosen.feature_names == ["c", "a"]


def test_the_columns_of_a_training_are_made_of_another_stream(tmp_path):
    table = make_table().assign(w=WORDS, id=np.arange(N))
    table.to_parquet(tmp_path / "t.parquet")
    trained = load(stream, tmp_path / "t.parquet", categories="onehot", missing="median")
    other = table.assign(w=np.where(np.arange(N) % 3, "red", "pink"), more=1)[[*"wdcba", "more"]]
    spoil(other, "c", [1, 2]).to_parquet(tmp_path / "other.parquet")
    data = ClusterData(
        partial(stream, str(tmp_path / "other.parquet"), categories="onehot", missing="median"),
        val_fraction=0,
    )
    data.follow(trained)
    data.setup("fit")
    assert data.feature_names == [*"abcd", "w=blue", "w=green", "w=red"]
    assert "values that the training had not, which count as none: pink" in " ".join(data.notes)
    row = about(data, "train")["row"].to_numpy()
    raw = data.raw("train", torch.arange(len(row))).numpy()
    np.testing.assert_array_equal(raw[:, 4:], np.eye(3)[[2] * len(row)] * (row % 3 > 0)[:, None])
    fill = trained.preparation.fill[2].item()
    expected = np.where(row < 3, np.where(row, fill, table["c"][0]), table["c"].to_numpy()[row])
    np.testing.assert_array_equal(raw[:, 2], expected)


@pytest.mark.parametrize("source", [arrays, stream])
def test_gaps_need_the_medians_of_the_training(source, tmp_path):
    make_table().to_parquet(tmp_path / "t.parquet")
    GAPS.to_parquet(tmp_path / "gaps.parquet")
    data = ClusterData(partial(source, str(tmp_path / "gaps.parquet"), missing="median"))
    data.follow(load(source, tmp_path / "t.parquet"))
    with pytest.raises(DataError, match="`missing=median` needs a training with it"):
        data.setup("fit")
    filled = load(source, tmp_path / "t.parquet", missing="median",
                  test_path=str(tmp_path / "gaps.parquet"))  # fmt: skip
    assert np.isfinite(take(filled, "test")[0]).all()


def test_settings_of_columns_are_refused_for_arrays(tmp_path):
    np.save(tmp_path / "t.npy", make_table().to_numpy())
    for setting in ({"target": "y"}, {"id": "id"}, {"keep": ["a"]}, {"ignore": ["a"]}):
        said = []
        for source in (arrays, stream):
            with pytest.raises(DataError) as error:
                load(source, tmp_path / "t.npy", **setting)
            said.append(str(error.value))
        assert said[0] == said[1]


def test_doubtful_columns_are_said(tmp_path):
    draw = np.random.default_rng(0)
    table = make_table().assign(
        n=np.arange(N), up=np.arange(N) ** 2, copy=make_table()["a"], zip=draw.integers(1, 99, N)
    )
    for part in (0, 1):
        table.iloc[part::2].to_parquet(tmp_path / f"{part}.parquet", row_group_size=20)
    said = " ".join(load(stream, tmp_path, window=3000).notes)
    assert "column n rises from row to row" in said
    assert "column up rises from row to row" in said
    assert "hold the same as others, which so count twice: copy (as a)" in said
    assert "column zip is called as codes are" in said
    table.to_parquet(tmp_path / "one.parquet", row_group_size=20)
    said = " ".join(load(stream, tmp_path / "one.parquet").notes)
    assert "column n counts the rows" in said
    assert "column d" not in said


def test_rows_that_are_mostly_copies_are_said(tmp_path):
    pd.concat([make_table().head(3)] * 50).to_parquet(tmp_path / "t.parquet", index=False)
    assert (
        "training samples are the same as others" in load(stream, tmp_path / "t.parquet").notes[-1]
    )


VALUES = st.sampled_from([-np.inf, -1e300, -3.5, -1.0, -0.0, 0.0, 1e-320, 2.0, 7.25, 1e300, np.nan])


@given(
    hnp.arrays(np.float64, st.tuples(st.integers(1, 40), st.integers(1, 3)),
               elements=st.one_of(VALUES, st.floats(-9, 9))),
    st.booleans(), st.integers(1, 7), st.sampled_from([1, 200, 2**26]),
)  # fmt: skip
@settings(max_examples=80, deadline=None)
def test_medians_are_those_of_numpy(x, narrow, step, room):
    x = np.nan_to_num(x, nan=np.nan, posinf=5, neginf=-5)
    if narrow:
        x = x.clip(-1e30, 1e30).astype(np.float32)
    parts = [torch.from_numpy(x[i : i + step]) for i in range(0, len(x), step)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dcsomrl.data.medians.ROOM", room)
        if (~np.isfinite(x)).all(0).any():
            with pytest.raises(DataError, match=r"column .* has no value in the training part"):
                find_medians(lambda: parts, None, "data")
            return
        found = find_medians(lambda: parts, None, "data")
    np.testing.assert_array_equal(found, np.nanmedian(x.astype(np.float64), axis=0))


@given(st.lists(st.one_of(st.integers(0, 30), st.none()), max_size=25), st.booleans(),
       st.integers(1, 6), st.integers(1, 9))  # fmt: skip
@settings(max_examples=80, deadline=None)
def test_names_of_rows_are_told_in_parts_as_in_memory(values, text, held, step):
    column = pd.Series([None if one is None else f"r{one}" for one in values] if text else values,
                       dtype=object if text else "float")  # fmt: skip
    parts = [column[i : i + step] for i in range(0, len(column), step)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dcsomrl.data.column_passes.HELD", held)
        assert look_for_names(lambda: iter(parts), len(column)) == look_at_values(column)


def test_no_more_is_held_beside_the_rows_than_two_blocks(tmp_path):
    table = make_table().assign(y=WORDS, id=[f"r{i}" for i in range(N)])
    table.to_parquet(tmp_path / "t.parquet", row_group_size=20)
    data = load(stream, tmp_path / "t.parquet", target="y", missing="drop", window=1000)
    x = data.arrays.train_x
    names = about(data, "test")["id"].tolist()
    assert names == [f"r{row}" for row in about(data, "test")["row"]]
    assert sum(len(one) for one in x._beside.values()) <= 40
    assert x._lacking == {}  # a bit a row, of blocks alone that lack values
    labelled = next(iter(data.split_dataloader("train")))
    assert labelled.y is not None
    assert all(batch.y is None for batch in data.train_dataloader())


def test_too_many_categories_are_refused_without_being_counted(tmp_path):
    make_table().assign(w=[f"w{i}" for i in range(N)]).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(DataError, match="more than 100 different values in 400 rows of column w"):
        load(stream, tmp_path / "t.parquet", categories="onehot")


def test_too_many_labels_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("dcsomrl.data.stream_labels.MOST", 50)
    make_table().assign(y=np.arange(N)).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(DataError, match="more than 50 different labels in column y: name a column"):
        load(stream, tmp_path / "t.parquet", target="y")


def test_a_list_column_with_gaps_is_filled_element_by_element(tmp_path):
    lists = [None if i % 9 == 4 else [float(i), float(-i)] for i in range(60)]
    pq.write_table(pa.table({"e": lists}), tmp_path / "t.parquet", row_group_size=8)
    data = load(stream, tmp_path / "t.parquet", "none", missing="median")
    x = take(data, "train")[0]
    row = about(data, "train")["row"].to_numpy()
    there = row[row % 9 != 4]
    np.testing.assert_array_equal(x[row % 9 != 4], np.stack([there, -there], 1))
    assert (x[row % 9 == 4] == [np.median(there), -np.median(there)]).all()
