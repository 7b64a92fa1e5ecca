"""What a user takes home: every sample with its cluster, and what each cluster is."""

import numpy as np
import pandas as pd
import pytest
import torch

from dcsomrl.analysis.connectivity import find_fence
from dcsomrl.commands.predict import predict
from dcsomrl.configuration import compose_config
from dcsomrl.evaluate import evaluate
from dcsomrl.loading import load

GROUPS = {"north": (0, 50, 3), "south": (9, 20, 3), "west": (4, 80, 7)}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Three groups in three columns of different units, with names and a note."""
    rng = np.random.default_rng(0)
    parts = [
        pd.DataFrame(rng.normal(middle, [0.3, 4, 0.2], (60, 3)), columns=["a", "b", "c"]).assign(
            note=name
        )
        for name, middle in GROUPS.items()
    ]
    rows = pd.concat(parts).sample(frac=1, random_state=0)
    rows.insert(0, "customer_id", [f"c{i:03}" for i in range(len(rows))])
    path = tmp_path_factory.mktemp("data") / "customers.csv"
    rows.to_csv(path, index=False)
    return path


@pytest.fixture
def run_dir(run_small, table, tmp_path):
    run_small(
        *("dataset=arrays", f"dataset.path={table}", "dataset.source.keep=[note]"),
        *("dataset.batch_size=32", "n_clusters=3", "trainer.max_epochs=5"),
        small=(
            "trainer=cpu",
            "model.autoencoder.hidden_dims=[32]",
            "model.autoencoder.latent_dim=4",
        ),
    )
    return tmp_path / "run"


@pytest.mark.slow
def test_every_row_comes_back_with_its_name_and_cluster(run_dir, table, tmp_path):
    rows = pd.read_csv(table)
    assigned = pd.read_csv(run_dir / "assignments.csv")
    kept = pd.read_parquet(run_dir / "assignments.parquet")
    pd.testing.assert_frame_equal(assigned, kept, check_dtype=False, rtol=1e-5)
    assert sorted(assigned["row"]) == list(range(len(rows)))
    assert set(assigned["split"]) == {"train", "val", "test"}
    by_row = assigned.set_index("row").sort_index()
    assert (by_row["id"] == rows["customer_id"]).all()
    assert (by_row["note"] == rows["note"]).all()
    # The groups are far apart, and are found.
    assert pd.crosstab(assigned["note"], assigned["cluster"]).gt(0).sum().sum() == 3
    # Other commands number clusters and nodes in the same way.
    ckpt = f"ckpt={run_dir / 'checkpoints' / 'last.ckpt'}"
    output = tmp_path / "new.csv"
    given = [ckpt, f"input={table}", f"output={output}", "soft=true"]
    predicted = predict(compose_config("predict", given, tmp_path))
    for name in ("id", "note", "node", "cluster", "second", "outlier"):
        assert predicted[name].tolist() == by_row[name].tolist(), name
    np.testing.assert_allclose(predicted["distance"], by_row["distance"], rtol=1e-4)
    shares = predicted.filter(like="membership_")
    assert (shares.to_numpy().argmax(1) == predicted["cluster"]).mean() > 0.95
    evaluate(compose_config("evaluate", [ckpt, "split=val"], tmp_path))
    again = pd.read_csv(run_dir / "evaluate-customers-val" / "assignments.csv")
    of_run = assigned[assigned["split"] == "val"]
    assert again["cluster"].tolist() == of_run["cluster"].tolist()
    assert again["id"].tolist() == of_run["id"].tolist()


@pytest.mark.slow
def test_clusters_say_what_they_are(run_dir, table):
    rows = pd.read_csv(table)
    assigned = pd.read_csv(run_dir / "assignments.csv").set_index("row").sort_index()
    clusters = pd.read_csv(run_dir / "clusters.csv")
    assert clusters["cluster"].tolist() == list(range(3))
    for _, cluster in clusters.iterrows():
        inside = assigned["cluster"] == cluster["cluster"]
        members = assigned[inside]
        assert cluster["samples"] == inside.sum()
        assert cluster["share"] == pytest.approx(inside.mean(), rel=1e-3)
        assert cluster["nodes"] == members["node"].nunique()
        assert cluster["outliers"] == members["outlier"].sum()
        nearest = members.loc[members["distance"].idxmin()]
        assert cluster["typical"] == nearest["id"]
        features = rows[["a", "b", "c"]]
        apart = (features[inside].mean() - features[~inside].mean()) / features.std(ddof=0)
        named = apart[apart.abs().sort_values(ascending=False).index][:3]
        expected = [f"{name} {value:+.1f}" for name, value in named.items() if abs(value) >= 0.5]
        assert cluster["apart"] == ", ".join(expected)


def test_an_outlier_lies_beyond_the_fence_of_the_training_part(run_dir):
    trained = load(run_dir / "checkpoints" / "last.ckpt")
    trained.data.setup("fit")
    x = torch.cat([batch.x for batch in trained.data.split_dataloader("train")])
    with torch.no_grad():
        distance = trained.model.cluster(x).distance.sqrt().numpy()
    first, third = np.percentile(distance, [25, 75])
    fence = third + 3 * (third - first)
    assert trained.model.connectivity.fence == pytest.approx(fence, rel=1e-5)
    assigned = pd.read_csv(run_dir / "assignments.csv")
    assert (assigned["outlier"] == (assigned["distance"] > fence)).all()
    assert find_fence(np.empty(0)) == np.inf


def test_a_column_that_results_have_too_is_refused(run_small, table, tmp_path):
    rows = pd.read_csv(table).rename(columns={"note": "cluster"})
    rows.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(Exception, match="results have a column cluster of their own"):
        run_small(
            "dataset=arrays", f"dataset.path={tmp_path / 't.csv'}", "dataset.source.keep=[cluster]"
        )
