import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from dcsomrl.checkpoints import read_checkpoint
from dcsomrl.configuration import compose_config, find_config_dir
from dcsomrl.keys import list_keys
from dcsomrl.mistakes import explain
from tests.conftest import SMALL, plain
from tests.warm import PYTHON

GROUPS = (
    "dataset",
    "model",
    "autoencoder",
    "trainer",
    "logger",
    "callbacks",
    "experiment",
    "search",
)
CHOICES = [
    f"{group}={file.stem}"
    for group in GROUPS
    for file in sorted((find_config_dir() / group).glob("[!_]*"))
]
NEEDS_PATH = {"dataset=images", "dataset=arrays", "dataset=stream"}
NEEDS_NO_NETWORK = {"autoencoder=none": ["model=kmeans"]}


@pytest.mark.parametrize("choice", CHOICES)
def test_every_choice_composes_and_resolves(choice, tmp_path):
    path = ["dataset.path=here"] if choice in NEEDS_PATH else NEEDS_NO_NETWORK.get(choice, [])
    cfg = plain(compose_config("train", [choice, *path], tmp_path))
    assert cfg["model"]["_target_"].startswith("dcsomrl.models.")
    assert cfg["trainer"]["_target_"] == "pytorch_lightning.Trainer"
    assert cfg["trainer"]["default_root_dir"] == str(tmp_path)


# Table 2 of "Shaping latent representations using Self-Organizing Maps with Relevance Learning",
# submitted to ICLR 2022.
PUBLISHED = {
    "mnist": {
        "alpha": 0.1145,
        "activation_threshold": 0.99425,
        "learning_rate": 0.1426,
        "repel_rate": 1.0,
        "life_decay": 0.36,
        "relevance_rate": 0.067,
        "neighborhood_decay": 1.382,
        "relevance_smoothness": 0.426,
        "max_nodes": 200,
    },
    "fashion": {
        "alpha": 0.024,
        "activation_threshold": 0.99885,
        "learning_rate": 0.1383,
        "repel_rate": 0.575,
        "life_decay": 0.46,
        "relevance_rate": 0.0195,
        "neighborhood_decay": 4.916,
        "relevance_smoothness": 0.658,
        "max_nodes": 200,
    },
}


@pytest.mark.parametrize("dataset", sorted(PUBLISHED))
@pytest.mark.parametrize("chosen", ["dataset={}", "experiment=paper_{}"])
def test_a_dataset_brings_its_published_settings(dataset, chosen, tmp_path):
    cfg = plain(compose_config("train", [chosen.format(dataset)], tmp_path))
    settings = {"alpha": cfg["model"]["alpha"], **cfg["model"]["som"]}
    for name, value in PUBLISHED[dataset].items():
        assert settings[name] == value, name
    assert cfg["model"]["autoencoder"]["latent_dim"] == 22
    assert cfg["dataset"]["batch_size"] == 256
    assert cfg["trainer"]["max_epochs"] == 30


def test_a_key_of_the_command_line_wins_over_published_settings(tmp_path):
    cfg = compose_config("train", ["experiment=paper_mnist", "model.som.repel_rate=0.25"], tmp_path)
    assert cfg.model.som.repel_rate == 0.25


@pytest.mark.parametrize("dataset", ["digits", "usps"])
def test_other_datasets_get_the_general_settings(dataset, tmp_path):
    cfg = compose_config("train", [f"dataset={dataset}"], tmp_path)
    assert (
        cfg.model.alpha
        == yaml.safe_load((find_config_dir() / "model/dcsomrl.yaml").read_text())["alpha"]
    )


def test_the_run_directory_is_stable_by_name_and_seed():
    with initialize_config_dir(str(find_config_dir()), version_base="1.3"):
        cfg = compose("train", ["experiment=paper_mnist", "seed=4"], return_hydra_config=True)
    assert cfg.hydra.run.dir == "runs/paper_mnist/seed4"


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["model.som.repel_rat=1"], ["no model.som.repel_rat", "mean model.som.repel_rate?"]),
        (["modle.alpha=1"], ["no modle.alpha", "did you mean model.alpha?", "dataset"]),
        (["datset=mnist"], ["no datset", "did you mean dataset?"]),
        (["dataset=mnits"], ["dataset=mnits", "mnist", "fashion", "usps"]),
        (["+experiment=papr"], ["experiment=papr", "paper_mnist"]),
        (["model.som.activation_threshold"], ["model.som.activation_threshold"]),
    ],
)
def test_a_misspelt_key_or_group_says_what_exists(overrides, said):
    with (
        initialize_config_dir(str(find_config_dir()), version_base="1.3"),
        pytest.raises((HydraException, OmegaConfBaseException)) as caught,
    ):
        compose("train", overrides)
    sentence = explain(caught.value, "train", overrides)
    assert sentence is not None
    for part in said:
        assert part in sentence


def test_every_key_that_a_person_sets_is_explained():
    """A comment stands beside every number and every choice of the configuration."""
    bare = []
    for file in sorted(Path(find_config_dir()).rglob("*.yaml")):
        if file.parent.name in ("settings", "experiment"):  # these repeat keys explained elsewhere
            continue
        lines = file.read_text().splitlines()
        for before, line in zip(["", *lines], lines, strict=False):
            name, _, value = line.partition(":")
            set_here = value.split("#")[0].strip()
            number = set_here.replace(".", "").replace("e-", "").lstrip("-").isdigit()
            if number and "#" not in line and not before.strip().startswith("#"):
                bare.append(f"{file.name}: {name.strip()}")
    assert bare == []


def test_what_help_lists_exists(cli, tmp_path):
    done = cli("train", "--help")
    assert done.returncode == 0, done.stderr
    listed = re.findall(r"^  ([a-z_.]+)  +\S", done.stdout.split("== Config")[0], re.MULTILINE)
    assert 20 <= len(listed) <= 24
    cfg = compose_config("train", ["dataset=arrays", "dataset.path=here"], tmp_path)
    groups = {path.name for path in find_config_dir().iterdir() if path.is_dir()}
    assert set(listed) - groups <= set(list_keys(cfg))
    done = cli("predict", "--help")
    assert done.returncode == 0, done.stderr
    shown = yaml.safe_load(done.stdout)
    assert {"ckpt", "input", "output", "n_clusters"} <= shown.keys()
    assert not {"defaults", "hydra"} & shown.keys()
    assert "A .parquet or .csv file to write." in done.stdout


def test_a_reader_that_has_seen_enough_of_the_help_sees_no_traceback():
    command = f"{shlex.quote(PYTHON)} -m dcsomrl.train --help"
    run = {"capture_output": True, "text": True, "timeout": 120}
    done = subprocess.run(["bash", "-c", f"{command} | head -1"], **run)
    assert done.stdout.startswith("usage:")
    assert done.stderr == ""


def test_an_optimizer_is_chosen_by_name_and_keeps_the_model_s_rate(run_small, tmp_path):
    chosen = ("optimizer@model.optimizer=sgd", "model.optimizer.momentum=0.5")
    run_small(*chosen)
    kept = read_checkpoint(tmp_path / "run" / "checkpoints" / "last.ckpt")
    group = kept["optimizer_states"][0]["param_groups"][0]
    assert group["momentum"] == 0.5
    assert group["lr"] == 0.01
    cfg = compose_config("train", ["model=somvae", "optimizer@model.optimizer=adamw"], tmp_path)
    assert cfg.model.optimizer._target_ == "torch.optim.AdamW"
    assert cfg.model.optimizer.lr == 5e-4


@pytest.mark.slow
def test_published_settings_that_change_the_epochs_are_announced(cli, tmp_path):
    folder = tmp_path / "own" / "settings"
    folder.mkdir(parents=True)
    (folder / "dcsomrl_digits.yaml").write_text("# @package _global_\ntrainer: {max_epochs: 2}\n")
    arguments = ("--config-dir", "own", *(one for one in SMALL if "max_epochs" not in one))
    said = "settings=dcsomrl_digits, published for this model on this dataset, trains for 2 epochs"
    done = cli("train", *arguments)
    assert done.returncode == 0, done.stderr
    assert said in done.stdout + done.stderr
    done = cli("train", *arguments, "trainer.max_epochs=1", "seed=1")
    assert said not in done.stdout + done.stderr


def test_a_default_callback_can_be_taken_away(run_small, tmp_path):
    run_small("~callbacks.validation_scores")
    head = (tmp_path / "run" / "metrics.csv").read_text().splitlines()[0]
    assert "val/loss" in head
    assert "val/nmi" not in head
