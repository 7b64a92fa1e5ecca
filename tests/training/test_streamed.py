"""Runs on a stream: their results, and that one that was stopped goes on bit for bit."""

import signal
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from pytorch_lightning import Trainer
from pytorch_lightning.callbacks import Callback, ModelCheckpoint
from sklearn.metrics import normalized_mutual_info_score

from dcsomrl.checkpoints import read_checkpoint
from dcsomrl.configuration import choose_model
from dcsomrl.data import ClusterData
from dcsomrl.data.stream_files import stream
from dcsomrl.errors import ConfigError
from dcsomrl.evaluate import evaluate
from dcsomrl.maps import SOMRL
from dcsomrl.models import RelevanceMapModel
from dcsomrl.predict import predict
from dcsomrl.report import report
from dcsomrl.training import streamed
from dcsomrl.training.assignments import describe_clusters
from dcsomrl.training.streamed import ClusterSums
from tests.test_evaluate_predict import call
from tests.test_resume import assert_same_run, same, start

N, WIDTH, GROUPS = 4000, 4, 5


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Five groups, sorted by group, in two files."""
    rng = np.random.default_rng(0)
    middles = rng.uniform(0, 1, (GROUPS, WIDTH))
    x = (np.repeat(middles, N // GROUPS, 0) + 0.02 * rng.normal(size=(N, WIDTH))).astype("float32")
    folder = tmp_path_factory.mktemp("data") / "sorted"
    folder.mkdir()
    for name, part in (("a", x[:1500]), ("b", x[1500:])):
        columns = {f"f{i}": part[:, i] for i in range(WIDTH)}
        pq.write_table(pa.table(columns), folder / f"{name}.parquet", row_group_size=100)
    return folder


def overrides(table):
    return ("dataset=stream", "model=somrl", f"dataset.path={table}", "dataset.batch_size=100",
            "dataset.source.window=8000", "trainer=cpu", "trainer.max_epochs=2")  # fmt: skip


@pytest.fixture
def run_dir(run_small, table, tmp_path):
    run_small(small=overrides(table))
    return tmp_path / "run"


def test_every_row_of_every_file_comes_back_in_its_group(run_dir, table, monkeypatch, caplog):
    assigned = pd.read_parquet(run_dir / "assignments.parquet")
    assert not (run_dir / "assignments.csv").exists()
    place = assigned["row"] + assigned["file"].map({"a.parquet": 0, "b.parquet": 1500})
    assert sorted(place) == list(range(N))
    assert assigned["split"].value_counts().to_dict() == {"train": 2880, "test": 800, "val": 320}
    groups = pd.crosstab(place // (N // GROUPS), assigned["cluster"])
    assert (groups.max(1) / groups.sum(1)).min() > 0.95  # though the files are sorted
    ours = pd.read_csv(run_dir / "clusters.csv")
    data = ClusterData(partial(stream, str(table), window=8000), normalization="minmax", seed=0)
    data.setup("fit")
    whole = describe_clusters(assigned, data)
    whole["share"] = whole["share"].map(lambda share: float(f"{share:.4g}"))
    pd.testing.assert_frame_equal(
        ours.fillna(""), whole.reset_index(drop=True).fillna(""), check_dtype=False
    )


def test_a_run_is_scored_anew_and_reported(run_dir, tmp_path):
    before = pd.read_parquet(run_dir / "assignments.parquet")
    ckpt = run_dir / "checkpoints" / "last.ckpt"
    out = tmp_path / "again"
    metrics = call(evaluate, "evaluate", tmp_path, f"ckpt={ckpt}", "split=val", f"output={out}")
    again = pd.read_parquet(out / "assignments.parquet")
    kept = before[before["split"] == "val"].drop(columns="split").reset_index(drop=True)
    pd.testing.assert_frame_equal(again, kept)
    assert metrics["nodes"] == read_checkpoint(ckpt)["state_dict"]["som.live"].sum()
    page = call(report, "report", tmp_path, f"run={run_dir}")
    assert page.stat().st_size > 10_000


def test_names_and_labels_of_a_stream_come_back_and_predict_reads_the_same(
    run_small, tmp_path, monkeypatch
):
    monkeypatch.setattr(streamed, "PART", 500)
    draw = np.random.default_rng(0)
    group = np.repeat(np.arange(GROUPS), 400)
    x = draw.uniform(0, 1, (GROUPS, WIDTH))[group] + 0.02 * draw.normal(size=(2000, WIDTH))
    table = pd.DataFrame(x, columns=list("abcd"))
    table["kind"], table["visit_id"] = group + 7, [f"v{i}" for i in range(2000)]
    # The first part that is written has all values, further ones have not.
    table["city"] = np.where(np.arange(2000) % 2, "de", None).astype(object)
    table["since"] = np.where(np.arange(2000) % 3, np.arange(2000), np.nan)
    table["room"] = np.array(["one", "two"])[group % 2]
    table.loc[::50, "b"] = np.nan
    table.to_parquet(path := tmp_path / "t.parquet", row_group_size=150)
    metrics = run_small(
        "dataset.target=kind", "dataset.source.keep=[city,since]", "dataset.source.missing=median",
        "dataset.source.categories=onehot", small=overrides(path),
    )  # fmt: skip
    assigned = pd.read_parquet(tmp_path / "run" / "assignments.parquet")
    assert assigned["id"].tolist() == [f"v{row}" for row in assigned["row"]]
    for name in ("city", "since"):
        kept = assigned[name].astype(object).where(assigned[name].notna(), None)
        own = table[name].astype(object).where(table[name].notna(), None)
        assert kept.tolist() == own[assigned["row"]].tolist()
    assert list(assigned)[:6] == ["index", "split", "row", "id", "city", "since"]
    test = assigned[assigned["split"] == "test"]
    labels = table["kind"].to_numpy()[test["row"]]
    assert metrics["classes"] == GROUPS
    for name, by in (("nmi", "node"), ("cluster_nmi", "cluster")):
        expected = normalized_mutual_info_score(labels, test[by])
        assert metrics[name] == pytest.approx(expected, abs=1e-5)
    val = assigned[assigned["split"] == "val"]
    expected = normalized_mutual_info_score(table["kind"].to_numpy()[val["row"]], val["node"])
    assert metrics["val/nmi"] == pytest.approx(expected, abs=1e-5)
    ckpt = tmp_path / "run" / "checkpoints" / "last.ckpt"
    out = tmp_path / "again.parquet"
    # The same table, read into memory.
    again = call(predict, "predict", tmp_path, f"ckpt={ckpt}", f"input={path}", f"output={out}")
    both = assigned.merge(again, left_on="row", right_on="sample", suffixes=("", "_again"))
    assert len(both) == 2000
    for name in ("id", "node", "cluster", "outlier"):
        assert (both[name] == both[f"{name}_again"]).all()
    np.testing.assert_allclose(both["activation"], both["activation_again"], atol=1e-5)


@pytest.mark.parametrize("scale", [1.0, 1e200])
@pytest.mark.parametrize("offset", [0, 1e6])
def test_sums_of_clusters_are_what_the_whole_table_says(scale, offset):
    rng = np.random.default_rng(0)
    n, names = 600, ["a", "b", "c"]
    cluster = rng.integers(-1, 4, n)
    x = (rng.normal(size=(n, 3)) + cluster[:, None] * [1, 0, -2] + offset) * scale
    table = pd.DataFrame({"index": np.arange(n), "split": "train", "row": np.arange(n),
                          "node": np.where(cluster < 0, -1, 2 * cluster + rng.integers(0, 2, n)),
                          "cluster": cluster, "distance": rng.random(n),
                          "outlier": rng.random(n) > 0.9})  # fmt: skip
    sums = ClusterSums(4, 9, 3, names)
    for part in np.array_split(np.arange(n), 7):
        sums.update(table.iloc[part], torch.from_numpy(x[part]))

    class Whole:
        shape, feature_names = (3,), names

        def raw(self, split, index):
            return torch.from_numpy(x)[index]

    pd.testing.assert_frame_equal(
        sums.describe(), describe_clusters(table, Whole()), check_dtype=False
    )


def make_model():
    return RelevanceMapModel((WIDTH,), partial(SOMRL, max_nodes=20, activation_threshold=0.98))


def train(table, folder, epochs=2, callbacks=(), ckpt_path=None):
    torch.manual_seed(0)
    data = ClusterData(
        partial(stream, str(table), window=8000), "t", batch_size=37, normalization="minmax", seed=1
    )
    trainer = Trainer(
        default_root_dir=folder, accelerator="cpu", max_epochs=epochs, logger=False,
        enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0,
        callbacks=list(callbacks),
    )  # fmt: skip
    model = make_model()
    trainer.fit(model, datamodule=data, ckpt_path=ckpt_path)
    return model.state_dict()


class Losses(Callback):
    """Every batch that was seen, by its rows."""

    def __init__(self):
        self.seen = []

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        self.seen.append((trainer.current_epoch, batch.index.tolist()))


@pytest.mark.parametrize("every", [17, 78])
def test_a_checkpoint_in_the_middle_of_an_epoch_goes_on_bit_for_bit(table, tmp_path, every):
    saver = ModelCheckpoint(tmp_path, "{step}", every_n_train_steps=every, save_top_k=-1)
    whole = Losses()
    state = train(table, tmp_path, callbacks=[saver, whole])
    paths = sorted(tmp_path.glob("*.ckpt"))
    assert paths
    for path in paths[:3] + paths[-1:]:
        after = Losses()
        again = train(table, tmp_path / "again", callbacks=[after], ckpt_path=path)
        steps = int(path.stem.removeprefix("step="))
        assert after.seen == whole.seen[steps:]
        assert same(dict(state), dict(again))


@pytest.mark.slow
def test_a_killed_run_equals_one_that_never_stopped(table, tmp_path):
    ours = [*overrides(table), "trainer.max_epochs=4", "num_threads=1"]

    def begin(folder, dies_at=0):
        return start(folder, *ours, dies_at=dies_at, run=())

    assert begin(tmp_path / "whole").wait(200) == 0
    process = begin(tmp_path / "part", dies_at=3)
    process.communicate(timeout=200)
    assert process.returncode == -signal.SIGKILL
    assert begin(tmp_path / "part").wait(200) == 0
    assert_same_run(tmp_path / "part", tmp_path / "whole")


def test_models_that_ask_for_all_codes_are_given_some_and_dec_is_refused(
    run_small, table, monkeypatch
):
    monkeypatch.setattr("dcsomrl.data.splits.SOME", 500)
    ours = [one for one in overrides(table) if not one.startswith("model=")]
    metrics = run_small(small=(*ours, "model=kmeans", "model.n_clusters=5"))
    assert "of a stream it is given 500" in " ".join(metrics["warnings"])
    with pytest.raises(ConfigError, match="DEC keeps a target for every training sample"):
        run_small(
            small=(*ours, "model=dec", "model.autoencoder.hidden_dims=[8]", "trainer.max_epochs=3",
                   "model.pretrain_epochs=1")
        )  # fmt: skip


def test_a_deep_model_trains_on_a_stream(run_small, table):
    ours = [one for one in overrides(table) if not one.startswith("model=")]
    metrics = run_small(small=(*ours, "model=dcsomrl", "model.autoencoder.hidden_dims=[16]",
                               "model.autoencoder.latent_dim=3"))  # fmt: skip
    assert metrics["nodes"] >= 1


def test_no_part_is_larger_than_it_may_be(run_small, table, tmp_path, monkeypatch):
    monkeypatch.setattr(streamed, "PART", 2048)
    run_small(small=overrides(table))
    metadata = pq.read_metadata(tmp_path / "run" / "assignments.parquet")
    sizes = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
    assert sizes == [800, 2048, 832, 320]


def test_the_map_alone_is_the_model_of_a_stream():
    assert choose_model(["dataset=stream"]) == ["dataset=stream", "model=somrl"]
    assert choose_model(["dataset=stream", "model=som"]) == ["dataset=stream", "model=som"]
