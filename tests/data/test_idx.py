import gzip
import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dcsomrl.data.arrays import Arrays, check_arrays, divide
from dcsomrl.data.files import arrays
from dcsomrl.data.sources import mnist
from dcsomrl.errors import DataError

NAMES = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
]


def idx(values):
    """The idx format: two zeros, type 8 for bytes, number of dimensions, sizes, values."""
    sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
    return bytes([0, 0, 8, values.ndim]) + sizes + values.astype(np.uint8).tobytes()


@pytest.fixture
def mnist_files(tmp_path):
    """A small MNIST: (folder for data_dir, folder of the files, contents by name)."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "MNIST" / "raw"
    folder.mkdir(parents=True)
    content = {}
    for split, n in (("train", 7), ("t10k", 3)):
        content[f"{split}-images-idx3-ubyte"] = rng.integers(0, 256, (n, 5, 4))
        content[f"{split}-labels-idx1-ubyte"] = rng.integers(0, 10, n)
    for name, values in content.items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(idx(values)))
    return tmp_path, folder, content


@pytest.mark.parametrize("packed", [True, False])
def test_idx_files_are_read_as_written_and_nothing_is_unpacked_beside_them(mnist_files, packed):
    data_dir, folder, content = mnist_files
    if not packed:
        for name, values in content.items():
            (folder / f"{name}.gz").unlink()
            (folder / name).write_bytes(idx(values))
    before = sorted(folder.iterdir())
    got = mnist(str(data_dir))
    parts = (got.train_x, got.train_y, got.test_x, got.test_y)
    for name, part in zip(NAMES, parts, strict=True):
        values = content[name][:, None] if "images" in name else content[name]
        assert np.array_equal(part.numpy(), values), name
    assert got.train_x.dtype == torch.uint8
    assert got.train_y.dtype == torch.int64
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: gzip.compress(raw)[:-12],
        lambda raw: b"no gzip at all",
        lambda raw: gzip.compress(raw[:-1]),
        lambda raw: gzip.compress(raw + b"\0"),
        lambda raw: gzip.compress(raw[:3]),
        lambda raw: gzip.compress(raw[:2] + b"\x0d" + raw[3:]),
        lambda raw: b"",
    ],
    ids=["cut gzip", "no gzip", "a byte short", "a byte more", "no header", "floats", "empty"],
)
def test_a_damaged_idx_file_is_named(mnist_files, name, damage):
    data_dir, folder, content = mnist_files
    path = folder / f"{name}.gz"
    path.write_bytes(damage(idx(content[name])))
    with pytest.raises(DataError, match="damaged") as caught:
        mnist(str(data_dir))
    assert str(path) in str(caught.value)


def test_absent_files_that_cannot_be_fetched_are_all_named(mnist_files, monkeypatch):
    data_dir, folder, _ = mnist_files
    # A port that nothing listens on: as without a network.
    monkeypatch.setattr("dcsomrl.data.sources.MNIST.mirrors", ["http://127.0.0.1:9/"])
    (folder / f"{NAMES[2]}.gz").unlink()
    before = sorted(folder.iterdir())
    with pytest.raises(DataError) as caught:
        mnist(str(data_dir))
    for part in (str(folder), "DCSOMRL_DATA", *(f"{name}.gz" for name in NAMES)):
        assert part in str(caught.value)
    assert sorted(folder.iterdir()) == before


@pytest.fixture
def mirror(mnist_files, monkeypatch):
    """The small MNIST on a server of this machine's own."""
    handler = partial(SimpleHTTPRequestHandler, directory=mnist_files[1])
    monkeypatch.setattr(SimpleHTTPRequestHandler, "log_message", lambda *_: None)
    monkeypatch.setenv("no_proxy", "*")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_absent_files_are_fetched(mnist_files, mirror, tmp_path, monkeypatch):
    _, folder, content = mnist_files
    resources = [
        (f"{name}.gz", hashlib.md5((folder / f"{name}.gz").read_bytes()).hexdigest())
        for name in NAMES
    ]
    monkeypatch.setattr("dcsomrl.data.sources.MNIST.mirrors", [mirror])
    monkeypatch.setattr("dcsomrl.data.sources.MNIST.resources", resources)
    got = mnist(str(tmp_path / "new"))
    assert np.array_equal(got.test_y.numpy(), content["t10k-labels-idx1-ubyte"])
    fetched = sorted(path.name for path in (tmp_path / "new" / "MNIST" / "raw").iterdir())
    assert fetched == sorted(f"{name}.gz" for name in NAMES)


@given(st.lists(st.integers(-5, 40), min_size=2), st.data())
@settings(max_examples=50, deadline=None)
def test_classes_are_numbered_over_both_splits_and_keep_their_names(labels, data):
    n = data.draw(st.integers(1, len(labels) - 1))
    y = torch.tensor(labels)
    got = check_arrays(
        Arrays(torch.zeros(n, 2), y[:n], torch.zeros(len(labels) - n, 2), y[n:]), "things"
    )
    numbers = torch.cat([got.train_y, got.test_y]).tolist()
    assert [int(got.class_names[number]) for number in numbers] == labels
    assert sorted(set(numbers)) == list(range(len(set(labels))))


def test_names_of_absent_classes_are_left_out():
    y = torch.tensor([2, 0, 2, 0])
    got = check_arrays(
        Arrays(torch.zeros(4, 1), y, torch.zeros(4, 1), None, ["a", "b", "c"]), "things"
    )
    assert got.class_names == ["a", "c"]
    assert got.train_y.tolist() == [1, 0, 1, 0]
    assert got.test_y is None


@given(st.integers(2, 300), st.floats(0.01, 0.99))
@settings(max_examples=50, deadline=None)
def test_a_division_gives_every_row_to_one_split(n, fraction):
    train, test = (part.tolist() for part in divide(n, fraction))
    assert sorted(train + test) == list(range(n))
    assert min(len(train), len(test)) >= 1
    assert abs(len(test) - fraction * n) <= 1


def test_one_row_cannot_be_divided():
    with pytest.raises(DataError):
        divide(1, 0.2)


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, 1.1])
def test_a_share_that_leaves_a_split_empty_is_refused(fraction):
    with pytest.raises(ValueError, match="test_fraction must be above 0 and below 1"):
        arrays("nowhere.csv", test_fraction=fraction)
