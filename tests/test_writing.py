"""What is written is there whole or not at all, and by one module; so are locks."""

import errno
import os
import re
from pathlib import Path

import pytest
from matplotlib.figure import Figure

import dcsomrl
from dcsomrl.locks import claim, lend, make_lock
from dcsomrl.mistakes import explain
from dcsomrl.writing import save_figure, swapped, write_json


def test_a_picture_that_cannot_be_drawn_leaves_the_one_before(tmp_path, monkeypatch):
    path = tmp_path / "picture.png"
    save_figure(Figure(figsize=(1, 1)), path, dpi=50)
    before = path.read_bytes()
    assert before.startswith(b"\x89PNG")
    save_figure(Figure(figsize=(1, 1)), tmp_path / "picture.svg")
    assert "<svg" in (tmp_path / "picture.svg").read_text()

    def broken(figure, file, **settings):
        Path(file).write_bytes(before[:20])
        raise OSError("no space left on the device")

    monkeypatch.setattr(Figure, "savefig", broken)
    with pytest.raises(OSError, match="no space left"):
        save_figure(Figure(), path)
    assert path.read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["picture.png", "picture.svg"]


def test_two_that_write_one_file_do_not_meet(tmp_path):
    path = tmp_path / "shared.txt"
    with swapped(path) as first, swapped(path) as second:
        first.write_text("first")
        second.write_text("second, longer")
    assert path.read_text() == "first"  # the last to end: nothing of the other is in it
    with swapped(path, alone=True) as part:
        left = part
        part.write_text("half")
    left.write_text("left by a killed process")
    with swapped(path, alone=True) as part:
        part.write_text("whole")
    assert [file.name for file in tmp_path.iterdir()] == ["shared.txt"]
    assert path.read_text() == "whole"


def test_what_a_killed_process_left_is_removed_and_what_is_written_is_not(tmp_path):
    path, left = tmp_path / "[a].txt", tmp_path / "[a].txt.0123abcd.part"
    left.write_text("half")
    for other in ("[a].txt.part", "[a].txt.mine.part", "a.txt.0123abcd.part"):
        (tmp_path / other).touch()
    with swapped(path) as first:
        assert not left.exists()
        first.write_text("first")
        with swapped(path) as second:
            assert first.exists()
            second.write_text("second")
    assert path.read_text() == "first"
    assert len(list(tmp_path.iterdir())) == 4


def test_without_locks_nothing_is_removed(tmp_path, monkeypatch):
    left = tmp_path / "a.0123abcd.part"
    left.touch()
    monkeypatch.setattr("fcntl.flock", refuse)
    with swapped(tmp_path / "a") as part:
        part.write_text("a")
    assert (tmp_path / "a").read_text() == "a"
    assert left.exists()


def refuse(file, operation):
    raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))


def test_a_folder_that_cannot_be_locked_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("fcntl.flock", refuse)
    for taken in (lambda: claim(tmp_path), lambda: lend(tmp_path).__enter__()):
        with pytest.raises(OSError, match=r"\.lock") as caught:
            taken()
        assert "its file system has no locks" in str(explain(caught.value, "train", []))


def test_what_is_no_number_is_null(tmp_path):
    write_json(tmp_path / "m.json", {"a": float("nan"), "b": 1})
    assert (tmp_path / "m.json").read_text() == '{\n  "a": null,\n  "b": 1\n}\n'


def test_a_lock_makes_its_folder_and_keeps_others_out(tmp_path):
    held = claim(tmp_path / "new")
    assert held is not None
    assert claim(tmp_path / "new") is None
    held.release()
    with make_lock(tmp_path / "new"):
        assert claim(tmp_path / "new") is None
        with make_lock(tmp_path / "new", "part"):
            assert (tmp_path / "new" / ".part.lock").exists()


@pytest.mark.parametrize(
    ("bare", "module", "others"),
    [
        (r"\bFileLock\(|(?<!threading\.)\bLock\(", "locks.py", ()),
        # The text of a picture goes into the page, and what is swapped in later lies beside it.
        (r"\.savefig\((?!buffer)", "writing.py", ()),
        (r"\.write_(text|bytes)\(", "writing.py", ("commands/export.py",)),
    ],
)
def test_files_are_written_and_locked_by_one_module_each(bare, module, others):
    top = Path(dcsomrl.__file__).parent
    found = {
        str(file.relative_to(top))
        for file in top.rglob("*.py")
        if re.search(bare, file.read_text())
    }
    assert found - set(others) == {module}
