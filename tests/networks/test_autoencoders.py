import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from dcsomrl.networks import (
    ConvAutoencoder,
    MLPAutoencoder,
    PooledConvAutoencoder,
    ResNetAutoencoder,
)
from dcsomrl.networks.convolution import ChannelsLastConv2d


@given(
    shape=st.one_of(
        st.tuples(st.integers(1, 9)),
        st.tuples(st.integers(1, 4), st.integers(1, 17), st.integers(1, 17)),
    ),
    latent_dim=st.integers(1, 5),
)
@settings(max_examples=30, deadline=None)
def test_mlp_maps_any_shape_to_a_code_and_back(shape, latent_dim):
    autoencoder = MLPAutoencoder(shape, latent_dim, hidden_dims=(6, 7))
    x = torch.randn(3, *shape)
    code = autoencoder.encode(x)
    assert code.shape == (3, latent_dim)
    assert autoencoder.decode(code).shape == x.shape


@given(
    channels=st.integers(1, 4),
    height=st.integers(1, 33),
    width=st.integers(1, 33),
    depths=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    build=st.sampled_from([ConvAutoencoder, PooledConvAutoencoder, ResNetAutoencoder]),
)
@settings(max_examples=30, deadline=None)
def test_conv_maps_any_image_to_a_code_and_back(channels, height, width, depths, build):
    autoencoder = build((channels, height, width), 3, depths)
    x = torch.randn(2, channels, height, width)
    code = autoencoder.encode(x)
    assert code.shape == (2, 3)
    assert autoencoder.decode(code).shape == x.shape


def test_mlp_has_the_published_layers_and_linear_ends():
    autoencoder = MLPAutoencoder((1, 28, 28), 22)
    widths = [
        (layer.in_features, layer.out_features)
        for layer in autoencoder.modules()
        if isinstance(layer, nn.Linear)
    ]
    down = [(784, 500), (500, 500), (500, 2000), (2000, 22)]
    assert widths == down + [(b, a) for a, b in reversed(down)]
    assert isinstance(autoencoder.encoder[-1], nn.Linear)
    assert isinstance(autoencoder.decoder[-2], nn.Linear)
    assert sum(isinstance(layer, nn.ReLU) for layer in autoencoder.modules()) == 6


def test_pooled_conv_has_the_layers_published_for_somvae():
    autoencoder = PooledConvAutoencoder((1, 28, 28))
    kernels = [
        (*layer.weight.shape,) for layer in autoencoder.modules() if isinstance(layer, nn.Conv2d)
    ]
    down = [(256, 1, 4, 4), (256, 256, 4, 4)]
    assert kernels == [*down, (256, 256, 4, 4), (1, 256, 4, 4)]
    dense = [layer for layer in autoencoder.modules() if isinstance(layer, nn.Linear)]
    widths = [(layer.in_features, layer.out_features) for layer in dense]
    assert widths == [(7 * 7 * 256, 64), (64, 7 * 7 * 256)]
    assert sum(isinstance(layer, nn.MaxPool2d) for layer in autoencoder.encoder) == 2


@pytest.mark.parametrize(
    "build", [MLPAutoencoder, ConvAutoencoder, PooledConvAutoencoder, ResNetAutoencoder]
)
def test_every_weight_takes_part_in_the_reconstruction(build):
    torch.manual_seed(0)
    autoencoder = build((2, 9, 11), 4)
    x = torch.randn(8, 2, 9, 11)
    autoencoder.decode(autoencoder.encode(x)).square().sum().backward()
    for name, weight in autoencoder.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().sum() > 0, name


def test_conv_refuses_vectors_and_names_the_other_network():
    with pytest.raises(ValueError, match="use `MLPAutoencoder`"):
        ConvAutoencoder((30,))


@pytest.mark.parametrize(
    ("build", "settings"),
    [
        (MLPAutoencoder, {"hidden_dims": (4, 0)}),
        (MLPAutoencoder, {"latent_dim": 0}),
        (ConvAutoencoder, {"channels": ()}),
        (ConvAutoencoder, {"channels": (3, 0)}),
        (ConvAutoencoder, {"latent_dim": 0}),
        (PooledConvAutoencoder, {"channels": (0,)}),
        (PooledConvAutoencoder, {"kernel_size": 0}),
        (ResNetAutoencoder, {"channels": (3, 0)}),
        (ResNetAutoencoder, {"blocks": 0}),
    ],
)
def test_widths_that_are_not_positive_are_refused(build, settings):
    with pytest.raises(ValueError, match="at least"):
        build((1, 8, 8), **settings)


@pytest.mark.parametrize("build", [MLPAutoencoder, ConvAutoencoder, ResNetAutoencoder])
@pytest.mark.parametrize("shape", [5, None, (1, 2.5, 3)])
def test_a_shape_that_is_none_is_refused(build, shape):
    with pytest.raises(ValueError, match="input_shape must be the sides of a sample, such as"):
        build(shape)


def test_samples_of_another_shape_are_refused():
    autoencoder = MLPAutoencoder((4,), 3, hidden_dims=(5,))
    with pytest.raises(ValueError, match=r"takes samples \(batch, 4\), got \(10, 7\)"):
        autoencoder.encode(torch.rand(10, 7))


@given(
    size=st.integers(2, 9), stride=st.integers(1, 2), before=st.integers(1, 4), bias=st.booleans()
)
@settings(max_examples=20, deadline=None)
def test_channels_last_convolution_computes_what_torch_does(size, stride, before, bias):
    own = ChannelsLastConv2d(before, 5, 3, stride, padding=1, bias=bias)
    plain = nn.Conv2d(before, 5, 3, stride, padding=1, bias=bias)
    plain.load_state_dict(own.state_dict())
    x = torch.randn(2, before, size, size)
    results = []
    for layer in (own, plain):
        given_x = x.clone().requires_grad_()
        y = layer(given_x)
        y.square().sum().backward()
        results.append((y, given_x.grad, layer.weight.grad))
    for mine, theirs in zip(*results, strict=True):
        torch.testing.assert_close(mine, theirs)
    layout = torch.channels_last
    assert own(torch.randn(2, 4 * before, size, size)[:, ::4]).is_contiguous(memory_format=layout)
