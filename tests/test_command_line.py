"""The command line as Hydra's users meet it: what it takes, and what it refuses in a sentence."""

import errno
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import hydra
import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from hydra.errors import InstantiationException
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from dcsomrl import evaluate
from dcsomrl.checkpoints import read_checkpoint
from dcsomrl.commands.train import count_devices
from dcsomrl.configuration import LONGEST, choose_model, find_config_dir, name_folder
from dcsomrl.errors import CheckpointError, ConfigError
from dcsomrl.loading import load
from dcsomrl.mistakes import explain
from dcsomrl.settling import settle_clusters, settle_size
from dcsomrl.train import main
from dcsomrl.typed import check_numbers
from dcsomrl.writing import make_room
from tests.conftest import SMALL
from tests.warm import PYTHON


def said_of(overrides, tmp_path, monkeypatch, capsys, command=main):
    """What the command says of a mistake, after ``error:``."""
    monkeypatch.setattr("sys.argv", ["train", *overrides])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        command()
    return capsys.readouterr().err.rpartition("error: ")[2].strip()


@pytest.mark.parametrize(
    "override",
    [
        "dataset.path=my data (1).csv",
        "dataset.path=a=b.csv",
        "dataset.path=d'x.csv",
        "dataset.path=~/x.csv",
        'dataset.path=say "x".csv',
        "dataset.target=petal length (cm)",
        "dataset.source.keep=[petal length (cm),x]",
    ],
)
def test_a_value_that_needs_quotes_is_met_with_what_to_type(
    tmp_path, monkeypatch, capsys, override
):
    said = said_of(["dataset=arrays", override], tmp_path, monkeypatch, capsys)
    assert said.startswith(f"{override} cannot be read")
    typed = shlex.split(said.rpartition(" type ")[2])
    assert len(typed) == 1
    # What is to be typed gets as far as the file, or the lack of one.
    said = said_of(["dataset=arrays", *typed], tmp_path, monkeypatch, capsys)
    value = override.partition("=")[2]
    value = str(Path(value).expanduser()) if value.startswith("~") else value
    assert f"there is no file {value}" in said or "dataset.path is missing" in said


def test_columns_may_be_called_by_numbers(run_small, tmp_path):
    rows = np.random.default_rng(0).random((40, 3))
    pd.DataFrame(rows, columns=[1, 2, 3]).assign(**{"5": np.arange(40) % 2}).to_csv(
        tmp_path / "t.csv", index=False
    )
    few = ("dataset=arrays", f"dataset.path={tmp_path / 't.csv'}", "dataset.source.header=true")
    metrics = run_small(
        *few, "dataset.target=5", "dataset.source.ignore=[1]", "dataset.source.keep=2"
    )
    assert metrics["classes"] == 2
    table = pd.read_csv(tmp_path / "run" / "assignments.csv")
    assert "2" in table.columns


@pytest.mark.slow
def test_a_map_that_is_taken_over_keeps_its_size_on_few_samples(run_small, tmp_path):
    run_small("model.som.max_nodes=30")
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((14, 1, 8, 8)))
    few = ("model=dcsomrl", "dataset=arrays", f"dataset.path={tmp_path / 'x.npy'}")
    last = tmp_path / "run" / "checkpoints" / "last.ckpt"
    begun = run_small(*few, "model.som.max_nodes=30", f"init={last}", run_dir=tmp_path / "new")
    assert begun["epochs"] == 2


@pytest.mark.slow
def test_a_map_that_was_lowered_to_few_samples_is_begun_from(run_small, tmp_path):
    rows = np.random.default_rng(0).random((90, 3))
    for name, some in (("few", rows[:30]), ("more", rows)):
        pd.DataFrame(some, columns=list("abc")).to_csv(tmp_path / f"{name}.csv", index=False)
    small = ("trainer=cpu", "trainer.max_epochs=1", "dataset=arrays", "model.som.max_nodes=64")
    few, more = (f"dataset.path={tmp_path / name}.csv" for name in ("few", "more"))
    metrics = run_small(few, small=small)
    assert any("max_nodes from 64 to 24" in one for one in metrics["warnings"])
    last = tmp_path / "run" / "checkpoints" / "last.ckpt"
    begun = run_small(more, f"init={last}", run_dir=tmp_path / "new", small=small)
    assert (
        "the map that is begun from is smaller: model.som.max_nodes from 64 to 24"
        in begun["warnings"]
    )
    assert (
        load(tmp_path / "new" / "checkpoints" / "last.ckpt").config["model"]["som"]["max_nodes"]
        == 24
    )
    with pytest.raises(ConfigError, match=r"other parts or sizes.*model\.som\.max_nodes=24"):
        run_small(
            more, f"init={last}", "model.som.max_nodes=20", run_dir=tmp_path / "z", small=small
        )


@pytest.mark.parametrize(
    ("model", "before", "expected"),
    [
        ({"n_clusters": 64}, {"n_clusters": 7}, {"n_clusters": 7}),
        ({"n_clusters": 5}, {"n_clusters": 7}, {"n_clusters": 5}),
        ({"rows": 8, "columns": 8}, {"rows": 2, "columns": 3}, {"rows": 2, "columns": 3}),
        ({"som": {"max_nodes": 64}}, {"som": {"max_nodes": 7}}, {"som": {"max_nodes": 7}}),
        ({"som": {"max_nodes": 64}}, {"rows": 3}, {"som": {"max_nodes": 64}}),
    ],
)
def test_a_model_takes_the_lowered_size_of_what_it_begins_from(model, before, expected):
    config = OmegaConf.create(model)
    said = settle_size(config, before)
    assert config == expected
    assert (said is None) == (model == expected)


def test_fewer_epochs_than_a_training_has_behind_it_are_said(run_small):
    run_small()
    metrics = run_small("trainer.max_epochs=1", "ckpt_path=last")
    assert metrics["epochs"] == 2
    assert any("has 2 epochs behind it already" in one for one in metrics["warnings"])


def test_several_values_without_m_are_met_with_all_that_may_be_meant(tmp_path, monkeypatch, capsys):
    said = said_of(["dataset.source.keep=a,b"], tmp_path, monkeypatch, capsys)
    for part in ("'dataset.source.keep=[a,b]'", 'dataset.source.keep="a,b"', "-m"):
        assert part in said


def test_what_has_to_be_given_is_named(tmp_path, monkeypatch, capsys):
    assert "ckpt is missing" in said_of([], tmp_path, monkeypatch, capsys, evaluate.main)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["+trainer.overfit_batches=2"], "trainer.limit_train_batches"),
        (["+trainer.enable_checkpointing=false"], "trainer.enable_checkpointing has no use"),
        (
            ["+trainer.fast_dev_run=true"],
            r"fast_dev_run has no use.*\+trainer.limit_train_batches=1",
        ),
        (["+trainer.barebones=true"], "trainer.barebones has no use"),
        (["trainer.accelerator=gpu"], "needs a device that torch does not find here"),
        (["+trainer.val_check_interval=500"], "the trainer cannot train: .*val_check_interval"),
    ],
)
def test_arguments_of_the_trainer_that_do_not_fit_are_refused(run_small, overrides, said):
    if torch.cuda.is_available() and "gpu" in overrides[0]:
        pytest.skip("there is a GPU")
    with pytest.raises(ConfigError, match=said):
        run_small(*overrides)


@pytest.mark.slow
@pytest.mark.parametrize(
    "override",
    [
        "+trainer.enable_progress_bar=false",
        "+trainer.accumulate_grad_batches=2",
        "+trainer.gradient_clip_val=1.0",
        "+trainer.limit_train_batches=3",
    ],
)
def test_further_arguments_of_the_trainer_work(run_small, override):
    assert run_small("trainer.max_epochs=1", override)["step"] >= 1


@pytest.mark.slow
def test_weights_alone_are_no_checkpoint_to_go_on_from_but_one_to_begin_from(run_small, tmp_path):
    run_small("model.som.max_nodes=30")
    best = tmp_path / "run" / "checkpoints" / "best.ckpt"
    with pytest.raises(CheckpointError, match=r"weights alone.*init="):
        run_small("model.som.max_nodes=30", f"ckpt_path={best}", run_dir=tmp_path / "other")
    x = np.random.default_rng(0).random((60, 1, 8, 8)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    new = ("model=dcsomrl", "dataset=arrays", f"dataset.path={tmp_path / 'x.npy'}")
    new += ("dataset.batch_size=16", "dataset.passes=1", "model.som.max_nodes=30")
    begun = run_small(
        *new, f"init={best}", "trainer.max_epochs=1", "+trainer.max_steps=1",
        "model.optimizer.lr=1e-12", run_dir=tmp_path / "new",
    )  # fmt: skip
    assert begun["dataset"] == "x"
    before, after = (
        read_checkpoint(tmp_path / name / "checkpoints" / "last.ckpt") for name in ("run", "new")
    )
    weights = (
        [one["state_dict"]["autoencoder.encoder.net.0.weight"] for one in (before, after)]
        if ("autoencoder.encoder.net.0.weight" in before["state_dict"])
        else [next(iter(one["state_dict"].values())) for one in (before, after)]
    )
    torch.testing.assert_close(*weights)
    assert after["ClusterData"]["offset"] == before["ClusterData"]["offset"]
    with pytest.raises(ConfigError, match=r"init=.*other parts or sizes.*latent_dim=5"):
        run_small(*new, f"init={best}", "model.autoencoder.latent_dim=6", run_dir=tmp_path / "z")


@given(st.text("ab=,/ '\"[]{}é.-_1", max_size=400))
def test_a_folder_of_a_multirun_can_be_typed_anywhere(overrides):
    name = name_folder(overrides)
    assert len(name.encode()) <= LONGEST < 200
    assert not set(name) & set("=/'\" \t[]{}(),")


def test_folders_of_different_runs_differ():
    names = [
        name_folder(one)
        for one in ("a=[1]", "a=[1,2]", "a=(1)", "a=1", "a=1,b=2", "x" * 300, "x" * 301)
    ]
    assert len(set(names)) == len(names)
    assert name_folder("model.alpha=0.1,seed=2") == "model.alpha-0.1_seed-2"


@pytest.mark.slow
@pytest.mark.parametrize("devices", ["2", "'\"2\"'", "'\"0,1\"'", "[0,1]"])
def test_several_devices_under_m_are_refused(tmp_path, monkeypatch, capsys, devices):
    given = f"trainer.devices={shlex.split(devices)[0]}"
    said = said_of(["-m", *SMALL, "seed=0,1", given], tmp_path, monkeypatch, capsys)
    assert "-m cannot train on 2 devices" in said


@pytest.mark.parametrize(
    ("devices", "accelerator", "number"),
    [
        *((all_of, where, 3) for all_of in ("auto", -1, "-1") for where in ("auto", "gpu", "cuda")),
        *(("auto", "cpu", 1), ("auto", "mps", 1), (1, "gpu", 1), ("1", "auto", 1)),
        *((4, "cpu", 4), ("4", "gpu", 4), ("0, 2", "gpu", 2), ("0,", "gpu", 1), ([1], "gpu", 1)),
    ],
)
def test_devices_are_counted_as_lightning_does(monkeypatch, devices, accelerator, number):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    assert count_devices(devices, accelerator) == number


@pytest.mark.parametrize(
    ("given", "chosen"),
    [
        (["dataset=arrays"], True),
        (["--cfg", "job", "dataset=images", "seed=1"], True),
        (["dataset=arrays", "model=kmeans"], False),
        (["dataset=arrays", "experiment=mine"], False),
        (["dataset=mnist"], False),
        ([], False),
    ],
)
def test_data_of_ones_own_gets_the_model_that_carries_over(given, chosen):
    assert ("model=neighbor_somrl" in choose_model(given)) == chosen
    assert [one for one in choose_model(given) if one != "model=neighbor_somrl"] == given


def test_a_run_of_before_goes_on_with_its_model_by_the_same_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = ["dataset=arrays", "dataset.path=blobs.npz", "ckpt_path=last"]
    before = [*given[:1], "model=dcsomrl", "settings=none", *given[1:]]
    now = [*given[:1], "model=neighbor_somrl", *given[1:]]
    assert choose_model(given) == now
    kept = Path(__file__).parent / "data" / "checkpoints" / "0.1" / "table" / "last.ckpt"
    for name, overrides in (("dcsomrl-blobs", given), ("mine", [*given, "name=mine"])):
        folder = tmp_path / "runs" / name / "seed0" / "checkpoints"
        folder.mkdir(parents=True)
        shutil.copy(kept, folder)
        assert choose_model(overrides) == [*before, *overrides[3:]]
    assert choose_model(given[:2]) == [one for one in now if one != "ckpt_path=last"]
    # A checkpoint of this version in the folder of today's model comes first.
    folder = tmp_path / "runs" / "neighbor_somrl-blobs" / "seed0" / "checkpoints"
    folder.mkdir(parents=True)
    checkpoint = read_checkpoint(kept)
    checkpoint["dcsomrl"]["config"]["model"]["losses"] = {}
    torch.save(checkpoint, folder / "last.ckpt")
    assert choose_model(given) == now


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ({"n_clusters": 64}, {"n_clusters": 7}),
        ({"n_clusters": 5}, {"n_clusters": 5}),
        ({"rows": 8, "columns": 8}, {"rows": 2, "columns": 3}),
        ({"rows": 1, "columns": 20}, {"rows": 1, "columns": 7}),
        ({"som": {"max_nodes": 200}}, {"som": {"max_nodes": 7}}),
    ],
)
def test_there_are_no_more_nodes_than_samples(model, expected):
    config = OmegaConf.create(model)
    said = settle_clusters(config, 7)
    assert config == expected
    assert (said is None) == (model == expected)
    with pytest.raises(ConfigError, match="one training sample"):
        settle_clusters(config, 1)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["dcsomrl", "neighbor_somrl", "kmeans", "desom", "som"])
def test_a_table_of_a_few_rows_runs(run_small, tmp_path, model):
    rows = pd.DataFrame(np.random.default_rng(0).random((9, 3)), columns=list("abc"))
    rows.to_csv(tmp_path / "t.csv", index=False)
    data = ("dataset=arrays", f"dataset.path={tmp_path / 't.csv'}", "trainer.max_epochs=1")
    metrics = run_small(f"model={model}", *data, small=("trainer=cpu",))
    assert metrics["nodes"] <= 7
    assert any("validation part" in one for one in metrics["warnings"])
    assigned = pd.read_csv(tmp_path / "run" / "assignments.csv")
    assert sorted(assigned["row"]) == list(range(9))
    config = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
    assert config["model_name"] == model


def test_objectives_that_need_labels_are_refused_before_the_first_point(
    tmp_path, monkeypatch, capsys
):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((60, 3)))
    said = said_of(
        ["-m", "search=tpe", "model=dcsomrl", "dataset=arrays",
         f"dataset.path={tmp_path / 'x.npy'}"],
        tmp_path, monkeypatch, capsys,
    )  # fmt: skip
    assert said.startswith("val/nmi needs labels")
    assert not list(tmp_path.glob("runs/search/*/0"))


def test_other_errors_are_not_explained():
    assert explain(RuntimeError("of ours"), "train", ["dataset=digits"]) is None
    assert explain(BrokenPipeError(errno.EPIPE, "Broken pipe"), "train", []) is None


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["=5"], "=5 names no setting: type its key before it, KEY=5"),
        (["foo"], "foo is not a setting: type KEY=VALUE, such as seed=1"),
        (["model=5"], "there is no model=5; model can be autoencoder, dcsomrl, "),
        (["+experiment=true"], "there is no experiment=true; experiment can be autoencoder_mnist"),
        (["model=[som,5]"], "there is no model=5; model can be autoencoder, dcsomrl, "),
        (["dataset=[digits,null]"], "dataset=[digits,null] is not a list of names"),
        (["model=[som,[dec]]"], "model=[som,[dec]] is not a list of names"),
        (["model=[]"], "model=[] chooses nothing: leave it out"),
        (["+loss=consistency"], "+loss=... has no place at the top: type +loss@model.losses.NAME"),
        (["model="], "there is no model=; model can be autoencoder, dcsomrl, "),
        (["~model"], "~model takes away what is needed: leave it out"),
        (["~trainer"], "~trainer takes away what is needed: leave it out"),
        (["~seed"], "~seed takes away what is needed: leave it out"),
        (["~trust"], "~trust takes away what is needed: leave it out"),
        (["~nothing"], "~nothing takes away what is not set: leave it out"),
        (["+seed=3"], "seed is there already: set it without a plus, seed=..."),
        (
            ["dataset.source.keep=[a"],
            "dataset.source.keep=[a cannot be read, since a bracket is not closed: type "
            "'dataset.source.keep=[a]'",
        ),
        (
            ["dataset.source.keep=[a (b,c"],
            "dataset.source.keep=[a (b,c cannot be read, since a bracket is not closed: type "
            '\'dataset.source.keep=["a (b","c"]\'',
        ),
        (["dataset=arrays", "dataset.columns=[a]"], "did you mean dataset.source.columns?"),
        (["dataset=arrays", "source.columns=[a]"], "did you mean dataset.source.columns?"),
        (
            ["dataset=arrays", "model=som", "dataset.columns=[a]"],
            "did you mean dataset.source.columns?",
        ),
        (["model.max_nodes=4"], "did you mean model.som.max_nodes?"),
        (["batch_size=4"], "did you mean dataset.batch_size?"),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_overrides_that_mean_nothing_are_met_with_what_may_be_meant(
    tmp_path, monkeypatch, capsys, overrides, said
):
    assert said in said_of(overrides, tmp_path, monkeypatch, capsys)


@pytest.mark.slow
def test_loggers_and_callbacks_may_be_taken_away(run_small):
    given = ("trainer.max_epochs=1", "~logger", "~callbacks")
    assert run_small(*given)["epochs"] == 1
    assert run_small(*given[:2], "callbacks.progress=null", "seed=1")["epochs"] == 1


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.EEXIST, "a file is there where a folder is needed"),
        (errno.ENOTDIR, "a file is there where a folder is needed"),
        (errno.EISDIR, "a folder is there where a file is needed"),
        (errno.ENOENT, "it is not there, and cannot be made there"),
        (errno.EACCES, "that is not allowed"),
        (errno.EROFS, "that is not allowed"),
        (errno.ENAMETOOLONG, "the name is too long"),
        (errno.ENOSPC, "no space is left"),
        (errno.ELOOP, f"{os.strerror(errno.ELOOP)}: check the path"),
    ],
)
def test_errors_of_the_system_are_said_in_a_sentence(number, said):
    expected = f"/there/x.csv cannot be read or written, since {said}"
    for file in ("/there/x.csv.part", "/there/x.csv.0a1b2c3d.part"):
        error = OSError(number, os.strerror(number), file)
        wrapped = InstantiationException("x")
        wrapped.__cause__ = error
        for one in (error, wrapped):
            assert str(explain(one, "train", [])).startswith(expected)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "a file cannot be written, since no space is left"),
        (errno.EDQUOT, "a file cannot be written, since no space is left"),
        (errno.EFBIG, "a file cannot be written, since files are not allowed to be so large"),
        (errno.EIO, "a file cannot be written, since its disk fails"),
    ],
)
def test_errors_of_the_system_without_a_file_are_said_where_they_are_of_disks(number, said):
    error = OSError(number, os.strerror(number))
    assert str(explain(error, "train", [])).startswith(said)
    other = RuntimeError("unexpected position")
    other.__context__ = error
    error.__context__ = other
    assert str(explain(other, "train", [])).startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"name: \xff", "mine.yaml cannot be read as settings ('utf-8' codec can't decode"),
        (b"name: 'a", "mine.yaml cannot be read as settings (found unexpected end of stream, line"),
        (
            b"name: a\nname: b",
            "mine.yaml cannot be read as settings (found duplicate key name, line",
        ),
        (b"name: a\0b", "characters are not allowed"),
        (b"defaults: [nothing]", "in experiment/mine: there is no experiment=nothing; experiment"),
        (b"# @package _global_\ndataset: null", "dataset must be settings with _target_, got None"),
    ],
    ids=["encoding", "quote", "twice", "control", "option", "null"],
)
def test_a_file_of_settings_that_is_damaged_is_named(text, said, tmp_path, monkeypatch, capsys):
    (tmp_path / "own" / "experiment").mkdir(parents=True)
    (tmp_path / "own" / "experiment" / "mine.yaml").write_bytes(text)
    given = ["--config-dir", "own", "experiment=mine", "hydra.run.dir=run"]
    found = said_of(given, tmp_path, monkeypatch, capsys)
    assert said in found
    assert "\n" not in found


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc")
def test_a_folder_that_takes_no_files_is_said():
    with pytest.raises(OSError, match="/proc") as caught:
        make_room(Path("/proc/x.csv"))
    assert "/proc cannot be read or written, since that is not" in explain(caught.value, "", [])


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("hydra.run.dir=t.csv/x", "t.csv/x cannot be read or written, since a file is there"),
        (f"name={'x' * 300}", "cannot be read or written, since the name is too long"),
    ],
    ids=["below a file", "too long"],
)
def test_a_folder_that_cannot_be_made_is_said(tmp_path, monkeypatch, capsys, override, said):
    (tmp_path / "t.csv").touch()
    assert said in said_of([*SMALL, override], tmp_path, monkeypatch, capsys)


WORDS_FOR_NUMBERS = """
import sys
from dcsomrl.train import main
for typed in ("model.som.max_nodes=abc", "seed=[1]", "trainer.max_epochs=many", "dataset.passes=x"):
    sys.argv = ["train", "dataset=digits", typed]
    try:
        main()
    except SystemExit as stopped:
        assert stopped.code == 2
    assert "torch" not in sys.modules, typed
"""


def test_words_in_the_place_of_numbers_are_refused_without_torch(tmp_path):
    cold = Path(sys.prefix) / "bin" / "python"  # one that has imported nothing
    ran = subprocess.run(
        [cold, "-c", WORDS_FOR_NUMBERS], cwd=tmp_path, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    said = [line for line in ran.stderr.splitlines() if line.startswith("error: ")]
    assert len(said) == 4
    assert all("must be a number such as " in line for line in said)


@pytest.mark.parametrize("typed", ["trainer.devices=x", "dataset.passes=auto", "name=x", "seed=3"])
def test_words_that_may_be_are_no_mistake(typed):
    with hydra.initialize_config_dir(str(find_config_dir()), version_base="1.3"):
        cfg = hydra.compose("train", overrides=[typed])
        check_numbers("train", cfg, [typed])


@pytest.mark.parametrize(("environment", "colored"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_errors_are_red_on_a_terminal_alone(environment, colored, tmp_path):
    ours, theirs = os.openpty()
    command = [PYTHON, "-m", "dcsomrl.train", "seed"]
    known = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    subprocess.run(command, cwd=tmp_path, stderr=theirs, env={**known, **environment}, timeout=200)
    os.close(theirs)
    said = os.read(ours, 10_000).decode()
    os.close(ours)
    assert said.startswith("\033[1;31merror:\033[0m seed" if colored else "error: seed")
