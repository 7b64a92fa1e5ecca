"""Views of images: what is drawn, what is done with it, and that a stopped run sees the same."""

import numpy as np
import pytest
import torch
from scipy import ndimage
from scipy.stats import kstest

from dcsomrl.checkpoints import read_checkpoint
from dcsomrl.configuration import compose_config
from dcsomrl.data import Augmentation, ClusterData, Neighbors
from dcsomrl.data.augmentation import adjust_colors, transform
from dcsomrl.data.counter import draw_uniform
from dcsomrl.data.sources import digits
from dcsomrl.errors import ConfigError
from dcsomrl.losses import Step, Term
from dcsomrl.train import train
from tests.conftest import SMALL


def splitmix(index: list[int], n: int, *keys: int) -> np.ndarray:
    """The same numbers with unsigned integers of Python's own."""
    whole = 2**64

    def mix(state):
        state %= whole
        state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 % whole
        state = (state ^ (state >> 27)) * 0x94D049BB133111EB % whole
        return state ^ (state >> 31)

    step, rows = 0x9E3779B97F4A7C15, []
    for row in index:
        state = 0
        for key in keys:
            state = mix(state + step * key)
        state = mix(state + step * (row + 1))
        rows.append([(mix(state + step * (i + 1)) >> 40) / 2**24 for i in range(n)])
    return np.array(rows)


def test_numbers_are_those_of_splitmix():
    index = [0, 1, 7, 59_999, 2**40]
    found = draw_uniform(torch.tensor(index), 4, 3, 0, 2)
    np.testing.assert_array_equal(found.double(), splitmix(index, 4, 3, 0, 2))
    np.testing.assert_array_equal(
        draw_uniform(torch.tensor(index), 4, -5, 2**62).double(), splitmix(index, 4, -5, 2**62)
    )


def test_numbers_are_even_and_independent():
    drawn = draw_uniform(torch.arange(20_000), 5, 0, 0, 0).double()
    for column in drawn.T:
        assert kstest(column.numpy(), "uniform").pvalue > 1e-3
    others = [draw_uniform(torch.arange(20_000), 5, *keys).double() for keys in ((1, 0), (0, 1))]
    together = np.corrcoef(torch.cat([drawn, *others], 1).numpy().T)
    assert np.abs(together - np.eye(15)).max() < 0.03
    # A row does not depend on who stands beside it.
    assert torch.equal(drawn[500:510].float(), draw_uniform(torch.arange(500, 510), 5, 0, 0, 0))


def still(n: int, **changed: torch.Tensor) -> dict[str, torch.Tensor]:
    zeros = torch.zeros(n)
    usual = {"angle": zeros, "scale": zeros + 1, "shift": torch.zeros(n, 2), "mirrored": zeros > 0}
    return {**usual, **changed}


@pytest.fixture
def images():
    return torch.rand(3, 2, 6, 8, generator=torch.Generator().manual_seed(0))


def test_nothing_moves_where_nothing_is_asked(images):
    torch.testing.assert_close(transform(images, **still(3)), images)
    torch.testing.assert_close(Augmentation()(images, torch.arange(3), 0, 0)[0], images)


def test_a_shift_of_whole_pixels_moves_the_pixels_and_repeats_the_rim(images):
    found = transform(images, **still(3, shift=torch.tensor([[2 / 8, -1 / 6]] * 3)))
    expected = torch.cat([images[..., :1]] * 2 + [images[..., :-2]], -1)
    expected = torch.cat([expected[..., 1:, :], expected[..., -1:, :]], -2)
    torch.testing.assert_close(found, expected)


def test_a_mirror_and_a_quarter_turn_move_whole_pixels(images):
    mirrored = torch.tensor([True, False, True])
    found = transform(images, **still(3, mirrored=mirrored))
    torch.testing.assert_close(found[::2], images[::2].flip(-1))
    torch.testing.assert_close(found[1], images[1])
    square = images[..., :6]
    found = transform(square, **still(3, angle=torch.full((3,), torch.pi / 2)))
    torch.testing.assert_close(found, square.rot90(1, (-2, -1)), atol=1e-5, rtol=1e-5)


def test_a_turn_and_a_scale_are_scipys():
    image = torch.zeros(1, 1, 21, 31)
    image[0, 0, 6:15, 10:22] = torch.rand(9, 12, generator=torch.Generator().manual_seed(1))
    angle, scale = 0.4, 1.3
    found = transform(image, **still(1, angle=torch.tensor([angle]), scale=torch.tensor([scale])))
    cos, sin = np.cos(angle) / scale, np.sin(angle) / scale
    # Rows before columns, and rows count downwards.
    back = np.array([[cos, sin], [-sin, cos]])
    middle = np.array([10.0, 15.0])
    expected = ndimage.affine_transform(
        image[0, 0].numpy(), back, middle - back @ middle, order=1, mode="nearest"
    )
    np.testing.assert_allclose(found[0, 0], expected, atol=1e-4)


def test_a_shear_slants_what_stood_upright():
    x = torch.rand(1, 1, 21, 31, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    still, none = torch.zeros(1), torch.zeros(1, dtype=torch.bool)
    args = (still, still + 1, torch.zeros(1, 2), none)
    found = transform(x, *(one.to(x) if one.dtype != torch.bool else one for one in args),
                      shear=torch.tensor([0.3], dtype=torch.float64))  # fmt: skip
    # Pixel (y, x) of the view shows the place x - 0.3 y from the middle.
    rows, columns = np.indices((21, 31)).astype(float)
    places = np.stack([rows, columns - 0.3 * (rows - 10)])
    expected = ndimage.map_coordinates(x[0, 0].numpy(), places, order=1, mode="nearest")
    np.testing.assert_allclose(found[0, 0], expected, atol=1e-9)


def test_views_take_the_place_of_samples_and_neighbours_in_training_alone():
    class Trainer:
        current_epoch, training, validating = 3, True, False

    data = ClusterData(
        digits,
        "digits",
        batch_size=64,
        neighbors=Neighbors(3),
        augmentation=Augmentation(views=1, replace=True, shift=0.2),
    )
    data.setup("fit")
    loader = data.train_dataloader()
    data.trainer = Trainer()
    plain = next(iter(loader))
    batch = data.on_after_batch_transfer(plain, 0)
    black = float(-data.offset / data.scale)

    def view(x, index, number):
        return data.augmentation.view(x, index, 0, 3, black, number)

    assert torch.equal(batch.views[0], view(plain.x, plain.index, 0))
    assert torch.equal(batch.x, view(plain.x, plain.index, 1))
    assert torch.equal(batch.neighbor, view(plain.neighbor, plain.neighbor_index, 2))
    assert not torch.equal(batch.x, plain.x)
    data.trainer.training, data.trainer.validating = False, True
    batch = data.on_after_batch_transfer(plain, 0)
    assert torch.equal(batch.x, plain.x)
    assert torch.equal(batch.neighbor, plain.neighbor)


def test_a_tint_is_that_of_a_loop_over_images():
    x = torch.rand(4, 3, 5, 7, generator=torch.Generator().manual_seed(2))
    brightness, contrast, saturation = torch.rand(3, 4, generator=torch.Generator().manual_seed(3))
    found = adjust_colors(x, brightness, contrast, saturation).numpy()
    share = np.array([0.299, 0.587, 0.114])[:, None, None]
    for one, image in enumerate(x.double().numpy()):
        image = image * float(brightness[one])
        middle = (image * share).sum(0).mean()
        image = middle + (image - middle) * float(contrast[one])
        grey = (image * share).sum(0)
        expected = grey + (image - grey) * float(saturation[one])
        np.testing.assert_allclose(found[one], expected, atol=1e-6)
    # One channel has no colour to change.
    grey, ones = x[:, :1], torch.ones(4)
    torch.testing.assert_close(adjust_colors(grey, ones, ones, saturation), grey)


def test_colours_change_alike_however_the_images_are_normalised():
    raw = torch.rand(6, 3, 8, 8, generator=torch.Generator().manual_seed(4))
    augment = Augmentation(shift=0.1, brightness=0.5, contrast=0.5, saturation=0.5)
    index = torch.arange(6)
    plain = augment(raw, index, 0, 0)[0]
    normalised = augment((raw - 0.4) / 0.2, index, 0, 0, black=-0.4 / 0.2)[0]
    torch.testing.assert_close(normalised * 0.2 + 0.4, plain, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(plain, Augmentation(shift=0.1)(raw, index, 0, 0)[0], atol=0.05)


def test_colours_of_grey_images_are_refused():
    with pytest.raises(ConfigError, match="these have 1 channels: set saturation to 0"):
        Augmentation(saturation=0.1)(torch.rand(2, 1, 4, 4), torch.arange(2), 0, 0)


def test_a_training_makes_the_views_of_raw_images():
    made = []

    class Watched(Augmentation):
        def forward(self, x, index, seed, epoch, black=0.0):
            made.append(black)
            return super().forward(x, index, seed, epoch, black)

    data = ClusterData(digits, "digits", normalization="standard", augmentation=Watched())
    data.setup("fit")
    batch = next(iter(data.split_dataloader("train")))
    data.trainer = type("Now", (), {"training": True, "validating": False, "current_epoch": 0})()
    data.on_after_batch_transfer(batch, 0)
    assert made == [pytest.approx(float(data.normalize(torch.zeros(1, 1, 8, 8)).mean()))]


def test_views_stay_within_what_is_asked_and_differ():
    x = torch.zeros(400, 1, 41, 41)
    x[:, :, 20, 20] = 1.0
    augment = Augmentation(views=2, shift=0.25)
    one, two = augment(x, torch.arange(400), 0, 0)
    at = torch.stack([view.flatten(1).argmax(1) for view in (one, two)])
    away = torch.stack([at // 41 - 20, at % 41 - 20])
    assert away.abs().max() in (10, 11)
    assert (away[:, 0] != away[:, 1]).any(0).float().mean() > 0.9
    again = augment(x[100:200], torch.arange(100, 200), 0, 0)
    torch.testing.assert_close(again[1], two[100:200], rtol=0, atol=0)
    assert not torch.equal(augment(x, torch.arange(400), 0, 1)[0], one)
    assert not torch.equal(augment(x, torch.arange(400), 1, 0)[0], one)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"views": 0}, "views must be at least 1, got 0"),
        ({"views": 101}, r"views must be in \[0, 100\], got 101"),
        ({"shift": 1.5}, "shift must be in"),
        ({"rotate": -1}, "rotate must be in"),
        ({"scale": [0, 1]}, "scale must be"),
        ({"scale": [1.2, 1.1]}, "scale must be"),
        ({"contrast": 1.5}, "contrast must be in"),
    ],
)
def test_settings_out_of_range_are_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        Augmentation(**settings)


def test_vectors_have_no_views():
    with pytest.raises(ConfigError, match=r"the samples have the shape \(5,\)"):
        Augmentation()(torch.rand(3, 5), torch.arange(3), 0, 0)


class Agreement(Term):
    """The codes of views are to be those of their samples."""

    compares_views = True

    def forward(self, step: Step) -> torch.Tensor:
        return sum((code - step.z).square().mean() for code in step.view_codes)


AGREEING = (
    "augmentation=shift_rotate_scale", "dataset.augmentation.views=2",
    "+model.losses.agreement._target_=tests.data.test_augmentation.Agreement",
)  # fmt: skip


@pytest.mark.slow
def test_a_term_on_views_trains_resumes_and_is_logged(run_small, tmp_path):
    run_small(*AGREEING, "trainer.max_epochs=2", run_dir=tmp_path / "whole")
    run_small(*AGREEING, "trainer.max_epochs=1")
    run_small(*AGREEING, "trainer.max_epochs=2", "ckpt_path=last")
    one, two = (
        read_checkpoint(tmp_path / name / "checkpoints" / "last.ckpt")["state_dict"]
        for name in ("whole", "run")
    )
    assert all(torch.equal(one[name], two[name]) for name in one)
    head = (tmp_path / "run" / "metrics.csv").read_text().splitlines()[0].split(",")
    assert {"train/agreement", "val/agreement"} <= set(head)
    run_small("trainer.max_epochs=2", run_dir=tmp_path / "plain")
    plain = read_checkpoint(tmp_path / "plain" / "checkpoints" / "last.ckpt")["state_dict"]
    assert not all(torch.equal(one[name], plain[name]) for name in plain)


def test_a_term_on_views_wants_views(run_small):
    with pytest.raises(ConfigError, match="give the data an augmentation=shift_rotate_scale"):
        run_small(*AGREEING[2:])


@pytest.mark.slow
def test_views_that_nothing_compares_are_said(run_small):
    said = "no term of the loss compares any"
    metrics = run_small("augmentation=flip_crop", "trainer.max_epochs=1")
    assert any(said in one for one in metrics["warnings"])
    metrics = run_small(*AGREEING, "trainer.max_epochs=1")
    assert not any(said in one for one in metrics["warnings"])


class Older(ClusterData):
    """A datamodule of one's own that knows nothing of views."""

    def __init__(self, name: str, source: object, batch_size: int, val_fraction: float,
                 normalization: str, sequence_length: int, seed: int) -> None:  # fmt: skip
        super().__init__(digits, name, batch_size=batch_size)


def test_a_datamodule_of_ones_own_needs_no_views(tmp_path):
    own = "dataset._target_=tests.data.test_augmentation.Older"
    cfg = compose_config("train", [*SMALL, own, "trainer.max_epochs=1"], tmp_path / "run")
    assert train(cfg)["epochs"] == 1
    with pytest.raises(ConfigError, match="makes no views: choose augmentation=none"):
        train(compose_config("train", [*SMALL, own, "augmentation=flip_crop"], tmp_path / "run2"))
