"""What a report says of the clusters of the training that a run began with."""

import numpy as np
import pandas as pd
import pytest

from dcsomrl.configuration import compose_config
from dcsomrl.report import report
from dcsomrl.reporting.context import Context
from dcsomrl.reporting.run_data import read_run
from dcsomrl.reporting.sections.drift import draw_moved_clusters

pytestmark = pytest.mark.slow
MIDDLES = np.array([[0.1, 0.1, 0.9], [0.9, 0.1, 0.1], [0.1, 0.9, 0.1], [0.9, 0.9, 0.9]])
SMALL = ("trainer=cpu", "model=somrl", "dataset=arrays", "dataset.batch_size=32",
         "dataset.source.target=group", "num_threads=1")  # fmt: skip


def write_groups(path, groups, rng):
    """A table of samples about some of the middles, and 0 and 1 of every feature."""
    group = np.repeat(groups, 200)
    x = MIDDLES[group] + 0.02 * rng.normal(size=(len(group), 3))
    x = np.concatenate([x, np.repeat([MIDDLES.min(0), MIDDLES.max(0)], 1, 0)])
    table = pd.DataFrame(x, columns=list("abc")).assign(group=[*group, groups[0], groups[0]])
    table.to_csv(path, index=False)


def test_clusters_that_go_on_are_gone_or_are_new_are_counted(run_small, tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    write_groups(tmp_path / "old.csv", [0, 1, 2], rng)
    write_groups(tmp_path / "new.csv", [1, 2, 3], rng)
    given = [*SMALL, "trainer.max_epochs=8"]
    run_small(f"dataset.path={tmp_path / 'old.csv'}", run_dir=tmp_path / "old", small=given)
    new = [f"dataset.path={tmp_path / 'new.csv'}", "init=old/checkpoints/last.ckpt"]
    with monkeypatch.context() as elsewhere:  # where the report is not made
        elsewhere.chdir(tmp_path)
        run_small(*new, run_dir=tmp_path / "new", small=given)
    run = read_run(tmp_path / "new")
    group = np.array(run.class_names, dtype=int)[run.labels]
    counts = pd.crosstab(group, run.former.cluster)
    assert (counts.max(axis=1) / counts.sum(axis=1)).loc[[1, 2]].min() > 0.95
    assert counts.loc[1].idxmax() != counts.loc[2].idxmax()
    assert (counts.columns == -1).any()
    assert counts.loc[3].idxmax() == -1
    section = draw_moved_clusters(Context(run))
    assert section.measures["clusters before"] == section.measures["clusters after"] == 3
    assert section.measures["clusters that go on"] == 2
    assert "1 are gone" in section.caption
    page = report(compose_config("report", [f"run={tmp_path / 'new'}", "embedding=pca"], tmp_path))
    assert "Clusters before and after" in page.read_text()
    assert read_run(tmp_path / "old").former is None
    (tmp_path / "old" / "checkpoints" / "last.ckpt").unlink()
    assert read_run(tmp_path / "new").former is None
