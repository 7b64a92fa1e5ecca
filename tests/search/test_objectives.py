"""Objectives that no run of a search would have are refused before the first is trained."""

import hydra
import numpy as np
import pandas as pd
import pytest
from hydra.core.global_hydra import GlobalHydra

from dcsomrl.configuration import find_config_dir
from dcsomrl.errors import ConfigError
from dcsomrl.search.objectives import check_objectives, list_results
from dcsomrl.search.request import read_request
from dcsomrl.search.stability import STABILITY
from dcsomrl.search.sweeping import read_numbers

CLUSTERS = "model.n_clusters=choice(5,8)"


@pytest.fixture
def check():
    """Checks objectives of a search as the command does."""

    def run(goals, *arguments):
        with hydra.initialize_config_dir(str(find_config_dir()), version_base="1.3"):
            chosen = ["search=default", "hydra.sweep.dir=unused"]
            config = hydra.compose("train", overrides=chosen, return_hydra_config=True)
            loader = GlobalHydra.instance().config_loader()
            asked = read_request(arguments, {}, loader, [0])
            check_objectives(goals, asked, config, loader)

    return run


@pytest.fixture
def data(tmp_path):
    """Makes a file of 200 samples, and gives the overrides that choose it."""

    def make(name, **labels):
        x = np.random.default_rng(0).random((200, 3))
        np.savez(tmp_path / f"{name}.npz", x_train=x, x_test=x[:50], **labels)
        return ("dataset=arrays", f"dataset.path={tmp_path / name}.npz", "dataset.batch_size=32")

    return make


def labels(classes):
    return {"y_train": np.arange(200) % classes, "y_test": np.arange(50) % classes}


@pytest.mark.parametrize(
    ("classes", "override"), [(3, "seed=0"), (1, "seed=0"), (0, "seed=0"), (3, "val")]
)
def test_what_may_be_searched_by_is_what_a_run_returns(run_small, data, classes, override):
    own = data("own", **(labels(classes) if classes else {}))
    small = ("trainer=cpu", "model=som", "trainer.max_epochs=1")
    given = "dataset.val_fraction=0" if override == "val" else override
    returned = {*read_numbers(run_small(*own, given, small=small)), STABILITY}
    known = set(list_results(classes))
    if override == "val":
        known = {name for name in known if not name.startswith("val/")}
    assert returned == known


@pytest.mark.parametrize(
    ("goal", "said"),
    [
        ("val/nmii", "val/nmii is not among .* did you mean val/nmi"),
        ("nmi", "nmi is not among .* did you mean val/nmi"),
        ("val/loss", "val/loss is not among the results of a run; a search may go by epochs, sec"),
        ("val/topographic_error", "topographic_error needs a map, and KMeansModel has none"),
    ],
)
def test_a_result_that_no_run_has_is_refused(check, goal, said):
    with pytest.raises(ConfigError, match=said):
        check([goal], "model=kmeans", CLUSTERS)


def test_a_validation_part_is_needed_for_its_scores(check):
    for none in ("dataset.val_fraction=0", "dataset.val_fraction=0.001"):
        with pytest.raises(ConfigError, match=r"^val/silhouette needs a validation part of 5"):
            check(["val/silhouette", "seconds"], "model=kmeans", CLUSTERS, none)
        check(["stability", "seconds"], "model=kmeans", CLUSTERS, none)


def test_labels_are_needed_for_scores_against_them(check, data):
    some, none = data("some", **labels(3)), data("none")
    test_alone = data("alone", y_test=labels(3)["y_test"])
    check(["val/nmi", "val/silhouette"], "model=kmeans", CLUSTERS, *some)
    for given, classes in ((none, 0), (test_alone, 0), (data("one", **labels(1)), 1)):
        with pytest.raises(ConfigError, match=rf"^val/nmi needs labels .* has {classes}: name"):
            check(["val/nmi", "val/silhouette"], "model=kmeans", CLUSTERS, *given)
        check(["val/silhouette"], "model=kmeans", CLUSTERS, *given)


def test_labels_of_a_stream_are_looked_for_in_its_files(check, tmp_path):
    x = np.random.default_rng(0).random((200, 3))
    frame = pd.DataFrame(x, columns=list("abc")).assign(kind=np.arange(200) % 3, one=1)
    frame.to_parquet(path := tmp_path / "t.parquet", row_group_size=40)
    given = ("model=kmeans", CLUSTERS, "dataset=stream", f"dataset.path={path}",
             "dataset.target=kind")  # fmt: skip
    check(["val/nmi"], *given, "dataset.source.ignore=[one]")
    with pytest.raises(ConfigError, match=r"^val/nmi needs labels .* has 1: name"):
        check(["val/nmi"], *given[:-1], "dataset.target=one", "dataset.source.ignore=[kind]")


def test_every_choice_is_looked_at(check, data):
    some, none = data("some", **labels(3)), data("none")
    paths = [one[1].removeprefix("dataset.path=") for one in (some, none)]
    swept = ("model=kmeans", "dataset=arrays", f"dataset.path=choice({','.join(paths)})")
    with pytest.raises(ConfigError, match="the validation part of none has 0"):
        check(["val/nmi"], *swept)
    check(["val/silhouette"], *swept)
    with pytest.raises(ConfigError, match="KMeansModel has none"):
        check(["val/topographic_error"], *some, "model=choice(som,kmeans)")
