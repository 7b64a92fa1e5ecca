"""Networks whose output depends on their mode, by BatchNorm or dropout."""

import copy

import pytest
import torch
from pytorch_lightning import Callback, Trainer
from torch import nn

from dcsomrl.data import Arrays, ClusterData
from dcsomrl.errors import ConfigError
from dcsomrl.models import DESOM, AutoencoderModel, KohonenModel
from dcsomrl.models.features import Features
from dcsomrl.networks import Autoencoder, evaluating
from dcsomrl.scoring import score, silhouette
from tests.networks.noisy import NoisyAutoencoder

SHAPE, BATCH = (6,), 8


def network():
    torch.manual_seed(0)
    return NoisyAutoencoder(SHAPE, 3, width=8)


def data(n=43, batch_size=BATCH):
    x = torch.rand(n, *SHAPE, generator=torch.Generator().manual_seed(1))
    arrays = Arrays(x, None, x[:9], None)
    return ClusterData(lambda: arrays, "toy", batch_size, 0.0, normalization="none")


def fit(model, *watchers, epochs=1, **settings):
    quiet = dict.fromkeys(("logger", "enable_progress_bar", "enable_model_summary"), False)
    trainer = Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        enable_checkpointing=False,
        callbacks=list(watchers),
        **quiet,
    )
    trainer.fit(model, datamodule=data(**settings))


def modes(module):
    return {name: part.training for name, part in module.named_modules()}


def state(module):
    return copy.deepcopy(module.state_dict())


def assert_same_state(one, other):
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name


@pytest.mark.parametrize("fails", [False, True])
def test_every_submodule_is_left_in_the_mode_it_was_found_in(fails):
    module = nn.Sequential(network(), nn.BatchNorm1d(2)).train()
    module[0].encoder[2].eval()
    before = modes(module)
    assert {True, False} == set(before.values())
    try:
        with evaluating(module):
            assert not any(modes(module).values())
            if fails:
                raise RuntimeError
    except RuntimeError:
        assert fails
    assert modes(module) == before


class Codes(Callback):
    """Takes the codes of the training part before every step, of a model half in evaluation."""

    def __init__(self):
        self.taken = 0

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        pl_module.autoencoder.decoder.eval()
        before, there = modes(pl_module), state(pl_module)
        one, other = pl_module.training_codes(), pl_module.training_codes()
        pl_module.decoded_prototypes()
        score(pl_module, trainer.datamodule.split_dataloader("test"), 0)
        silhouette(pl_module, trainer.datamodule.some_samples("test"))
        assert torch.equal(one, other)
        assert not one.requires_grad
        assert modes(pl_module) == before
        assert before["autoencoder.encoder"]
        assert not before["autoencoder.decoder"]
        assert_same_state(state(pl_module), there)
        self.taken += 1


def test_codes_between_steps_are_those_of_evaluation_and_leave_the_network_as_it_is():
    codes = Codes()
    fit(AutoencoderModel(network(), 4), codes)
    assert codes.taken == 6


def test_centers_are_those_of_the_codes_that_the_trained_network_gives():
    model = AutoencoderModel(network(), 4)
    fit(model, epochs=2)
    with torch.no_grad(), evaluating(model):
        z = model.encode(data_of_training())
    nearest = torch.cdist(z, model.centers).argmin(1)
    for k in range(4):
        torch.testing.assert_close(model.centers[k], z[nearest == k].mean(0))


def test_prototypes_are_decoded_as_in_evaluation():
    model = AutoencoderModel(network(), 4)
    fit(model)
    before, there = modes(model), state(model)
    assert before["autoencoder.decoder.1"]
    assert torch.equal(model.decoded_prototypes(), model.decoded_prototypes())
    assert modes(model) == before
    assert_same_state(state(model), there)


def data_of_training():
    toy = data()
    toy.setup("fit")
    return torch.cat([batch.x for batch in toy.split_dataloader("train")])


def test_a_frozen_network_stays_in_evaluation_and_its_statistics_stay():
    features = Features(SHAPE, network())
    assert not any(modes(features.autoencoder).values())
    assert not any(modes(features.train().autoencoder).values())
    assert features.training
    model = KohonenModel(SHAPE, network().train(), rows=2, columns=2)
    before = state(model.features.autoencoder)
    fit(model, epochs=2)
    assert not any(modes(model.features.autoencoder).values())
    assert_same_state(state(model.features.autoencoder), before)
    assert not any(weight.requires_grad for weight in model.features.parameters())


class Sizes(Callback):
    """Keeps the samples of every step, and whether it moved the running statistics."""

    def __init__(self):
        self.rows, self.moved = [], []

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.before = pl_module.autoencoder.encoder[2].running_mean.clone()
        self.weight = pl_module.autoencoder.encoder[1].weight.detach().clone()

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        after = pl_module.autoencoder.encoder[2].running_mean
        self.rows.append(batch.index.tolist())
        self.moved.append(not torch.equal(self.before, after))
        assert not torch.equal(self.weight, pl_module.autoencoder.encoder[1].weight)
        assert outputs["loss"].isfinite()


def test_a_last_batch_of_one_sample_is_trained_on_by_the_running_statistics():
    sizes = Sizes()
    model = AutoencoderModel(network(), 4)
    fit(model, sizes, n=2 * BATCH + 1)
    assert [len(rows) for rows in sizes.rows] == [BATCH, BATCH, 1]
    assert sorted(row for rows in sizes.rows for row in rows) == list(range(2 * BATCH + 1))
    assert sizes.moved == [True, True, False]
    assert all(part.training for part in model.modules() if isinstance(part, nn.BatchNorm1d))


def test_batches_of_one_sample_are_refused_where_statistics_are_trained():
    with pytest.raises(ConfigError, match=r"two samples or more .* `batch_size=1` on 1"):
        fit(AutoencoderModel(network(), 4), batch_size=1)
    fit(KohonenModel(SHAPE, network(), rows=2, columns=2), batch_size=1)  # frozen


def test_desom_takes_layers_of_every_kind_with_bias_and_without():
    layers = [
        nn.Linear(40, 40, bias=False),
        nn.Conv1d(40, 40, 3, bias=False),
        nn.ConvTranspose2d(40, 40, 3, bias=False),
        nn.Conv3d(40, 40, 1),
    ]
    encoder = nn.Sequential(*layers, nn.BatchNorm2d(40))
    DESOM(Autoencoder((40,), 40, encoder, nn.Identity()))
    for layer in layers:
        fan = layer.weight[0].numel() + layer.weight[:, 0].numel()
        bound = (6 / fan) ** 0.5
        assert 0.95 * bound < layer.weight.abs().max() <= bound
    assert not layers[-1].bias.any()
    assert torch.equal(encoder[-1].weight, torch.ones(40))
