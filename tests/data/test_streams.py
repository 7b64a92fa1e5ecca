"""Tables that are read as streams, held against the same table in memory."""

import pickle
from collections import Counter
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dcsomrl.data import Arrays, ClusterData, Neighbors
from dcsomrl.data.blocks import CELL, BlockRows, Division
from dcsomrl.data.stream_files import stream
from dcsomrl.data.summary import summarize
from dcsomrl.data.windows import WindowPermutation
from dcsomrl.errors import DataError

N, WIDTH = 3001, 3
ROW = WIDTH * 4


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    x = rng.normal([0, 5, -2], [1, 3, 0.1], (N, WIDTH)).astype(np.float32)
    return x + np.linspace(0, 4, N, dtype=np.float32)[:, None]  # sorted, in a way


def write_parquet(path, x, rows=100, **further):
    columns = {f"f{i}": x[:, i] for i in range(x.shape[1])}
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({**columns, **further}), path, row_group_size=rows)
    return path


@pytest.fixture(params=["parquet", "npy", "folder of parquet", "folder of npy"])
def path(request, table, tmp_path):
    kind = request.param
    parts = np.array_split(table, [700, 701, 2500]) if "folder" in kind else [table]
    for i, part in enumerate(parts):
        file = tmp_path / "t" / (f"{i}.parquet" if "parquet" in kind else f"{i}.npy")
        if "parquet" in kind:
            write_parquet(file, part)
        else:
            file.parent.mkdir(exist_ok=True)
            np.save(file, part)
    return str(tmp_path / "t") if "folder" in kind else str(file)


def make_data(path, window=ROW * 400, **further):
    source = {"window": window, **further.pop("source", {})}
    data = ClusterData(partial(stream, path, **source), batch_size=64, **further)
    data.setup("fit")
    return data


def take(data, split):
    return torch.cat([batch.x for batch in data.split_dataloader(split)]).numpy()


@pytest.mark.parametrize("kind", ["minmax", "standard", "half", "unit", "none"])
def test_a_stream_gives_what_the_same_rows_in_memory_give(path, table, kind):
    data = make_data(path, normalization=kind, seed=3)
    rows = {split: data.about(split, torch.arange(len(data.rows(split)))) for split in
            ("train", "val", "test")}  # fmt: skip
    sizes = [0, 700, 701, 2500]
    places = {}
    for split, about in rows.items():
        first = [sizes[int(name[0])] for name in about["file"]] if "file" in about else 0
        places[split] = about["row"].to_numpy() + first
    assert sorted(np.concatenate(list(places.values()))) == list(range(N))
    assert len(places["test"]) == round(0.2 * N)
    assert len(places["val"]) == round(0.1 * (N - round(0.2 * N)))
    train, test = (torch.from_numpy(table[places[split]]) for split in ("train", "test"))
    plain = ClusterData(lambda: Arrays(train, None, test, None), normalization=kind, val_fraction=0)
    plain.setup("fit")
    exact = kind != "standard"
    np.testing.assert_allclose(take(data, "train"), take(plain, "train"), atol=0 if exact else 2e-6)
    np.testing.assert_allclose(take(data, "test"), take(plain, "test"), atol=0 if exact else 2e-6)
    index = torch.tensor([5, 0, 2000])
    np.testing.assert_array_equal(data.raw("train", index), table[places["train"][index]])
    assert data.shape == (WIDTH,)
    assert data.constant == []


def test_the_splits_are_the_same_however_the_table_is_read(path, table, tmp_path):
    one, other = make_data(path), make_data(path, window=ROW * 50)
    np.testing.assert_array_equal(take(one, "test"), take(other, "test"))
    np.testing.assert_array_equal(take(one, "val"), take(other, "val"))
    again = make_data(path, seed=1)
    np.testing.assert_array_equal(take(one, "test").shape, take(again, "test").shape)
    assert not np.array_equal(take(one, "val"), take(again, "val"))


@pytest.mark.parametrize("window", [ROW * 50, ROW * 300, ROW * 10 * N])
def test_an_epoch_has_every_row_once_and_the_next_another_order(path, window):
    data = make_data(path, window=window)
    loader = data.train_dataloader()
    orders = []
    for epoch in (0, 1):
        loader.sampler.set_epoch(epoch)
        batches = list(loader)
        assert [len(batch.index) for batch in batches[:-1]] == [64] * (len(loader) - 1)
        assert len(batches) == len(loader)
        index = torch.cat([batch.index for batch in batches])
        assert sorted(index.tolist()) == list(range(len(data.rows("train"))))
        given = torch.cat([batch.x for batch in batches]).numpy()
        np.testing.assert_array_equal(given, take(data, "train")[index])
        orders.append(index)
    assert not torch.equal(*orders)
    assert (orders[0].diff() == 1).float().mean() < 0.05


def test_batches_come_from_few_blocks_and_these_from_all_of_the_table(table, tmp_path):
    data = make_data(str(write_parquet(tmp_path / "t.parquet", table)), window=ROW * 400)
    block = torch.bucketize(torch.arange(len(data.rows("train"))), data.rows("train").starts[1:],
                            right=True)  # fmt: skip
    batches = list(data.train_dataloader().sampler)
    held = [len(block[batch].unique()) for batch in batches]
    assert max(held) <= 9  # four blocks of a hundred rows make a window, and two may meet
    first = block[torch.cat(batches[:5])].unique()
    assert first.max() - first.min() > 10


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=12).filter(sum),
    st.integers(1, 40),
    st.integers(1, 17),
    st.integers(0, 2**40),
    st.integers(1, 3),
    st.data(),
)
@settings(max_examples=60, deadline=None)
def test_what_is_resumed_goes_on_where_it_stopped(counts, window, batch, seed, passes, draw):
    rows = BlockRows(np.cumsum([0, *counts[:-1]]).tolist(), counts)
    sampler = WindowPermutation(rows, [count + 2 for count in counts], window, batch, seed, passes)
    whole = list(sampler)
    assert len(whole) == len(sampler)
    seen = Counter(torch.cat(whole).tolist())
    assert seen == dict.fromkeys(range(sum(counts)), passes)
    first = sampler.first = draw.draw(st.integers(0, len(whole)))
    rest = list(sampler)
    assert len(rest) == len(whole) - first
    assert all(torch.equal(a, b) for a, b in zip(rest, whole[first:], strict=True))


def test_processes_take_equal_parts_of_the_batches_of_one(monkeypatch):
    rows = BlockRows([0, 30, 60], [25, 30, 12])

    def take(rank, size):
        monkeypatch.setattr("dcsomrl.data.batches.get_rank_and_size", lambda: (rank, size))
        return list(WindowPermutation(rows, [30, 30, 12], 40, 12, seed=2))

    alone, together = take(0, 1), [take(rank, 3) for rank in range(3)]
    joined = [torch.cat(parts) for parts in zip(*together, strict=True)]
    assert len(joined) == len(alone) == 6
    for part, whole in zip(joined, alone, strict=True):
        assert torch.equal(part, whole[: len(part)])
    assert sum(map(len, joined)) == 66


@given(st.integers(1, 3 * CELL), st.floats(0, 0.9), st.floats(0, 0.9), st.data())
@settings(max_examples=40, deadline=None)
def test_a_division_is_the_same_by_parts_and_has_its_shares(n, test, val, draw):
    division = Division(n, test, val, seed=5)
    whole = division.label(0, n)
    n_test = round(test * n)
    assert np.bincount(whole, minlength=3).tolist() == list(division.count())
    assert division.count()[2] == n_test
    assert division.count()[1] == round(val * (n - n_test))
    first = draw.draw(st.integers(0, n - 1))
    count = draw.draw(st.integers(1, n - first))
    np.testing.assert_array_equal(division.label(first, count), whole[first : first + count])


@given(st.lists(st.integers(0, 9), min_size=1, max_size=6).filter(sum), st.integers(0, 99),
       st.sampled_from([1.0, 1e-150, 1e150]))  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_a_summary_of_parts_is_that_of_the_whole(sizes, seed, scale):
    x = np.random.default_rng(seed).normal(3, 2, (sum(sizes), 2)) * scale
    parts = np.split(torch.from_numpy(x), np.cumsum(sizes)[:-1].tolist())
    found = summarize(parts)
    np.testing.assert_array_equal(found.bounds, [x.min(0), x.max(0)])
    np.testing.assert_allclose(found.mean, x.mean(0), rtol=1e-9)
    expected = (x / scale).std(0, ddof=1) * scale if len(x) > 1 else [0, 0]
    np.testing.assert_allclose(found.deviation, expected, rtol=1e-9)


def test_a_stream_goes_to_other_processes(path):
    data = make_data(path)
    again = pickle.loads(pickle.dumps(data.arrays.train_x))
    rows = torch.tensor([5, 2, 1000])
    assert torch.equal(again[rows], data.arrays.train_x[rows])


def test_no_more_is_held_than_a_window_and_a_block(table, tmp_path):
    data = make_data(str(write_parquet(tmp_path / "t.parquet", table)), window=ROW * 400)
    x = data.arrays.train_x
    for batch in data.train_dataloader():
        assert sum(len(block) for block in x._held.values()) <= 500
        assert len(batch.x)
    take(data, "test")
    assert sum(len(block) for block in x._held.values()) <= 500


def test_lists_and_kinds_of_numbers_become_features(tmp_path, monkeypatch):
    monkeypatch.setattr("dcsomrl.data.parquet_files.DECODED", 1)
    rng = np.random.default_rng(1)
    wide = rng.normal(size=(50, 4)).astype(np.float32)
    columns = {"a": pa.array(np.arange(50, dtype=np.int8)), "flag": pa.array([True, False] * 25),
               "emb": pa.array(list(wide)), "name": pa.array(["x"] * 50)}  # fmt: skip
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table(columns), path, row_group_size=7)
    arrays = stream(str(path), ignore=["name"])
    assert arrays.feature_names == ["a", "flag", "emb.0", "emb.1", "emb.2", "emb.3"]
    x = arrays.train_x
    rows = x[torch.arange(50)]
    assert rows.dtype == torch.float32
    place = x.locate(torch.arange(50))["row"].to_numpy()
    np.testing.assert_array_equal(rows[:, 2:], wide[place])
    np.testing.assert_array_equal(rows[:, 0], place)
    np.testing.assert_array_equal(rows[:, 1], 1 - place % 2)
    some = stream(str(path), feature_names=["emb.2", "a"]).train_x[torch.arange(50)]
    np.testing.assert_array_equal(some, rows[:, [4, 0]])
    wider = tmp_path / "wide.parquet"
    pq.write_table(pa.table({"a": np.arange(9), "b": np.ones(9, np.float32)}), wider)
    assert stream(str(wider)).train_x[torch.arange(2)].dtype == torch.float64


def test_bytes_are_brought_to_the_unit_range(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (300, 2), dtype=np.uint8)
    np.save(tmp_path / "t.npy", x)
    data = make_data(str(tmp_path / "t.npy"), normalization="none", val_fraction=0)
    place = data.about("train", torch.arange(240))["row"].to_numpy()
    np.testing.assert_allclose(take(data, "train"), x[place] / 255, atol=1e-7)


def spoil(x, row, column, value=np.nan):
    x = x.copy()
    x[row, column] = value
    return x


@pytest.mark.parametrize(
    ("make", "settings", "said"),
    [
        (lambda t, x: write_parquet(t / "a.parquet", spoil(x, 1234, 1)), {},
         r"a\.parquet has no value in row 1234 \(row group 12\), column f1; 1 are missing in 1 "
         r"rows and columns f1: fill them, or set `missing=drop`"),
        (lambda t, x: np.save(t / "a.npy", spoil(x, 2999, 2, np.inf)) or t / "a.npy", {},
         r"a\.npy has an infinite value in row 2999, column 2"),
        (lambda t, x: write_parquet(t / "a.parquet", x, who=["me"] * N), {},
         r"not numbers: who \(text, 'me' in row 0\); .*by `target`.* or set `categories=onehot`"),
        (lambda t, x: write_parquet(t / "a.parquet", x), {"columns": ["f0", "size"]},
         "has no column size; it has f0, f1, f2"),
        (lambda t, x: write_parquet(t / "a.parquet", x), {"ignore": ["f0", "f1", "f2"]},
         "has no column of features"),
        (lambda t, x: np.save(t / "a.npy", x) or t / "a.npy", {"columns": ["f0"]},
         "holds arrays, which have no named columns: leave out `columns`"),
        (lambda t, x: write_parquet(t / "a.parquet", x[:, :2]) and write_parquet(
            t / "b.parquet", x) and t, {}, r"b\.parquet has a column f2 that .*a\.parquet lacks"),
        (lambda t, x: write_parquet(t / "a.parquet", x, g=["1"] * N) and write_parquet(
            t / "b.parquet", x, g=[1] * N) and t, {},
         r"b\.parquet has int64 in column g, but .*a\.parquet has string: make them alike"),
        (lambda t, x: np.save(t / "a.npy", x) or np.save(t / "b.npy", x[:, :2]) or t, {},
         r"b\.npy has rows of 2 numbers of float32, but .*a\.npy of 3"),
        (lambda t, x: np.save(t / "a.npy", x) or (write_parquet(t / "b.parquet", x) and t), {},
         "holds both parquet and npy files"),
        (lambda t, x: np.save(t / "a.npy", x[:, :, None]) or t / "a.npy", {},
         r"float32 of shape \(3001, 3, 1\), and a stream needs numbers of shape \(n, features\)"),
        (lambda t, x: np.save(t / "a.npy", np.asfortranarray(x)) or t / "a.npy", {},
         "columns one after the other.*np.ascontiguousarray"),
        (lambda t, x: t, {}, "holds no parquet or npy file"),
        (lambda t, x: (t / "a.csv").write_text("1,2\n") and t, {},
         r"no parquet or npy file but a\.csv"),
        (lambda t, x: t / "nothing", {}, "there is no file or folder .*nothing"),
        (lambda t, x: write_parquet(t / "a.parquet", x[:0]), {}, "has no row of samples"),
        (lambda t, x: (t / "a.parquet").write_bytes(b"PAR1 and no more") and t, {},
         r"a\.parquet cannot be read .*damaged"),
        (lambda t, x: write_parquet(t / "a.parquet", x[:1]), {},
         "two splits need two samples or more"),
    ],
)  # fmt: skip
def test_bad_input_ends_in_a_sentence(make, settings, said, table, tmp_path):
    path = make(tmp_path, table)
    with pytest.raises(DataError, match=said):
        make_data(str(path), source=settings)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"test_fraction": 1.5}, r"test_fraction must be above 0 and below 1, got 1\.5"),
        ({"window": 0}, "window must be at least 1, got 0"),
    ],
)
def test_a_setting_outside_its_range_is_refused_before_the_file_is_looked_for(setting, said):
    with pytest.raises(ValueError, match=said):
        make_data("nowhere.parquet", source=setting)


def test_lists_of_other_lengths_are_named_by_their_row(tmp_path):
    path = tmp_path / "t.parquet"
    lists = [[1.0, 2.0]] * 20 + [[1.0]] + [[3.0, 4.0]] * 9
    pq.write_table(pa.table({"e": lists}), path, row_group_size=8)
    with pytest.raises(DataError, match=r"lists of 2 numbers in column e, but of 1 in row 20"):
        make_data(str(path))


def test_a_file_that_is_cut_off_while_it_is_read_ends_in_a_sentence(table, tmp_path):
    path = write_parquet(tmp_path / "t.parquet", table)
    data = make_data(str(path))
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(DataError, match=r"t\.parquet cannot be read .*damaged"):
        take(data, "test")


def test_what_needs_all_samples_at_once_is_refused(table, tmp_path):
    path = str(write_parquet(tmp_path / "t.parquet", table))
    with pytest.raises(DataError, match="neighbours are found among all samples at once"):
        make_data(path, neighbors=Neighbors())
    with pytest.raises(DataError, match="whose rows are mixed: set `sequence_length=1`"):
        make_data(path, sequence_length=2, val_fraction=0)


def test_a_test_split_of_its_own_and_a_bad_row_in_it(table, tmp_path):
    one = write_parquet(tmp_path / "one.parquet", table)
    two = write_parquet(tmp_path / "two.parquet", table[:50])
    data = make_data(str(one), source={"test_path": str(two)}, val_fraction=0)
    assert (len(data.rows("train")), len(data.rows("test"))) == (N, 50)
    np.testing.assert_array_equal(
        data.raw("test", torch.arange(50)), table[data.about("test", torch.arange(50))["row"]]
    )
    write_parquet(tmp_path / "bad.parquet", spoil(table[:50], 40, 0))
    with pytest.raises(DataError, match=r"bad\.parquet has no value in row 40"):
        make_data(str(one), source={"test_path": str(tmp_path / "bad.parquet")})


def test_the_log_says_what_is_read_and_that_row_groups_are_large(table, tmp_path, caplog):
    caplog.set_level("INFO", "dcsomrl")
    path = write_parquet(tmp_path / "t.parquet", table)
    data = make_data(str(path))
    assert "3,001 rows in 31 blocks, 3 features of float32" in caplog.text
    assert data.notes == []
    data = make_data(str(path), window=10)
    assert "row groups of up to 100 rows are read whole" in data.notes[0]


def test_other_rows_are_told_from_those_of_a_training(table, tmp_path):
    for name, write in (("t.parquet", write_parquet), ("t.npy", lambda p, x: np.save(p, x) or p)):
        path = write(tmp_path / name, table)
        state = make_data(str(path)).state_dict()
        make_data(str(path), window=99).check_same(state)
        write(tmp_path / name, spoil(table, N - 1, 0, 77.0))
        with pytest.raises(DataError, match="other samples than those"):
            make_data(str(path)).check_same(state)


def test_a_small_validation_part_is_left_out(table, tmp_path):
    path = write_parquet(tmp_path / "t.parquet", table[:20])
    data = make_data(str(path))
    assert len(data.rows("val")) == 0
    assert "too few to say anything" in data.notes[0]
    assert isinstance(data.about("test", torch.arange(4)), pd.DataFrame)
