"""What the operating system refuses ends in one sentence."""

import errno
import os
from pathlib import Path

import pytest
import torch
from torch import nn

from dcsomrl.system_errors import explain_system


def raised(number, *paths):
    return OSError(number, os.strerror(number), *paths)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (raised(errno.ENOSPC), "no space is left"),
        (raised(errno.ENOSPC, "a.csv"), "a.csv cannot be read or written, since no space is left"),
        (raised(errno.EROFS, "a"), "a cannot be read or written, since that is not allowed"),
        (raised(errno.ENAMETOOLONG, "a"), "the name is too long"),
        (raised(errno.EMFILE), "too many files are open: raise the limit"),
        (raised(errno.EIO), "a file cannot be written, since its disk fails or is gone"),
        (raised(errno.EIO, "a"), "a cannot be read or written, since its disk fails or is gone"),
        (raised(errno.ECONNREFUSED), "the operating system refuses it: Connection refused"),
        (raised(errno.EACCES, b"a"), "a cannot be read or written, since that is not allowed"),
        (MemoryError(), "there is not enough memory"),
    ],
    ids=str,
)
def test_it_is_said_in_a_sentence(error, said):
    assert said in explain_system(error)


@pytest.mark.parametrize("error", [ValueError("x"), RuntimeError("x"), OSError("x"), None])
def test_other_errors_are_none_of_it(error):
    assert explain_system(error) is None


@pytest.mark.parametrize("make", [torch.zeros, nn.Linear], ids=["a tensor", "a layer"])
@pytest.mark.parametrize("sides", [(2**31, 2**22), (2**62, 2**62)], ids=["large", "uncountable"])
def test_a_size_that_no_machine_has_is_a_lack_of_memory(make, sides):
    with pytest.raises(RuntimeError) as caught:
        make(*sides)
    assert "not enough memory" in explain_system(caught.value)


def test_a_folder_that_has_vanished_is_told_from_a_file(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(FileNotFoundError) as caught:
        Path.cwd()
    assert explain_system(caught.value).startswith("the folder that the command was started in")
