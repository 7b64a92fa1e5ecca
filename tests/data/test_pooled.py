"""Both splits in one, as some baselines are published."""

import pytest
import torch

from dcsomrl.data.sources import mnist, mnist_all


@pytest.mark.data
def test_all_images_are_both_splits(data_dir):
    split, both = mnist(str(data_dir)), mnist_all(str(data_dir))
    assert len(both.train_x) == len(both.test_x) == 70_000
    assert torch.equal(both.train_x[60_000:], split.test_x)
    assert torch.equal(both.test_y[:60_000], split.train_y)
