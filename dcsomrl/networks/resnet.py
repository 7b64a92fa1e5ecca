"""A small residual autoencoder with batch normalisation, for images of any size."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from dcsomrl.hints import check_arguments
from dcsomrl.networks.autoencoder import Autoencoder
from dcsomrl.networks.conv import plan_pyramid
from dcsomrl.networks.convolution import ChannelsLastConv2d
from dcsomrl.ranges import Count


class ResNetAutoencoder(Autoencoder):
    """Residual blocks that halve the image down to a dense code, and their mirror.

    The way back resizes to the very size that the encoder saw. Both ends are linear, and no layer
    before a normalisation has a bias.

    Args:
        input_shape: (channels, height, width) of one image.
        latent_dim: dimensions of a code.
        channels: channels after each halving.
        blocks: residual blocks at each size, at least 1.

    Raises:
        ValueError: the samples are not images, or a width is not positive.

    Source: He et al. 2016, the basic block of ResNet-18, here in both directions.
    """

    @check_arguments
    def __init__(
        self,
        input_shape: Sequence[int],
        latent_dim: Count = 22,
        channels: Sequence[Count] = (32, 64, 128),
        blocks: Count = 1,
    ) -> None:
        depths, sizes = plan_pyramid(input_shape, latent_dim, channels)
        widths = [channels[0], *channels]
        corner = (widths[-1], *sizes[-1])
        flat = corner[0] * corner[1] * corner[2]
        down: list[nn.Module] = [*_make_normalized(depths[0], widths[0]), nn.ReLU()]
        for before, after in pairwise(widths):
            down += [Block(before, after, stride=2), *_make_more(after, blocks)]
        up: list[nn.Module] = [nn.Linear(latent_dim, flat, bias=False), nn.Unflatten(1, corner)]
        up += [nn.BatchNorm2d(corner[0]), nn.ReLU()]
        for (before, after), size in zip(pairwise(widths[::-1]), sizes[-2::-1], strict=True):
            up += [nn.Upsample(size=size), Block(before, after), *_make_more(after, blocks)]
        encoder = nn.Sequential(*down, nn.Flatten(), nn.Linear(flat, latent_dim))
        decoder = nn.Sequential(*up, ChannelsLastConv2d(widths[0], depths[0], 3, padding=1))
        super().__init__(input_shape, latent_dim, encoder, decoder)


class Block(nn.Module):
    """Two convolutions beside a shortcut: ``relu(shortcut(x) + residual(x))``.

    Args:
        before: channels of the input.
        after: channels of the output.
        stride: 1, or 2 to halve the image, rounded up.
    """

    def __init__(self, before: int, after: int, stride: int = 1) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            *_make_normalized(before, after, stride), nn.ReLU(), *_make_normalized(after, after)
        )
        same = before == after and stride == 1
        self.shortcut = (
            nn.Identity()
            if same
            else nn.Sequential(*_make_normalized(before, after, stride, size=1))
        )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, after, height / stride, width / stride) of (batch, before, height, width)."""
        return nn.functional.relu(self.shortcut(x) + self.residual(x))


def _make_normalized(before: int, after: int, stride: int = 1, size: int = 3) -> list[nn.Module]:
    """A convolution, whose bias the normalisation after it would take away again."""
    convolution = ChannelsLastConv2d(before, after, size, stride, padding=size // 2, bias=False)
    return [convolution, nn.BatchNorm2d(after)]


def _make_more(width: int, blocks: int) -> list[nn.Module]:
    """The blocks at a size after the first one."""
    return [Block(width, width) for _ in range(blocks - 1)]
