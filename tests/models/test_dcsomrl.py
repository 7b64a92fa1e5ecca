import pytest
import torch

from dcsomrl.losses import Step
from dcsomrl.maps import SOMRL
from dcsomrl.models import DCSOMRL
from dcsomrl.networks import MLPAutoencoder


def make(alpha=0.5, **som):
    torch.manual_seed(0)
    autoencoder = MLPAutoencoder((1, 4, 4), 3, hidden_dims=(8,))
    return DCSOMRL(autoencoder, SOMRL(3, 10, activation_threshold=0.9999, **som), alpha=alpha)


@pytest.fixture
def x():
    return torch.randn(32, 1, 4, 4, generator=torch.Generator().manual_seed(1))


def terms(model, x):
    step = Step(x, model.encode(x), model)
    return model.training_terms(step) if model.training else model.terms(step)


def trained(model, x, steps=5):
    model.train()
    for _ in range(steps):
        terms(model, x)
    return model


def test_loss_is_equation_7_on_the_map_after_its_step(x):
    model = trained(make(alpha=0.7), x)
    losses = terms(model, x)
    z = torch.sigmoid(model.autoencoder.encoder(x))
    centers, relevances = model.som.centers, model.som.relevances
    apart = (relevances * (z[:, None] - centers) ** 2).sum(-1)
    total = relevances.sum(-1)
    activation = torch.where(model.som.live, total / (total + apart + 1e-7), -1.0)
    winner = activation.argmax(1)
    reconstruction = ((x - model.autoencoder.decoder(z)) ** 2).mean()
    clustering = apart[torch.arange(32), winner].mean()
    torch.testing.assert_close(losses["reconstruction"], reconstruction)
    torch.testing.assert_close(losses["clustering"], clustering)
    torch.testing.assert_close(losses["loss"], reconstruction + 0.7 * clustering)
    torch.testing.assert_close(losses["latent_spread"], z.std(0, correction=0).mean())


def test_clustering_loss_moves_the_encoder_and_not_the_decoder(x):
    model = trained(make(), x)
    terms(model, x)["clustering"].backward()
    for name, weight in model.autoencoder.encoder.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().sum() > 0, name
    assert all(weight.grad is None for weight in model.autoencoder.decoder.parameters())


def test_no_gradient_reaches_the_map(x):
    model = trained(make(), x)
    terms(model, x)["loss"].backward()
    for name, buffer in model.som.named_buffers():
        assert not buffer.requires_grad, name
        assert buffer.grad is None, name


def test_clustering_gradient_pulls_a_code_towards_its_centre(x):
    model = trained(make(), x)
    model.som.eval()
    z = torch.rand(32, 3, requires_grad=True)
    assigned = model.som(z)
    assigned.distance.sum().backward()
    center = model.som.centers[assigned.winner]
    relevance = model.som.relevances[assigned.winner]
    torch.testing.assert_close(z.grad, 2 * relevance * (z.detach() - center))


def test_evaluation_leaves_the_map_as_it_is(x):
    model = trained(make(), x).eval()
    before = {name: value.clone() for name, value in model.som.state_dict().items()}
    terms(model, x)
    model.cluster(x)
    for name, value in model.som.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0, msg=name)


def test_training_steps_the_map_once_a_batch(x):
    model, alone = make(), SOMRL(3, 10, activation_threshold=0.9999)
    for _ in range(4):
        alone(model.encode(x).detach())
        terms(model, x)
    for name, value in model.som.state_dict().items():
        torch.testing.assert_close(value, alone.state_dict()[name], rtol=0, atol=0, msg=name)


def test_cluster_assigns_the_codes_and_decodes_nothing(x):
    model = trained(make(), x).eval()
    model.autoencoder.decoder = torch.nn.Identity()
    for one, other in zip(model.cluster(x), model.som.assign(model.encode(x)), strict=True):
        assert torch.equal(one, other)


def test_decoded_prototypes_are_the_live_centres_through_the_decoder(x):
    model = trained(make(), x).eval()
    live = model.codebook.live_slots()
    assert len(live) == int(model.som.n_live)
    expected = model.autoencoder.decoder(model.som.centers[live])
    torch.testing.assert_close(model.decoded_prototypes(), expected.detach())


def test_codes_and_map_are_single_precision_under_bfloat16(x):
    model = make()
    with torch.autocast("cpu", torch.bfloat16):
        losses = terms(model, x)
        assert model.encode(x).dtype == torch.float32
    assert model.som.centers.dtype == torch.float32
    assert losses["loss"].dtype == torch.float32


def test_widths_and_weights_out_of_range_are_refused():
    autoencoder = MLPAutoencoder((4,), 3, hidden_dims=(8,))
    with pytest.raises(ValueError, match="map takes 5 features"):
        DCSOMRL(autoencoder, SOMRL(5))
    with pytest.raises(ValueError, match="alpha must be at least 0"):
        DCSOMRL(autoencoder, SOMRL(3), alpha=-1)
