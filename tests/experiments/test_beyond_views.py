"""The choice of the strength of views, without labels and without training."""

import torch

from experiments.beyond_views import measure_own


def test_views_that_have_left_their_own_image_are_counted():
    images = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]).reshape(4, 1, 1, 2)
    rows = torch.tensor([0, 1, 3])
    moved = torch.tensor([[0.4, 0.4], [0.1, 0.3], [0.9, 0.6]]).reshape(3, 1, 1, 2)
    assert measure_own(images, rows, images[rows]) == 1
    # The second lies nearer to the first image.
    assert abs(measure_own(images, rows, moved) - 2 / 3) < 1e-6
