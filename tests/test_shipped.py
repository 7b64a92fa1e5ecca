"""Models that come with the package."""

import json
from pathlib import Path

import pytest
import torch

import dcsomrl
from dcsomrl.checkpoints import read_checkpoint
from dcsomrl.errors import CheckpointError
from dcsomrl.shipped import SHIPPED, list_shipped

KEPT = Path(__file__).parent.parent / "experiments" / "results" / "shipped"
MODELS = list_shipped()


def test_models_are_there():
    assert MODELS == ["fashion", "mnist", "usps"]


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_small_knows_no_machine_and_gives_codes_and_nodes(name):
    assert (SHIPPED / f"{name}.ckpt").stat().st_size < 5_000_000
    config = read_checkpoint(name)["dcsomrl"]["config"]
    assert '"/' not in json.dumps(config)
    trained = dcsomrl.load(name)
    assert all(value.dtype != torch.float16 for value in trained.model.state_dict().values())
    codes = trained.model.encode(torch.rand(5, *trained.shape))
    found = trained.model.assign(codes)
    assert codes.isfinite().all()
    assert found.winner.shape == (5,)


@pytest.mark.data
@pytest.mark.parametrize("name", MODELS)
def test_a_model_has_the_scores_that_are_kept_and_half_precision_costs_nothing(name, data_dir):
    from experiments.shipped import score_checkpoint

    kept = json.loads((KEPT / f"{name}.json").read_text())
    scores = score_checkpoint(SHIPPED / f"{name}.ckpt")
    assert scores == pytest.approx(kept["after"], abs=2e-3)
    assert kept["after"] == pytest.approx(kept["before"], abs=2e-3)


def test_a_file_of_the_same_name_is_taken_in_its_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("usps").write_bytes(b"no checkpoint")
    with pytest.raises(CheckpointError, match="usps cannot be read"):
        dcsomrl.load("usps")


def test_a_name_that_is_none_is_told_what_there_is():
    with pytest.raises(CheckpointError, match="fashion, mnist, usps"):
        dcsomrl.load("mnits")
