"""Neighbours are found again among the codes, once, and drawn from then on."""

from functools import partial

import numpy as np
import pytest
import torch
from pytorch_lightning import Callback, Trainer
from sklearn.neighbors import NearestNeighbors

from dcsomrl import DCSOMRL, SOMRL, ClusterData, MLPAutoencoder, Neighbors
from dcsomrl.data import sources
from dcsomrl.errors import ConfigError
from dcsomrl.training.callbacks import RefreshNeighbors


class Drawn(Callback):
    """Which neighbour stood beside every sample, by epoch."""

    def __init__(self):
        self.pairs = {}

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        pairs = np.stack([batch.index, batch.neighbor_index], 1)
        self.pairs.setdefault(trainer.current_epoch, []).append(pairs)


def fit(callbacks, neighbors, **settings):
    data = ClusterData(sources.digits, "digits", neighbors=neighbors)
    # A network that stays as it is: its codes at the end are those of every epoch.
    still = partial(torch.optim.SGD, lr=0.0)
    model = DCSOMRL(MLPAutoencoder((1, 8, 8), 5, hidden_dims=(16,)), SOMRL(5), optimizer=still)
    trainer = Trainer(
        **{"max_epochs": 4, **settings},
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=callbacks,
    )
    trainer.fit(model, datamodule=data)
    return model, data


def test_they_are_those_of_the_codes_from_then_on():
    torch.manual_seed(0)
    drawn, refresh = Drawn(), RefreshNeighbors(after=0.5)
    model, data = fit([drawn, refresh], Neighbors(k=3))
    codes = model.training_codes().double().numpy()
    found = NearestNeighbors(n_neighbors=4).fit(codes).kneighbors(codes, return_distance=False)
    graph = refresh.state_dict()["graph"].numpy()
    # Of codes that lie as far away in single precision either may be taken.
    pairs = zip(graph, found, strict=True)
    same = [len({*one} & {*other} - {row}) for row, (one, other) in enumerate(pairs)]
    assert np.mean(same) > 2.99
    by_samples = data.graph("train").numpy()
    assert (graph != by_samples).mean() > 0.5
    for epoch, batches in drawn.pairs.items():
        used = by_samples if epoch < 2 else graph
        rows, neighbors = np.concatenate(batches).T
        assert (used[rows] == neighbors[:, None]).any(1).all()
    assert set(drawn.pairs) == {0, 1, 2, 3}


@pytest.mark.parametrize("neighbors", [None, Neighbors(k=0)])
def test_without_neighbours_nothing_is_trained(neighbors):
    with pytest.raises(ConfigError, match="no neighbours to find anew"):
        fit([RefreshNeighbors()], neighbors)


def test_a_training_without_an_end_has_no_share():
    with pytest.raises(ConfigError, match="set `max_epochs`"):
        fit([RefreshNeighbors()], Neighbors(), max_epochs=-1)


@pytest.mark.parametrize("after", [0, 1, -0.5])
def test_a_share_out_of_its_range_is_refused(after):
    with pytest.raises(ValueError, match="above 0 and below 1"):
        RefreshNeighbors(after)
