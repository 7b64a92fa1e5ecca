"""Convolutional autoencoders for images of any size and number of channels."""

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from dcsomrl.hints import check_arguments
from dcsomrl.networks.autoencoder import Autoencoder, read_shape
from dcsomrl.networks.convolution import ChannelsLastConv2d
from dcsomrl.ranges import Count


class ConvAutoencoder(Autoencoder):
    """Convolutions of stride 2 down to a dense code, and back up by resizing and convolving.

    Resizing to the very size that the encoder saw, rather than a transposed convolution, keeps
    odd sizes exact and leaves no chequered pattern.

    Args:
        input_shape: (channels, height, width) of one image.
        latent_dim: dimensions of a code.
        channels: channels after each halving.

    Raises:
        ValueError: the samples are not images, or a width is not positive.
    """

    @check_arguments
    def __init__(
        self,
        input_shape: Sequence[int],
        latent_dim: Count = 22,
        channels: Sequence[Count] = (32, 64, 128),
    ) -> None:
        depths, sizes = plan_pyramid(input_shape, latent_dim, channels)
        down: list[nn.Module] = []
        for before, after in pairwise(depths):
            down += [ChannelsLastConv2d(before, after, 3, stride=2, padding=1), nn.ReLU()]
        up: list[nn.Module] = []
        for (before, after), size in zip(pairwise(depths[::-1]), sizes[-2::-1], strict=True):
            up += [
                nn.Upsample(size=size),
                ChannelsLastConv2d(before, after, 3, padding=1),
                nn.ReLU(),
            ]
        super().__init__(input_shape, latent_dim, *_join(down, up, latent_dim, depths, sizes))


class PooledConvAutoencoder(Autoencoder):
    """The network of SOM-VAE for images: wide convolutions, halved by pooling, and their mirror.

    Args:
        input_shape: (channels, height, width) of one image.
        latent_dim: dimensions of a code.
        channels: channels before each halving.
        kernel_size: of every convolution, at least 1.

    Raises:
        ValueError: the samples are not images, or a width is not positive.

    Source: Fortuin et al. 2018.
    """

    @check_arguments
    def __init__(
        self,
        input_shape: Sequence[int],
        latent_dim: Count = 64,
        channels: Sequence[Count] = (256, 256),
        kernel_size: Count = 4,
    ) -> None:
        depths, sizes = plan_pyramid(input_shape, latent_dim, channels)
        down: list[nn.Module] = []
        for before, after in pairwise(depths):
            down += [ChannelsLastConv2d(before, after, kernel_size, padding="same"), nn.ReLU()]
            down += [nn.MaxPool2d(2, ceil_mode=True)]
        up: list[nn.Module] = []
        for (before, after), size in zip(pairwise(depths[::-1]), sizes[-2::-1], strict=True):
            up += [nn.Upsample(size=size)]
            up += [ChannelsLastConv2d(before, after, kernel_size, padding="same"), nn.ReLU()]
        super().__init__(input_shape, latent_dim, *_join(down, up, latent_dim, depths, sizes))


def plan_pyramid(
    input_shape: Sequence[int], latent_dim: int, channels: Sequence[int]
) -> tuple[list[int], list[tuple[int, int]]]:
    """Channels and sizes of the image and of what each halving leaves of it."""
    shape = read_shape(input_shape)
    if len(shape) != 3:
        raise ValueError(
            "a convolutional autoencoder takes images (channels, height, width), but a sample "
            f"has shape {shape}: use `MLPAutoencoder`"
        )
    if not channels:
        raise ValueError("channels must hold at least one width, got none")
    sizes = [(shape[1], shape[2])]
    for _ in channels:
        sizes.append(((sizes[-1][0] + 1) // 2, (sizes[-1][1] + 1) // 2))
    return [shape[0], *channels], sizes


def _join(
    down: list[nn.Module],
    up: list[nn.Module],
    latent_dim: int,
    depths: list[int],
    sizes: list[tuple[int, int]],
) -> tuple[nn.Module, nn.Module]:
    """Encoder and decoder with a dense code between them; the output is linear."""
    corner = (depths[-1], *sizes[-1])
    flat = corner[0] * corner[1] * corner[2]
    encoder = nn.Sequential(*down, nn.Flatten(), nn.Linear(flat, latent_dim))
    start = [nn.Linear(latent_dim, flat), nn.ReLU(), nn.Unflatten(1, corner)]
    return encoder, nn.Sequential(*start, *up[:-1])
