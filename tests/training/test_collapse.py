"""A training ends when its map has held one node for long, and only then."""

import json

import pytest
import torch
from pytorch_lightning import Trainer

from dcsomrl.maps import SOMRL
from dcsomrl.models import DCSOMRL
from dcsomrl.networks import MLPAutoencoder
from dcsomrl.training.callbacks import StopCollapsed

# With a threshold of 0.5 every sample of [0, 1]^m is within the radius of any node.
COLLAPSED = (
    "callbacks=stop_collapsed",
    "callbacks.stop_collapsed.epochs=3",
    "model.som.activation_threshold=0.5",
)


def test_it_ends_after_so_many_epochs(run_small, tmp_path, caplog):
    metrics = run_small(*COLLAPSED, "trainer.max_epochs=8")
    assert metrics["epochs"] == 3
    assert metrics["nodes"] == 1
    assert "one node for 3 epochs, so the training ends with epoch 2" in caplog.text
    assert (tmp_path / "run" / "metrics.csv").read_text().count("\n") == 1 + 3


def test_a_map_with_nodes_trains_on(run_small):
    metrics = run_small(*COLLAPSED, "model.som.activation_threshold=0.999", "trainer.max_epochs=5")
    assert metrics["nodes"] > 1
    assert metrics["epochs"] == 5


@pytest.mark.slow
@pytest.mark.parametrize("before", [1, 2, 3])
def test_a_resumed_run_ends_where_it_would_have(run_small, tmp_path, before):
    whole, part = tmp_path / "whole", tmp_path / "part"
    run_small(*COLLAPSED, "trainer.max_epochs=8", run_dir=whole)
    run_small(*COLLAPSED, f"trainer.max_epochs={before}", run_dir=part)
    run_small(*COLLAPSED, "trainer.max_epochs=8", "ckpt_path=last", run_dir=part)
    assert (part / "metrics.csv").read_bytes() == (whole / "metrics.csv").read_bytes()
    metrics = [json.loads((folder / "metrics.json").read_text()) for folder in (part, whole)]
    for content in metrics:
        del content["seconds"]
    assert metrics[0] == metrics[1]


def test_the_epochs_are_counted_in_a_row():
    model = DCSOMRL(MLPAutoencoder((1, 2, 2), 2, hidden_dims=(3,)), SOMRL(2, 5))
    trainer = Trainer(accelerator="cpu", logger=False, enable_checkpointing=False)
    callback = StopCollapsed(epochs=2)
    for nodes, stops in ((1, False), (2, False), (1, False), (0, True)):
        trainer.should_stop = False
        model.som.live.copy_(torch.arange(5) < nodes)
        callback.on_train_epoch_end(trainer, model)
        assert trainer.should_stop == stops


def test_no_epoch_at_all_is_refused():
    with pytest.raises(ValueError, match="epochs must be at least 1, got 0"):
        StopCollapsed(0)
