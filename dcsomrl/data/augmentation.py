"""Random views of images, the same wherever and whenever they are made."""

import math
from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn.functional import affine_grid, grid_sample

from dcsomrl.data.counter import draw_uniform
from dcsomrl.errors import ConfigError
from dcsomrl.hints import check_arguments
from dcsomrl.ranges import NonNegative, Positive, Range, Share

# Share of red, green and blue in the lightness of a pixel (ITU-R BT.601).
LIGHTNESS = (0.299, 0.587, 0.114)

# Degrees of a turn to either side.
Turn = Annotated[float, Range(0, 180)]
# All views of a batch are in memory at once.
Views = Annotated[int, Range(0, 100)]


class Augmentation(nn.Module):
    """Views of images: moved, mirrored and tinted at random, whole batches at once.

    What a view looks like depends on the seed, the epoch, the row of its image and the number of
    the view alone. So a run that is resumed sees the views that it would have seen, and several
    processes see those of one. What lies beyond an image's rim is as its rim.

    Args:
        views: how many of every image, in [0, 100], and at least 1 unless they replace the samples.
        replace: whether a training sees, in place of every sample and of the neighbour beside it, a
            further view of it.
        shift: the furthest shift in each direction as a share of the side, in [0, 1].
        rotate: the largest turn to either side in degrees, in [0, 180].
        scale: the smallest and the largest factor of the size, above 0; drawn on a logarithmic
            scale.
        shear: the furthest shear to either side, as a share of the height, at least 0.
        flip: share of the views that are mirrored left to right, in [0, 1].
        brightness: the furthest that the factor of the brightness lies from 1, in [0, 1]; nothing
            is clipped.
        contrast: likewise, of the contrast with the image's mean lightness.
        saturation: likewise, of the colours' distance from grey; images then have three channels.

    Raises:
        ValueError: an argument outside its range.
    """

    @check_arguments
    def __init__(
        self,
        views: Views = 1,
        replace: bool = False,
        shift: Share = 0.0,
        rotate: Turn = 0.0,
        scale: Sequence[Positive] = (1.0, 1.0),
        shear: NonNegative = 0.0,
        flip: Share = 0.0,
        brightness: Share = 0.0,
        contrast: Share = 0.0,
        saturation: Share = 0.0,
    ) -> None:
        super().__init__()
        if not (views or replace):
            raise ValueError(
                f"views must be at least 1, got {views}; none with `replace=True` alone"
            )
        if len(scale) != 2 or scale[0] > scale[1]:
            raise ValueError(f"scale must be [low, high] with 0 < low <= high, got {list(scale)}")
        self.views, self.replace = views, replace
        self.shift, self.rotate, self.shear, self.flip = shift, rotate, shear, flip
        self.scale = tuple(scale)
        self.tint = brightness, contrast, saturation

    @torch.no_grad()
    def forward(
        self, x: Tensor, index: Tensor, seed: int, epoch: int, black: float = 0.0
    ) -> tuple[Tensor, ...]:
        """Views of a batch: as many as ``views``, see :meth:`view`."""
        return tuple(self.view(x, index, seed, epoch, black, n) for n in range(self.views))

    @torch.no_grad()
    def view(
        self, x: Tensor, index: Tensor, seed: int, epoch: int, black: float, number: int
    ) -> Tensor:
        """One view of every image of a batch.

        Args:
            x: (batch, channels, height, width).
            index: (batch,) rows of the images, int64.
            seed: any integer.
            epoch: counted from 0.
            black: value of a black pixel, below 0 in images that are normalised about their mean.
            number: which view, from 0; others look otherwise.

        Returns:
            Of the shape of ``x``.

        Raises:
            ConfigError: x are not images, or no colour images where colours are to change.
        """
        if x.ndim != 4:
            raise ConfigError(
                "views are made of images (channels, height, width), and the samples have the "
                f"shape {tuple(x.shape[1:])}: leave the augmentation out"
            )
        if self.tint[2] > 0 and x.shape[1] != len(LIGHTNESS):
            raise ConfigError(
                f"saturation is changed of colour images, and these have {x.shape[1]} channels: "
                "set saturation to 0"
            )
        # Columns of their own for what came later: what a seed gave stays as it was.
        some = draw_uniform(index.to(x.device), 9, seed, epoch, number).to(x.dtype)
        return self._adjust_colors(self._move(x, some[:, :5], some[:, 8]), some[:, 5:8], black)

    def _adjust_colors(self, x: Tensor, drawn: Tensor, black: float) -> Tensor:
        """Images in other colours, by three numbers in [0, 1) for every image."""
        if not any(self.tint):
            return x
        factors = 1 + drawn.new_tensor(self.tint) * (2 * drawn - 1)
        return adjust_colors(x - black, *factors.unbind(1)) + black

    def _move(self, x: Tensor, drawn: Tensor, sheared: Tensor) -> Tensor:
        """Images elsewhere, by five numbers and a sixth in [0, 1) for every image."""
        across, down, turn, size, mirrored = drawn.unbind(1)
        low, high = map(math.log, self.scale)
        return transform(
            x,
            angle=math.radians(self.rotate) * (2 * turn - 1),
            scale=(low + (high - low) * size).exp(),
            shift=self.shift * (2 * torch.stack([across, down], 1) - 1),
            mirrored=mirrored < self.flip,
            shear=self.shear * (2 * sheared - 1) if self.shear else None,
        )


def transform(
    x: Tensor,
    angle: Tensor,
    scale: Tensor,
    shift: Tensor,
    mirrored: Tensor,
    shear: Tensor | None = None,
) -> Tensor:
    """Images mirrored and sheared, then scaled and turned about their middle, then shifted.

    Args:
        x: (batch, channels, height, width).
        angle: (batch,) radians, counter-clockwise.
        scale: (batch,) factors of the size.
        shift: (batch, 2) to the right and down, as shares of width and height.
        mirrored: (batch,) mask.
        shear: (batch,) how far the top goes to the left of the middle, and the bottom to the right,
            as a share of its distance from it; None for none.

    Returns:
        The images, interpolated between pixels.
    """
    height, width = x.shape[2:]
    cos, sin = angle.cos() / scale, angle.sin() / scale
    side = torch.where(mirrored, -1.0, 1.0).to(x)
    # From a pixel of the view to the place in the image that it shows; both in [-1, 1].
    rows = [
        torch.stack([side * cos, -side * sin * height / width], 1),
        torch.stack([sin * width / height, cos], 1),
    ]
    turn = torch.stack(rows, 1)
    if shear is not None:  # undone last: the place in the image, less the shear of its height
        slant = shear * height / width
        turn = torch.stack([turn[:, 0] - slant[:, None] * turn[:, 1], turn[:, 1]], 1)
    back = -(turn @ (2 * shift)[:, :, None])
    grid = affine_grid(torch.cat([turn, back], 2), list(x.shape), align_corners=False)
    return grid_sample(x, grid, padding_mode="border", align_corners=False)


def adjust_colors(x: Tensor, brightness: Tensor, contrast: Tensor, saturation: Tensor) -> Tensor:
    """Images brighter or darker, then of more or less contrast, then of more or less colour.

    Args:
        x: (batch, channels, height, width), 0 is black.
        brightness: (batch,) factors of the values.
        contrast: (batch,) factors of their distance from the image's mean lightness.
        saturation: (batch,) factors of a colour's distance from the grey of its lightness; without
            effect on images of other than three channels.

    Returns:
        The images, not clipped.
    """
    x = x * brightness[:, None, None, None]
    middle = _compute_lightness(x).mean((1, 2, 3), keepdim=True)
    x = middle + (x - middle) * contrast[:, None, None, None]
    grey = _compute_lightness(x) if x.shape[1] == len(LIGHTNESS) else x
    return grey + (x - grey) * saturation[:, None, None, None]


def _compute_lightness(x: Tensor) -> Tensor:
    """(batch, 1, height, width) lightness of colours, mean of other channels."""
    if x.shape[1] != len(LIGHTNESS):
        return x.mean(1, keepdim=True)
    return torch.einsum("bchw,c->bhw", x, x.new_tensor(LIGHTNESS))[:, None]
