"""The losses of the baselines against their formulas in NumPy, term by term."""

import math

import numpy as np
import pytest
import torch
from scipy.special import softmax

from dcsomrl.losses import Step, sharpen
from dcsomrl.models import DEC, DESOM, SOMVAE
from dcsomrl.networks import MLPAutoencoder


def network(latent=3):
    torch.manual_seed(0)
    return MLPAutoencoder((1, 4, 4), latent, hidden_dims=(8,))


@pytest.fixture
def x():
    return torch.rand(24, 1, 4, 4, generator=torch.Generator().manual_seed(1))


def terms(model, x):
    return model.terms(Step(x, model.encode(x), model))


def places(rows, columns):
    return [(row, column) for row in range(rows) for column in range(columns)]


def squares(z, centers):
    return ((z[:, None] - centers) ** 2).sum(-1)


def arrays(model, x):
    z = model.encode(x)
    return z.detach().numpy(), model.centers.detach().numpy()


def assert_codes_follow(model, term, x, by_code):
    """The encoder's gradient is that of a term's derivative by the codes."""
    weights = list(model.autoencoder.encoder.parameters())
    by_code = torch.as_tensor(by_code, dtype=torch.float32)
    expected = torch.autograd.grad(model.encode(x), weights, by_code)
    found = torch.autograd.grad(terms(model, x)[term], weights)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-6)
        assert one.abs().max() > 1e-5


def test_the_loss_of_desom_is_numpys(x):
    model = DESOM(network(), 3, 2, gamma=0.05)
    torch.nn.init.normal_(model.centers, std=0.3)
    model.temperature.fill_(1.7)
    z, centers = arrays(model, x)
    at = places(3, 2)
    expected = 0.0
    for code in z:
        apart = [((code - center) ** 2).sum() for center in centers]
        winner = at[int(np.argmin(apart))]
        for place, distance in zip(at, apart, strict=True):
            steps = abs(place[0] - winner[0]) + abs(place[1] - winner[1])
            expected += math.exp(-(steps**2) / 1.7**2) * distance / len(z)
    losses = terms(model, x)
    mse = ((model.decode(model.encode(x)) - x) ** 2).mean()
    assert losses["som"].item() == pytest.approx(expected, rel=1e-5)
    assert losses["loss"].item() == pytest.approx(mse.item() + 0.05 * expected, rel=1e-5)


def test_desom_moves_prototypes_and_encoder_by_the_map(x):
    model = DESOM(network(), 3, 2)
    torch.nn.init.normal_(model.centers, std=0.3)
    model.temperature.fill_(0.9)
    z, centers = arrays(model, x)
    place = np.array(places(3, 2))
    steps = np.abs(place[:, None] - place).sum(-1)
    weight = np.exp(-(steps**2) / 0.9**2)[squares(z, centers).argmin(1)]
    away = weight[..., None] * (centers - z[:, None])
    terms(model, x)["som"].backward()
    np.testing.assert_allclose(model.centers.grad, 2 * away.sum(0) / len(z), rtol=1e-4, atol=1e-6)
    assert_codes_follow(model, "som", x, -2 * away.sum(1) / len(z))
    assert all(p.grad is None for p in model.autoencoder.decoder.parameters())


def test_desom_temperature_falls_exponentially():
    model = DESOM(network(), t_max=10, t_min=0.1)
    assert [round(model.compute_temperature(share), 6) for share in (0, 0.5, 1)] == [10, 1, 0.1]


def test_the_losses_of_somvae_are_numpys(x):
    model = SOMVAE(network(), 3, 2, alpha=0.7, beta=0.6)
    torch.nn.init.normal_(model.centers, std=0.3)
    z, centers = arrays(model, x)
    at = places(3, 2)
    winner = squares(z, centers).argmin(1)
    commitment = ((z - centers[winner]) ** 2).mean()
    som = 0.0
    for code, k in zip(z, winner, strict=True):
        for center, place in zip(centers, at, strict=True):
            if abs(place[0] - at[k][0]) + abs(place[1] - at[k][1]) <= 1:
                som += ((code - center) ** 2).sum() / (5 * z.shape[1] * len(z))
    with torch.no_grad():
        from_q = ((model.decode(torch.tensor(centers[winner])) - x) ** 2).mean().item()
        from_e = ((model.decode(torch.tensor(z)) - x) ** 2).mean().item()
    losses = {name: value.item() for name, value in terms(model, x).items()}
    expected = {
        "reconstruction_q": from_q,
        "reconstruction_e": from_e,
        "commitment": commitment,
        "som": som,
        "loss": from_q + from_e + 0.7 * commitment + 0.6 * som,
    }
    assert losses == pytest.approx(expected, rel=1e-4)


def test_somvae_on_hexagons_has_six_neighbours(x):
    model = SOMVAE(network(), 4, 4, topology="hexagonal")
    torch.nn.init.normal_(model.centers, std=0.3)
    z, centers = arrays(model, x)
    places = model.grid.places().numpy()
    near = np.linalg.norm(places[:, None] - places, axis=2) < 1.01
    apart = squares(z, centers)
    expected = (apart * near[apart.argmin(1)]).sum() / (7 * z.size)
    assert terms(model, x)["som"].item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("copy", [False, True])
def test_somvae_gradients_go_where_they_should(x, copy):
    model = SOMVAE(network(), 3, 2, copy_gradient=copy)
    torch.nn.init.normal_(model.centers, std=0.3)
    terms(model, x)["som"].backward(retain_graph=True)
    assert all(p.grad is None for p in model.autoencoder.parameters())
    assert model.centers.grad.abs().sum() > 0
    model.zero_grad()
    z, centers = arrays(model, x)
    winner = squares(z, centers).argmin(1)
    quantized = torch.tensor(centers[winner], requires_grad=True)
    error = ((model.decode(quantized) - x) ** 2).mean()
    (by_code,) = torch.autograd.grad(error, quantized)
    terms(model, x)["reconstruction_q"].backward()
    for k, gradient in enumerate(model.centers.grad):
        torch.testing.assert_close(gradient, by_code[winner == k].sum(0), rtol=1e-3, atol=1e-7)
    if copy:
        assert_codes_follow(model, "reconstruction_q", x, by_code)
    else:
        assert all(p.grad is None for p in model.autoencoder.encoder.parameters())
    assert_codes_follow(model, "commitment", x, 2 * (z - centers[winner]) / z.size)


def test_somvae_terms_of_sequences(x):
    model = SOMVAE(network(), 3, 2, gamma=0.3, tau=0.2, sequence_length=8)
    torch.nn.init.normal_(model.centers, std=0.3)
    torch.nn.init.normal_(model.transitions)
    z, centers = arrays(model, x)
    apart = squares(z, centers)
    winner = apart.argmin(1)
    probability = softmax(model.transitions.detach().numpy(), axis=1)
    transition, smoothness = 0.0, 0.0
    for t in range(len(z)):
        before = winner[t] if t % 8 == 0 else winner[t - 1]
        transition -= math.log(probability[before, winner[t]]) / len(z)
        smoothness += (probability[before] * apart[t]).mean() / len(z)
    losses = terms(model, x)
    assert losses["transition"].item() == pytest.approx(transition, rel=1e-4)
    assert losses["smoothness"].item() == pytest.approx(smoothness, rel=1e-4)
    plain = sum(losses[name] for name in ("reconstruction_q", "reconstruction_e", "commitment"))
    total = plain + 0.9 * losses["som"] + 0.3 * transition + 0.2 * smoothness
    assert losses["loss"].item() == pytest.approx(total.item(), rel=1e-4)


@pytest.mark.parametrize(("reconstruction", "clustering"), [(0.0, 1.0), (1.0, 0.1)])
def test_the_loss_of_dec_and_idec_is_numpys(x, reconstruction, clustering):
    model = DEC(network(), 5, reconstruction=reconstruction, clustering=clustering)
    torch.nn.init.normal_(model.centers.data, std=0.3)
    model.started.fill_(True)
    z, centers = arrays(model, x)
    q = 1 / (1 + squares(z, centers))
    q /= q.sum(1, keepdims=True)
    p = q**2 / q.sum(0)
    p /= p.sum(1, keepdims=True)
    divergence = (p * np.log(p / q)).sum(1).mean()
    np.testing.assert_allclose(model.assign_softly(torch.tensor(z)).detach(), q, rtol=1e-4)
    np.testing.assert_allclose(sharpen(torch.tensor(q)), p, rtol=1e-6)
    losses = terms(model, x)
    mse = ((model.decode(model.encode(x)) - x) ** 2).mean().item()
    assert losses["clustering"].item() == pytest.approx(divergence, rel=1e-3)
    expected = reconstruction * mse + clustering * divergence
    assert losses["loss"].item() == pytest.approx(expected, rel=1e-3)


def test_dec_reconstructs_until_it_has_centres(x):
    model = DEC(network(), 5)
    losses = terms(model, x)
    assert losses["loss"] == losses["reconstruction"]


def test_dec_gradient_is_the_published_one(x):
    model = DEC(network(), 5)
    torch.nn.init.normal_(model.centers.data, std=0.3)
    model.started.fill_(True)
    z, centers = arrays(model, x)
    q = 1 / (1 + squares(z, centers))
    q /= q.sum(1, keepdims=True)
    p = sharpen(torch.tensor(q)).numpy()
    pull = 2 / (1 + squares(z, centers)) * (p - q)
    away = pull[..., None] * (z[:, None] - centers) / len(z)
    terms(model, x)["clustering"].backward()
    np.testing.assert_allclose(model.centers.grad, -away.sum(0), rtol=1e-3, atol=1e-6)
    assert_codes_follow(model, "clustering", x, away.sum(1))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DESOM(network(), gamma=-1), "gamma must be at least 0"),
        (lambda: DESOM(network(), t_min=20), "t_min must be at most t_max"),
        (lambda: SOMVAE(network(), beta=-1), "beta must be at least 0"),
        (lambda: SOMVAE(network(), tau=1), "sequences of two samples or more"),
        (lambda: SOMVAE(network(), lr_decay=0), "lr_decay must be in"),
        (lambda: DEC(network(), n_clusters=1), "n_clusters must be at least 2"),
        (lambda: DEC(network(), clustering=-1), "clustering must be at least 0"),
        (lambda: DEC(network(), update_interval=0), "update_interval must be at least 1"),
        (lambda: DEC(network(), pretrain_epochs=0), "without pretraining give the checkpoint"),
        (lambda: DEC(network(), tolerance=1), "tolerance must be in"),
    ],
)
def test_settings_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
