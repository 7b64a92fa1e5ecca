"""What a person gets wrong ends in one sentence, before any compute, and nothing is lost."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
import pytest
import torch
from hydra.core.hydra_config import HydraConfig

from dcsomrl.__main__ import COMMANDS
from dcsomrl.checkpoints import read_checkpoint
from dcsomrl.configuration import compose_config
from dcsomrl.data import Arrays, ClusterData, files
from dcsomrl.errors import CheckpointError, ConfigError, DataError, DcsomrlError, TrainingError
from dcsomrl.evaluate import evaluate
from dcsomrl.hints import describe, fits
from dcsomrl.keys import DATA, keyed, name_keys
from dcsomrl.kinds import settle_kinds
from dcsomrl.loading import load
from dcsomrl.maps import SOMRL
from dcsomrl.models import DCSOMRL
from dcsomrl.networks import ConvAutoencoder, MLPAutoencoder
from dcsomrl.reporting.run_data import read_run
from dcsomrl.train import main
from tests.conftest import SMALL

# Settings without which a command is not composed.
MANDATORY = {
    "evaluate": ["ckpt=a"],
    "predict": ["ckpt=a", "input=b"],
    "report": ["run=a"],
    "sensitivity": ["folder=a"],
}


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["model.som.max_nodes=1"], "model.som.max_nodes must be at least 2, got 1"),
        (["seed=-1"], "seed must be in [0, 4294967295], got -1"),
        (["seed=abc"], "seed must be a number such as 0, got abc"),
        (["dataset=arrays", "dataset.path=null"], "dataset.path is null: give it the file"),
        (["dataset=images", "dataset.path=null"], "dataset.path is null: give it the folder"),
        (["+trainer.default_root_dir=a"], "without a plus, trainer.default_root_dir=..."),
        (["+name=a"], "name is there already: set it without a plus, name=..."),
        (["trainer.limit_train_batches=3"], "takes a plus, +trainer.limit_train_batches=..."),
        (["model.som.repel_mod=none"], "did you mean model.som.repel_mode?"),
        (
            ["dataset=mnits"],
            "no dataset=mnits; did you mean dataset=mnist? dataset can be arrays, ",
        ),
        (["experiment=paper_mnits"], "did you mean experiment=paper_mnist? experiment can be auto"),
        (["experiment=[paper_mnist,x]"], "there is no experiment=x; experiment can be autoencoder"),
        (["experiment=null"], "a group cannot be set to null"),
        (["search=nope"], "there is no search=nope; search can be default, "),
        (["-m", "search=nope"], "there is no search=nope; search can be default, "),
        (
            ["settings=x"],
            "there is no settings=x; settings can be dcsomrl_arrays, ",
        ),
        (["settings=dcsomrl_usps"], "there is no settings=dcsomrl_usps"),
        (["-m", "search=default", "settings=x"], "there is no settings=x"),
        (["dataset=arrays", "dataset.path=."], "folders of images are read by dataset=images"),
        (["+model.regrow=2"], "model.regrow must be above 0 and below 1 or null, got 2"),
        (["dataset=arrays", "dataset.path=none.npz"], "there is no file none.npz"),
        (["dataset=images", "dataset.path=none"], "there is no folder none"),
        (["dataset=usps", "data_dir=none"], "there is no USPS file at none/USPS/usps.h5"),
        (["dataset=arrays"], "dataset.path"),
        (
            ["trainer.max_epochs=many"],
            "trainer.max_epochs must be a number such as 30, got many",
        ),
        (
            ["trainer.max_epochs=0"],
            "trainer.max_epochs must be at least 1, -1 or null, got 0",
        ),
        (["dataset.batch_size=abc"], "dataset.batch_size must be a number such as 64, got abc"),
        (
            ["dataset.batch_size=64.0"],
            "batch_size must be a whole number of at least 1, got 64.0",
        ),
        (["dataset.val_fraction=a"], "dataset.val_fraction must be a number such as 0.1, got a"),
        (
            ["model.som.max_nodes=null"],
            "max_nodes must be a whole number of at least 2, got null",
        ),
        (["model.alpha=nan"], "model.alpha must be a number of at least 0 and finite"),
        (
            ["model.losses.clustering=null"],
            "model.losses.clustering must be settings of class Term with _target_, got null",
        ),
        (
            ["model.losses.clustering.weight=0.2", "model.alpha=0.9"],
            "model.alpha=0.9 is the weight of the clustering term, which has "
            "model.losses.clustering.weight=0.2: leave one of them out",
        ),
        (["~model.losses.clustering", "model.alpha=0.9"], "term, which is not there: leave one of"),
        (
            ["+model.losses.x._target_=tests.nowhere.X"],
            "model.losses.x: tests.nowhere.X cannot be imported (No module named 'tests",
        ),
        (
            ["+model.losses.x._target_=tests.conftest.Nothing"],
            "model.losses.x: tests.conftest.Nothing cannot be imported (",
        ),
        (["+callbacks.own._target_=os.system"], "callbacks.own: "),
        (
            ["+model.losses.x._target_=torch.nn.ReLU"],
            "model: the term x of losses is of class ReLU, which must derive from dcsomrl.Term",
        ),
        (["++trust.b=1"], "++trust.b=1 cannot be set (invalid literal for int"),
        (
            ["-m", "search=default", "seed=0,1", "hydra.sweeper.sampler.seed=a"],
            "hydra.sweeper.sampler: seed must be a whole number of at least 0, got 'a'",
        ),
        (["+dataset.source.nothing=1"], "dataset.source.nothing is not a setting of digits, which"),
        (
            ["model.autoencoder.input_shape=[1,2]"],
            "model.autoencoder.input_shape=[1, 2] is not the shape of the samples, [1, 8, 8]",
        ),
        (
            ["model.autoencoder.hidden_dims=[2000000000000]"],
            "there is not enough memory: lower what takes it, such as dataset.batch_size",
        ),
        (["trainer.devices=0"], "trainer.devices must be at least 1, -1, auto, a list of whole "),
        (["+trainer.val_check_interval=0"], "trainer.val_check_interval must be at least 1, in"),
        (["+model.optimizer.foreach=true"], "model.optimizer cannot be made of its settings"),
        (["dataset.seed=${nope}"], "refers to nope, which is not there: name a key in full"),
        (
            ["model.autoencoder.hidden_dims={a:1}"],
            "model.autoencoder.hidden_dims={a:1} is of another kind than what stands there",
        ),
        (["model.optimizer=adam"], "model.optimizer must be settings with _target_, got adam"),
        (["model.optimizer.lr=-1"], "model.optimizer.lr must be above 0 and finite, got -1"),
        (["model.optimizer.lr=a"], "model.optimizer.lr must be a number such as 0.001, got a"),
        (["+model.optimizer.betas=[2,3]"], "model.optimizer cannot be made of its settings"),
        (["num_threads=0"], "num_threads must be in [1, 1024] or null, got 0"),
        (["num_threads=abc"], "num_threads must be a whole number in [1, 1024] or null, got abc"),
        (["trainer.deterministic=maybe"], "must be true, false, warn or null, got maybe"),
        (["n_clusters=some"], "n_clusters must be a whole number of at least 1, auto or null"),
        (
            ["dataset=arrays", "dataset.path=t.csv", "dataset.source.header=nope"],
            "dataset.source.header must be true, false or null, got nope",
        ),
        (
            ["dataset=arrays", "dataset.path=t.csv", "dataset.source.keep=null"],
            "dataset.source.keep must be text, a number or a list, got null",
        ),
        (
            ["dataset=arrays", "dataset.path=5"],
            "dataset.path must be text, got 5: to have it as text type 'dataset.path=\"5\"'",
        ),
        (
            ["dataset=images", "dataset.path=t", "dataset.source.image_size=8.5"],
            "dataset.source.image_size must be a whole number of at least 1, a list of whole ",
        ),
        (
            ["dataset=images", "dataset.path=t", "dataset.source.background=null"],
            "dataset.source.background must be text, got null",
        ),
        (["name=null"], "name must be text or a number, got null"),
        (["name="], "name is empty: give a name"),
        (["dataset.batch_size=0"], "dataset.batch_size must be at least 1, got 0"),
        (["ckpt_path=none.ckpt"], "there is no checkpoint at none.ckpt"),
        (["optimizer=sgd"], "no place at the top: type optimizer@model.optimizer=sgd"),
        (["loss=consistency"], "no place at the top: type +loss@model.losses.NAME=consistency"),
        (["dataset.normalization=zscore"], "normalization must be"),
        (
            ["dataset.neighbors=nearest"],
            "Neighbors as neighbors=nearest chooses them or null, got nearest",
        ),
        (
            ["dataset.augmentation=flip"],
            "Augmentation as augmentation=shift_rotate_scale chooses them or null, got flip",
        ),
        (
            ["+loss@model.losses.near=neighbor_contrast", "trainer.max_epochs=1"],
            "compares neighbours, and the data has none: give the data neighbors=nearest",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_the_command_ends_in_one_sentence(overrides, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    flags = [one for one in overrides if one.startswith("-")]
    overrides = [one for one in overrides if one not in flags]
    monkeypatch.setattr("sys.argv", ["train", *flags, *SMALL, *overrides])
    # As in a process of its own: what another test composed would tell where a run writes.
    monkeypatch.setattr(HydraConfig.instance(), "cfg", None)
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error:")]
    assert len(lines) == 1
    assert said in lines[0]


def test_a_model_with_a_loss_of_its_own_takes_no_terms(run_small):
    given = ("model=desom", "+loss@model.losses.near=neighbor_contrast")
    with pytest.raises(
        ConfigError, match=r"DESOM takes no terms of a loss: leave model\.losses out"
    ):
        run_small(*given, small=("trainer=cpu",))


def test_a_weight_of_its_own_is_what_alpha_says(run_small, tmp_path):
    def find_alpha():
        path = tmp_path / "run" / "checkpoints" / "last.ckpt"
        return read_checkpoint(path)["dcsomrl"]["config"]["model"]["alpha"]

    run_small("model.losses.clustering.weight=0.2", "trainer.max_epochs=1")
    assert find_alpha() == 0.2
    metrics = run_small(
        "model.losses.clustering.weight=0.2", "ckpt_path=last", "trainer.max_epochs=2"
    )
    assert metrics["epochs"] == 2
    run_small("~model.losses.clustering", "trainer.max_epochs=1")
    assert find_alpha() is None


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["dataset=images", "dataset.path=none"], "there is no folder none: check dataset.path"),
        (
            ["num_threads=${nope}"],
            "num_threads refers to nope, which is not there: name a key in full, such as ${seed}",
        ),
    ],
)
def test_a_person_sees_no_traceback(cli, overrides, said):
    done = cli("train", *SMALL, *overrides)
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1] == f"error: {said}"
    assert "Traceback" not in done.stderr
    assert "Error executing job" not in done.stderr


def test_of_several_runs_the_one_that_failed_is_named_and_the_others_go_on(cli, tmp_path):
    for name, first in (("good", 0), ("bad", np.nan)):
        np.save(tmp_path / f"{name}.npy", np.array([[first], *([n] for n in range(1, 40))], float))
    given = ["dataset=arrays", "dataset.path=good.npy,bad.npy", "model=kmeans"]
    done = cli("train", *SMALL[:1], "trainer.max_epochs=1", *given, "-m")
    assert done.returncode == 2
    assert "Error executing job" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith(
        "error: 1 of 2 runs failed; the first, dataset.path=bad.npy: "
    )
    assert len(list(tmp_path.glob("runs/multirun/*/metrics.json"))) == 1


@pytest.mark.parametrize(
    ("swept", "said"),
    [
        ("seed=0,-1", "seed must be in [0, 4294967295], got -1"),
        ("trainer.devices=1,2", "-m cannot train on 2 devices at once"),
        ("init=fashion,none", "there is no checkpoint at none"),
        ("+trainer.gradient_clip_val=1,-1", "trainer.gradient_clip_val must be at least 0"),
    ],
)
def test_no_run_of_several_begins_before_the_settings_of_all_are_checked(
    cli, tmp_path, swept, said
):
    done = cli("train", *SMALL, swept, "-m")
    assert done.returncode == 2
    assert said in done.stderr.splitlines()[-1]
    assert not list(tmp_path.rglob("metrics.*"))


@pytest.mark.parametrize("rate", ["1e308", "1e25"])
def test_weights_that_a_last_step_has_ruined_are_not_saved(run_small, tmp_path, rate):
    with pytest.raises(TrainingError, match="codes of the samples stopped being numbers in epoch"):
        run_small(
            "trainer.max_epochs=1", "+trainer.limit_train_batches=1", f"model.optimizer.lr={rate}"
        )
    assert not list(tmp_path.rglob("*.ckpt"))


def test_a_missing_logger_package_is_named(cli):
    done = cli("train", *SMALL, "logger=wandb")
    if done.returncode == 0:
        pytest.skip("wandb is installed here")
    assert "wandb" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(run_small, tmp_path, bad):
    x = np.random.default_rng(0).random((200, 3))
    x[7, 1] = bad
    np.savez(tmp_path / "x.npz", x=x)
    with pytest.raises(DataError, match=r"1 (training|test) samples with NaN or infinite"):
        run_small("dataset=arrays", f"dataset.path={tmp_path / 'x.npz'}")


def test_a_loss_that_is_no_number_stops_at_once_and_keeps_the_last_good(run_small, tmp_path):
    run_small("trainer.max_epochs=1", "model.optimizer.lr=0.001")
    path = tmp_path / "run" / "checkpoints" / "last.ckpt"
    checkpoint = read_checkpoint(path)
    steps = checkpoint["global_step"]
    # Weights that overflow in the next step, as in a training that diverges.
    checkpoint["state_dict"]["autoencoder.decoder.0.weight"].fill_(1e38)
    torch.save(checkpoint, path)
    before = path.read_bytes()
    with pytest.raises(TrainingError, match=rf"epoch 1, by step {steps + 1};") as caught:
        run_small("ckpt_path=last", "model.optimizer.lr=0.001")
    assert "model.optimizer.lr" in str(caught.value)
    assert path.read_bytes() == before


def test_scores_of_steps_need_labels(run_small, tmp_path):
    np.savez(tmp_path / "x.npz", x=np.random.default_rng(0).random((200, 3)))
    with pytest.raises(TrainingError, match=r"need labels.*leave callbacks\.step_scores out"):
        run_small(
            "dataset=arrays",
            f"dataset.path={tmp_path / 'x.npz'}",
            "dataset.batch_size=32",
            "callbacks=step_scores",
        )


def test_a_checkpoint_of_another_dataset_is_refused(run_small, tmp_path):
    run_small()
    np.savez(tmp_path / "x.npz", x=np.random.default_rng(0).random((200, 3)))
    with pytest.raises(CheckpointError, match=r"dataset\.source"):
        run_small(
            "dataset=arrays",
            f"dataset.path={tmp_path / 'x.npz'}",
            "dataset.batch_size=32",
            "ckpt_path=last",
        )
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["dataset"] == "digits"


def test_every_error_of_ours_is_one_that_the_commands_explain():
    for kind in (DataError, CheckpointError, TrainingError):
        assert issubclass(kind, DcsomrlError)


def test_a_class_speaks_of_its_arguments_and_a_command_of_its_keys(run_small):
    arrays = Arrays(torch.rand(10, 4), None, torch.rand(3, 4), None)
    with pytest.raises(DataError, match="set `sequence_length` to at most 10"):
        ClusterData(lambda: arrays, "own", val_fraction=0, sequence_length=11).setup("fit")
    with pytest.raises(DataError, match=r"set dataset\.sequence_length to at most 1438"):
        run_small("dataset.val_fraction=0", "dataset.sequence_length=2048")
    with pytest.raises(ValueError, match="use `MLPAutoencoder`"):
        ConvAutoencoder((4,), 2)


@pytest.mark.parametrize(
    ("value", "hint", "said"),
    [
        (3, float, None),
        (math.inf, float, None),
        (True, float, "a number"),
        (1, bool, "true or false"),
        (None, float | None, None),
        (0.5, int | float, None),
        ("a", int | float, "a number"),
        ("auto", int | Literal["auto"], None),
        (True, Literal[1], "1"),
        ([1, 2], tuple[int, ...], None),
        ([1, "a"], Sequence[int], "a list of whole numbers"),
        ("abc", Sequence[str], "a list of texts"),
        ({"a": 1}, Mapping[str, str], None),
        ("a", Mapping[str, str], "settings by name"),
        ("a", float | torch.Tensor, "a number"),
        ("a", Path, None),
        ("a", Callable[[], int], "settings with _target_"),
        ({"_target_": "a.B"}, ClusterData, None),
        (5, ClusterData | None, "settings of class ClusterData with _target_ or null"),
        (5, TypeVar("Anything"), None),
    ],
    ids=str,
)
def test_values_are_held_against_annotations(value, hint, said):
    assert fits(value, hint) == (said is None)
    name_class = "settings of class {} with _target_".format
    assert said is None or describe(value, hint, name_class) == said


def test_words_for_true_and_false_become_such(tmp_path):
    given = ["ckpt=a", "input=b", "soft=yes", "source.header=off"]
    cfg = compose_config("predict", given, tmp_path)
    settle_kinds(cfg)
    assert cfg.soft is True
    assert cfg.source.header is False
    cfg.soft = "maybe"
    with pytest.raises(ConfigError, match="soft must be true or false, got maybe"):
        settle_kinds(cfg)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_of_the_kinds_that_it_wants(command, tmp_path):
    settle_kinds(compose_config(command, MANDATORY.get(command, []), tmp_path))


def test_a_value_that_is_referred_to_is_named_where_it_was_set(tmp_path):
    cfg = compose_config("train", ["dataset=mnist", "data_dir=5"], tmp_path)
    cfg.data_dir = None
    with pytest.raises(ConfigError, match=r"^data_dir must be text, got null"):
        settle_kinds(cfg)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("set `batch_size` to 7", "set dataset.batch_size to 7"),
        ("`lr=2` is too high", "model.optimizer.lr=2 is too high"),
        ("use `MLPAutoencoder`", "use autoencoder=mlp"),
        ("give the data `Neighbors`", "give the data neighbors=nearest"),
        ("give an `Augmentation`", "give an augmentation=shift_rotate_scale"),
        ("set `init=None`, `None` or `views=3`", "set init=null, null or views=3"),
        ("read by `dcsomrl.data.images.images`", "read by dataset=images"),
        ("use `Nothing`, `nothing`, `no.thing`", "use Nothing, nothing, no.thing"),
        ("a file `of mine.csv`", "a file `of mine.csv`"),
    ],
)
def test_messages_get_the_keys_of_the_configuration(message, said, tmp_path):
    assert name_keys(message, compose_config("train", [], tmp_path)) == said


@pytest.mark.parametrize("model", ["som", "desom", "somvae"])
def test_a_message_on_data_names_keys_of_the_data(model, tmp_path):
    given = ["dataset=arrays", "dataset.path=t.csv", f"model={model}"]
    cfg = compose_config("train", given, tmp_path)
    assert name_keys("set `columns`", cfg, DATA) == "set dataset.source.columns"
    assert name_keys("set `columns`", cfg) == "set model.columns"
    with pytest.raises(DataError, match=r"leave out dataset\.source\.columns"), keyed(cfg):
        raise DataError("leave out `columns`")
    with pytest.raises(ConfigError, match=r"lower model\.columns"), keyed(cfg):
        raise ConfigError("lower `columns`")


def test_what_was_guessed_of_a_table_names_keys_of_the_data(run_small, tmp_path):
    rows = np.random.default_rng(0).random((40, 2))
    named = "".join(f"s{i},{a:.3f},{b:.3f}\n" for i, (a, b) in enumerate(rows))
    (tmp_path / "t.csv").write_text(f"id,x,y\n{named}")
    metrics = run_small(
        "model=som", "dataset=arrays", f"dataset.path={tmp_path / 't.csv'}", small=("trainer=cpu",)
    )
    assert any("set dataset.source.columns to use it" in one for one in metrics["warnings"])


def test_a_class_calls_nothing_none():
    with pytest.raises(ValueError, match="regrow must be above 0 and below 1 or `None`, got 2"):
        DCSOMRL(MLPAutoencoder((4,), 2), SOMRL(2), regrow=2)
    with pytest.raises(DataError, match="`path` is `None`: give it the file"):
        files.arrays(None)
    with pytest.raises(DataError, match=r"read by `dcsomrl\.data\.images\.images`"):
        files.arrays(".")


def test_where_no_path_is_known_none_is_taken(run_small, tmp_path):
    run_small()
    ckpt = str(tmp_path / "run" / "checkpoints" / "last.ckpt")
    with pytest.raises(CheckpointError, match="digits, has no path: leave `data_path` out"):
        load(ckpt, data_path="elsewhere")
    given = [f"ckpt={ckpt}", "dataset.path=elsewhere"]
    with pytest.raises(CheckpointError, match=r"has no path: leave dataset\.path out"):
        evaluate(compose_config("evaluate", given, tmp_path))


def test_other_samples_are_refused_with_what_each_command_can_do(run_small, tmp_path):
    file = tmp_path / "x.npz"
    own = ("dataset=arrays", f"dataset.path={file}", "dataset.batch_size=32")
    samples = np.random.default_rng(0).random((200, 3))
    np.savez(file, x=samples)
    run_small(*own)
    np.savez(file, x=samples[::-1])
    with pytest.raises(DataError, match=r"data of the training, or start afresh \(ckpt_path=null"):
        run_small(*own, "ckpt_path=last")
    given = [f"ckpt={tmp_path / 'run' / 'checkpoints' / 'last.ckpt'}"]
    with pytest.raises(DataError, match=r"data of the training, or name others by dataset=\.\.\.$"):
        evaluate(compose_config("evaluate", given, tmp_path))
    with pytest.raises(DataError, match=r"give back the data of the training$"):
        read_run(tmp_path / "run")
