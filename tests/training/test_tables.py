import csv

import pytest

from dcsomrl.training.tables import GrowingTable


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def filled(path, keys):
    table = GrowingTable(path, "epoch")
    table.rows += [{"epoch": key, "loss": 1 / (key + 3)} for key in keys]
    table.save()
    return table


def test_columns_are_the_union_of_the_rows(tmp_path):
    table = GrowingTable(tmp_path / "t.csv", "epoch")
    table.rows += [{"epoch": 0, "a": 0.5}, {"epoch": 1, "b": 2}]
    table.save()
    expected = [{"epoch": "0", "a": "0.5", "b": ""}, {"epoch": "1", "a": "", "b": "2"}]
    assert read(tmp_path / "t.csv") == expected


@pytest.mark.parametrize("before", [0, 1, 2, 5])
def test_a_table_taken_up_again_equals_one_that_never_stopped(tmp_path, before):
    filled(tmp_path / "whole.csv", range(5))
    filled(tmp_path / "t.csv", range(3))
    table = GrowingTable(tmp_path / "t.csv", "epoch")
    table.restore(before)
    behind = min(before, 3)
    assert len(table.rows) == behind
    table.rows += [{"epoch": key, "loss": 1 / (key + 3)} for key in range(behind, 5)]
    table.save()
    assert (tmp_path / "t.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"whole.csv", "t.csv"}


def test_a_table_cut_anywhere_loses_rows_with_a_word_and_makes_none_up(tmp_path, caplog):
    whole = filled(tmp_path / "t.csv", range(4)).rows
    raw = (tmp_path / "t.csv").read_bytes()
    for end in range(len(raw)):
        caplog.clear()
        (tmp_path / "t.csv").write_bytes(raw[:end])
        table = GrowingTable(tmp_path / "t.csv", "epoch")
        table.restore(4)
        kept = [{"epoch": int(row["epoch"]), "loss": float(row["loss"])} for row in table.rows]
        assert kept == whole[: len(kept)], end
        assert "is damaged" in caplog.text or "has no rows of epoch" in caplog.text, end
