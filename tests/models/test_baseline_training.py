"""What the baselines do over a training, step by step, against NumPy."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from pytorch_lightning import Callback, Trainer

from dcsomrl.data import Arrays, ClusterData
from dcsomrl.errors import ConfigError
from dcsomrl.maps import LARFDSSOM, SOMRL
from dcsomrl.models import (
    DCSOMRL,
    DEC,
    DESOM,
    SOMVAE,
    AutoencoderModel,
    KMeansModel,
    KohonenModel,
    RelevanceMapModel,
)
from dcsomrl.networks import MLPAutoencoder
from tests.maps.test_larfdssom import SETTINGS, Loop

N, BATCH, STEPS = 43, 8, 6


def samples():
    middles = torch.rand(5, 6, generator=torch.Generator().manual_seed(3))
    noise = torch.rand(N, 6, generator=torch.Generator().manual_seed(4))
    return (middles[torch.arange(N) % 5] + 0.1 * noise).clamp(0, 1)


def network(latent=3):
    torch.manual_seed(0)
    return MLPAutoencoder((6,), latent, hidden_dims=(8,))


def fit(model, *watchers, epochs=1):
    x = samples()
    arrays = Arrays(x, None, x[:5], None)
    data = ClusterData(
        lambda: arrays, "toy", batch_size=BATCH, val_fraction=0, normalization="none"
    )
    quiet = dict.fromkeys(("logger", "enable_progress_bar", "enable_model_summary"), False)
    trainer = Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        devices=1,
        enable_checkpointing=False,
        callbacks=list(watchers),
        **quiet,
    )
    trainer.fit(model, datamodule=data)
    return trainer


class Watch(Callback):
    """Calls back before every step, and keeps what is returned and the losses."""

    def __init__(self, before):
        self.before = before
        self.seen, self.losses = [], []

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.seen.append(self.before(pl_module, batch))

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        self.losses.append(float(outputs["loss"]) if outputs else None)


@torch.no_grad()
def codes(model, x):
    return model.encode(x).numpy().astype(float)


@torch.no_grad()
def error(model, x):
    return float(((model.decode(model.encode(x)) - x) ** 2).mean())


def squares(z, centers):
    return ((z[:, None] - centers) ** 2).sum(-1)


@pytest.mark.parametrize("reconstruction", [0.0, 1.0])
def test_dec_sharpens_the_assignment_of_the_whole_training_part(reconstruction, tmp_path):
    model = DEC(
        network(),
        4,
        reconstruction=reconstruction,
        clustering=0.5,
        pretrain_epochs=1,
        update_interval=3,
        tolerance=0,
        n_init=2,
    )
    target = {}

    def expected(model, batch):
        steps = model.trainer.global_step - STEPS
        mse = error(model, batch.x)
        if steps < 0:
            return mse
        if steps % 3 == 0:
            q = soft(model, samples())
            p = q**2 / q.sum(0)
            target["p"] = p / p.sum(1, keepdims=True)
        p, q = target["p"][batch.index.numpy()], soft(model, batch.x)
        return reconstruction * mse + 0.5 * (p * np.log(p / q)).sum(1).mean()

    def soft(model, x):
        q = 1 / (1 + squares(codes(model, x), model.codebook.centers.detach().numpy()))
        return q / q.sum(1, keepdims=True)

    watch = Watch(expected)
    first = Watch(lambda model, batch: next(model.autoencoder.encoder.parameters()).clone())
    fit(model, watch, first, epochs=3)
    assert not any(torch.equal(one, other) for one, other in pairwise(first.seen))
    assert len(watch.losses) == 3 * STEPS
    np.testing.assert_allclose(watch.losses, watch.seen, rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize(("tolerance", "steps"), [(0.0, 4 * STEPS), (0.99, STEPS + 4)])
def test_dec_ends_where_little_changes_between_two_renewals(tolerance, steps):
    model = DEC(network(), 4, pretrain_epochs=1, update_interval=3, tolerance=tolerance, n_init=2)
    assert fit(model, epochs=4).global_step == steps


def test_desom_starts_at_codes_of_the_data_and_cools_over_the_training():
    model = DESOM(network(), 3, 2)
    watch = Watch(
        lambda model, batch: (
            codes(model, samples()),
            model.codebook.centers.detach().clone().numpy(),
        )
    )
    heat = []

    class Heat(Callback):
        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            heat.append(float(pl_module.temperature))

    fit(model, watch, Heat(), epochs=2)
    z, centers = watch.seen[0]
    nearest = squares(centers, z)
    assert nearest.min(1).max() < 1e-10
    assert len(set(nearest.argmin(1))) == 6
    np.testing.assert_allclose(heat, 10 * 0.01 ** (np.arange(12) / 11), rtol=1e-5)


@pytest.mark.slow
def test_somvae_slows_down_every_thousand_steps():
    rates = []

    class Rates(Callback):
        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            rates.append(trainer.optimizers[0].param_groups[0]["lr"])

    fit(SOMVAE(network(), 2, 2, lr_decay=0.5), Rates(), epochs=168)
    assert len(rates) == 1008
    assert set(rates[:998]) == {5e-4}
    assert set(rates[1000:]) == {2.5e-4}


def test_the_autoencoder_learns_by_its_error_and_divides_its_last_codes():
    model = AutoencoderModel(network(), 4)
    watch = Watch(lambda model, batch: error(model, batch.x))
    fit(model, watch, epochs=3)
    np.testing.assert_allclose(watch.losses, watch.seen, rtol=1e-5)
    z = codes(model, samples())
    nearest = squares(z, model.codebook.centers.numpy()).argmin(1)
    for k, center in enumerate(model.codebook.centers.numpy()):
        np.testing.assert_allclose(center, z[nearest == k].mean(0), rtol=1e-4, atol=1e-5)


def test_kohonens_map_moves_once_an_epoch_at_a_falling_radius():
    model = KohonenModel((6,), rows=4, columns=2)
    watch = Watch(lambda model, batch: (batch.x.numpy(), model.codebook.centers.clone().numpy()))
    fit(model, watch, epochs=3)
    place = np.array([(k // 2, k % 2) for k in range(8)])
    steps = np.abs(place[:, None] - place).sum(-1)
    centers = watch.seen[0][1]
    for epoch, radius in enumerate((2.0, 1.0, 0.5)):
        x = np.concatenate([batch for batch, _ in watch.seen[epoch * STEPS :][:STEPS]])
        weight = np.exp(-(steps**2) / (2 * radius**2))[squares(x, centers).argmin(1)]
        centers = weight.T @ x / weight.sum(0)[:, None]
    np.testing.assert_allclose(model.codebook.centers, centers, rtol=1e-4)


@pytest.mark.parametrize("age_wins", [42, 1000])
def test_larfdssom_ends_by_whole_rounds_without_new_nodes(age_wins):
    settings = {**SETTINGS, "age_wins": age_wins, "lowest_share": 0.15}
    model = RelevanceMapModel((6,), lambda n_features: LARFDSSOM(n_features, **settings).double())
    model.double()
    watch = Watch(lambda model, batch: batch.x.tolist())
    fit(model, watch)
    loop = Loop(6, **settings)
    for batch in watch.seen:
        for x in batch:
            loop.learn(x)
    loop.age_wins, loop.frozen, loop.seen = 10**9, True, 0
    for node in filter(None, loop.nodes):
        node["wins"] = 0
    before = None
    while before != len(loop.live()):
        before = len(loop.live())
        for x in samples().double().tolist():
            loop.learn(x)
        loop.remove()
    assert model.som.live.tolist() == [node is not None for node in loop.nodes]
    assert len(loop.live()) > 1
    for j in loop.live():
        np.testing.assert_allclose(model.som.centers[j], loop.nodes[j]["c"], rtol=1e-5)


@pytest.mark.parametrize(
    "make",
    [
        lambda: AutoencoderModel(network(), n_clusters=N + 1),
        lambda: DEC(network(), n_clusters=N + 1, pretrain_epochs=1),
        lambda: DESOM(network(), rows=11, columns=4),
        lambda: KMeansModel((6,), n_clusters=N + 1),
        lambda: KohonenModel((6,), rows=11, columns=4),
    ],
)
def test_more_clusters_than_samples_are_refused_before_the_training(make):
    started = Watch(lambda *_: pytest.fail("a step was begun"))
    said = rf"there are {N} training samples, fewer than the 44 clusters that start at them: lower"
    with pytest.raises(ConfigError, match=said):
        fit(make(), started, epochs=2)


@pytest.mark.parametrize(
    "make",
    [
        lambda: DCSOMRL(MLPAutoencoder((5,), 3, [8]), SOMRL(3)),
        lambda: KMeansModel((5,), n_clusters=3),
        lambda: RelevanceMapModel((5,), SOMRL, MLPAutoencoder((5,), 3, [8])),
    ],
)
def test_data_of_another_width_is_refused(make):
    with pytest.raises(ValueError, match=r"takes samples \(batch, 5\), got \(\d+, 6\)"):
        fit(make())
