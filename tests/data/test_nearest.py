"""The graph of neighbours: exact, kept, drawn from, and refused where it cannot be."""

import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from dcsomrl.data import Arrays, ClusterData, Neighbors
from dcsomrl.data import nearest as blocks
from dcsomrl.data.nearest import find_nearest
from dcsomrl.data.neighbors import draw_neighbors
from dcsomrl.data.sources import digits
from dcsomrl.errors import DataError

CPU = torch.device("cpu")


def random(n: int, m: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, m, generator=torch.Generator().manual_seed(seed))


@settings(deadline=None, max_examples=30)
@given(
    n=st.integers(2, 60),
    m=st.integers(1, 5),
    metric=st.sampled_from(["euclidean", "cosine"]),
    seed=st.integers(0, 10**6),
    data=st.data(),
)
def test_neighbors_are_scikit_learns(n, m, metric, seed, data):
    k = data.draw(st.integers(1, n - 1))
    x = random(n, m, seed)
    finder = NearestNeighbors(n_neighbors=k, metric=metric, algorithm="brute").fit(x.double())
    distance, _ = finder.kneighbors()
    rows = find_nearest(x, k, metric)
    assert not (rows == torch.arange(n)[:, None]).any()
    assert all(len(set(row)) == k for row in rows.tolist())
    near = x.double()[rows]
    if metric == "euclidean":
        found = (near - x.double()[:, None]).norm(dim=2)
    else:
        found = 1 - torch.cosine_similarity(near, x.double()[:, None], dim=2)
    np.testing.assert_allclose(found, distance, atol=2e-3)


def order_exactly(x: torch.Tensor, k: int) -> torch.Tensor:
    """Neighbours of samples of whole numbers, whose distances are exact: nearest, then by row."""
    away = (x.long()[:, None] - x.long()).square().sum(2) * len(x) + torch.arange(len(x))
    return away.fill_diagonal_(2**60).argsort(1)[:, :k]


@settings(deadline=None, max_examples=60)
@given(
    n=st.integers(2, 150),
    m=st.integers(1, 4),
    levels=st.integers(1, 5),
    scale=st.sampled_from([1.0, 0.1, 1e-3, 1e6]),
    shift=st.sampled_from([0.0, 7.3]),
    seed=st.integers(0, 10**6),
    data=st.data(),
)
def test_of_equal_distances_the_lowest_rows_are_taken(n, m, levels, scale, shift, seed, data):
    k = data.draw(st.integers(1, min(n - 1, 8)))
    whole = torch.randint(levels, (n, m), generator=torch.Generator().manual_seed(seed))
    found = find_nearest(whole.double() * scale + shift * scale, k)
    assert torch.equal(found, order_exactly(whole, k))
    assert torch.equal(find_nearest(whole.float(), k), order_exactly(whole, k))


def test_a_far_sample_hides_no_neighbour():
    x = torch.cat([random(300, 6), torch.full((1, 6), 1e7)])
    finder = NearestNeighbors(n_neighbors=4, algorithm="brute").fit(x[:300].double())
    assert torch.equal(find_nearest(x, 4)[:300], torch.from_numpy(finder.kneighbors()[1]))


def test_threads_do_not_change_the_neighbours_of_digits():
    whole = (digits().train_x * 16).round().flatten(1)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = find_nearest(whole / 16, 5)
        torch.set_num_threads(2)
        assert torch.equal(find_nearest(whole / 16, 5), one)
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(one, order_exactly(whole, 5))


def test_blocks_do_not_matter(monkeypatch):
    x = random(500, 7)
    whole = find_nearest(x, 9)
    monkeypatch.setattr(blocks, "ROWS", 64)
    monkeypatch.setattr(blocks, "COLUMNS", 5)
    assert torch.equal(find_nearest(x, 9), whole)


def test_far_from_the_origin_neighbours_are_the_same():
    x = random(300, 5)
    shifted = find_nearest(x.double() + 1e6, 4)
    assert (shifted == find_nearest(x, 4)).double().mean() > 0.99


def test_a_duplicate_is_a_neighbour_and_a_sample_is_none_of_itself():
    x = torch.zeros(6, 3)
    rows = find_nearest(x, 5)
    assert all(
        sorted(row) == [j for j in range(6) if j != i] for i, row in enumerate(rows.tolist())
    )


@pytest.mark.parametrize("k", [0, 5, 9])
def test_more_neighbours_than_samples_are_refused(k):
    with pytest.raises(ValueError, match="each of 5 samples has 1 to 4 neighbours"):
        find_nearest(random(5, 2), k)


def test_a_draw_depends_on_row_seed_and_epoch_alone_and_takes_all_alike():
    graph = find_nearest(random(400, 3), 4)
    rows = torch.arange(400)
    whole = draw_neighbors(graph, rows, 3, 7)
    assert torch.equal(draw_neighbors(graph, rows[50:60], 3, 7), whole[50:60])
    assert (whole[:, None] == graph).any(1).all()
    assert (draw_neighbors(graph, rows, 3, 8) != whole).float().mean() > 0.5
    taken = torch.stack([draw_neighbors(graph, rows, 0, epoch) for epoch in range(100)], 1)
    share = (taken[:, :, None] == graph[:, None]).float().mean((0, 1))
    np.testing.assert_allclose(share, 0.25, atol=0.01)


def test_a_graph_is_kept_and_found_again(tmp_path, monkeypatch):
    x = random(200, 4)
    finder = Neighbors(3, cache_dir=str(tmp_path / "new" / "cache"))
    graph = finder.graph(x, CPU)
    (file,) = (tmp_path / "new" / "cache").glob("*.npz")
    monkeypatch.setattr(finder, "_find", lambda *_: pytest.fail("found again"))
    assert torch.equal(finder.graph(x, CPU), graph)
    monkeypatch.undo()
    for other in (Neighbors(4, cache_dir=str(file.parent)).graph(x, CPU), x):
        assert len(other) == 200
    assert len(list(file.parent.glob("*.npz"))) == 2
    finder.graph(x + 1, CPU)
    Neighbors(3, "cosine", cache_dir=str(file.parent)).graph(x, CPU)
    assert len(list(file.parent.glob("*.npz"))) == 4


@pytest.mark.parametrize("content", [b"", b"rubbish", "short", "far", "code", "another", "bit"])
def test_a_damaged_graph_is_found_anew(tmp_path, content, caplog):
    x = random(50, 3)
    finder = Neighbors(2, cache_dir=str(tmp_path))
    graph = finder.graph(x, CPU)
    (file,) = tmp_path.glob("*.npz")
    wrong = {"short": np.zeros((3, 2)), "far": np.full((50, 2), 50), "code": np.array([print])}
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content == "another":
        np.savez(file, rows=graph.numpy())
    elif content == "bit":  # still a row that there is
        kept = bytearray(file.read_bytes())
        kept[kept.rindex(graph.numpy().astype(np.int32).tobytes())] ^= 1
        file.write_bytes(kept)
    else:
        np.savez(file, graph=wrong[content])
    assert torch.equal(finder.graph(x, CPU), graph)
    assert "found again" in caplog.text
    assert np.load(file)["graph"].shape == (50, 2)


def test_without_a_place_to_keep_it_a_graph_is_found_in_every_run(tmp_path, caplog):
    (tmp_path / "file").write_text("no folder")
    x = random(40, 3)
    found = Neighbors(2, cache_dir=str(tmp_path / "file")).graph(x, CPU)
    assert torch.equal(found, find_nearest(x, 2))
    assert "cannot be kept" in caplog.text


def test_no_neighbours_are_the_samples_themselves():
    assert Neighbors(0).graph(random(4, 2), CPU).tolist() == [[0], [1], [2], [3]]


def test_few_samples_have_few_neighbours_and_one_has_itself():
    assert Neighbors(5).graph(random(3, 2), CPU).shape == (3, 2)
    assert Neighbors(5).graph(random(1, 2), CPU).tolist() == [[0]]


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"k": -1}, "k must be at least 0"), ({"metric": "l1"}, "metric must be euclidean or cosine")],
)
def test_settings_out_of_range_are_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        Neighbors(**settings)


def data(**settings) -> ClusterData:
    made = ClusterData(digits, "digits", batch_size=64, **settings)
    made.setup("fit")
    return made


def test_a_batch_has_neighbours_of_the_training_part_beside_its_samples():
    made = data(neighbors=Neighbors(3))
    graph = made.graph("train")
    x = made.normalize(made.arrays.train_x[made.rows("train")])
    assert torch.equal(graph, find_nearest(x.flatten(1), 3))
    for batch in made.train_dataloader():
        assert torch.equal(batch.x, x[batch.index])
        assert torch.equal(batch.neighbor, x[batch.neighbor_index])
        assert (graph[batch.index] == batch.neighbor_index[:, None]).any(1).all()
        assert batch.y is None
    val = made.normalize(made.arrays.train_x[made.rows("val")])
    (batch,) = made.val_dataloader()
    assert torch.equal(batch.neighbor, val[batch.neighbor_index])
    (again,) = made.val_dataloader()
    assert torch.equal(again.neighbor_index, batch.neighbor_index)
    assert all(batch.neighbor is None for batch in made.split_dataloader("test"))


def test_images_on_the_disk_have_the_same_neighbours_as_in_memory():
    arrays = digits()

    class OnDisk:
        def __init__(self, x):
            self.x, self.shape = x, x.shape

        def __len__(self):
            return len(self.x)

        def __getitem__(self, index):
            return self.x[index]

    made = ClusterData(
        lambda: Arrays(OnDisk(arrays.train_x), arrays.train_y, arrays.test_x, arrays.test_y),
        "disk",
        batch_size=64,
        neighbors=Neighbors(3),
    )
    made.setup("fit")
    memory = data(neighbors=Neighbors(3))
    # In half precision two neighbours as near as each other may change places.
    same = (made.graph("train") == memory.graph("train")).float().mean()
    assert same > 0.97
    batch = next(iter(made.train_dataloader()))
    x = made.normalize(arrays.train_x[made.rows("train")])
    torch.testing.assert_close(batch.neighbor, x[batch.neighbor_index])


def test_neighbours_by_given_features(tmp_path):
    arrays = digits()
    features = random(len(arrays.train_x), 4).numpy()
    np.save(tmp_path / "f.npy", features)
    made = data(neighbors=Neighbors(3, features=str(tmp_path / "f.npy")))
    rows = made.rows("train")
    assert torch.equal(made.graph("train"), find_nearest(torch.from_numpy(features)[rows], 3))


@pytest.mark.parametrize(
    ("features", "said"),
    [
        (np.zeros((7, 4)), r"shape \(7, 4\), but the training split has 1438 samples"),
        (np.zeros(1438), r"shape \(1438,\)"),
        (np.array([["a"] * 2] * 1438), "<U1 numbers"),
        (np.full((1438, 2), np.nan), "NaN or infinite"),
        (np.full((1438, 2), None), "cannot be read"),
        (None, "cannot be read"),
    ],
)
def test_features_of_other_samples_are_refused(tmp_path, features, said):
    if features is not None:
        np.save(tmp_path / "f.npy", features, allow_pickle=True)
    made = data(neighbors=Neighbors(3, features=str(tmp_path / "f.npy")))
    with pytest.raises(DataError, match=said):
        made.train_dataloader()


def test_many_samples_need_an_approximation(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynndescent", None)
    with pytest.raises(DataError, match=r'pip install "dcsomrl\[neighbors\]"'):
        Neighbors(3, exact_limit=50).graph(random(60, 3), CPU)


@pytest.mark.slow
def test_an_approximation_finds_most(monkeypatch):
    pytest.importorskip("pynndescent")
    x, threads = random(2000, 8), torch.get_num_threads()
    found, exact = Neighbors(5, exact_limit=100).graph(x, CPU), find_nearest(x, 5)
    assert torch.get_num_threads() == threads
    hits = (found[:, :, None] == exact[:, None]).any(1).float().mean()
    assert hits > 0.9
    assert not (found == torch.arange(2000)[:, None]).any()
