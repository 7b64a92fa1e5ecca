"""Ranges of arguments, said once in annotations and held against whatever is given."""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pytest
import torch
from hydra.utils import get_object

from dcsomrl.configuration import compose_config, find_config_dir
from dcsomrl.errors import ConfigError
from dcsomrl.hints import check_arguments, describe, fits
from dcsomrl.kinds import RANGES, check_names, list_annotated
from dcsomrl.maps import SOMRL
from dcsomrl.ranges import (
    Count,
    Natural,
    NonNegative,
    Positive,
    Share,
    ShareAboveZero,
    ShareBelowOne,
    ShareBetween,
)
from tests.conftest import plain

INSIDE = {
    Natural: (0, 1, 2**63 - 1),
    Count: (1, 2**63 - 1),
    NonNegative: (0, 0.0, 1e308),
    Positive: (5e-324, 1),
    Share: (0, 1, 0.5),
    ShareAboveZero: (1e-9, 1),
    ShareBelowOne: (0, 0.999),
    ShareBetween: (1e-9, 0.999),
}
OUTSIDE = {
    Natural: (-1, 0.0, True, None, "1", 2**63),
    Count: (0, 1.5, [1]),
    NonNegative: (-1e-9, math.inf, math.nan),
    Positive: (0, -1, math.inf, math.nan),
    Share: (-0.1, 1.1, math.nan),
    ShareAboveZero: (0, 1.1),
    ShareBelowOne: (-0.1, 1),
    ShareBetween: (0, 1),
}


@pytest.mark.parametrize(("hint", "value"), [(h, v) for h, vs in INSIDE.items() for v in vs])
def test_numbers_at_the_ends_and_between_fit(hint, value):
    assert fits(value, hint)


@pytest.mark.parametrize(("hint", "value"), [(h, v) for h, vs in OUTSIDE.items() for v in vs])
def test_numbers_beyond_the_ends_and_what_is_no_number_do_not(hint, value):
    assert not fits(value, hint)


@pytest.mark.parametrize(
    ("value", "hint", "said"),
    [
        (0, Count, "at least 1"),
        ("a", Count, "a whole number of at least 1"),
        (0, Count | Literal[-1] | None, "at least 1, -1 or null"),
        (2, ShareBelowOne, "in [0, 1)"),
        (2, ShareBetween, "above 0 and below 1"),
        (-1, Positive | None, "above 0 and finite or null"),
        (None, NonNegative, "a number of at least 0 and finite"),
        ([0], Sequence[Count], "a list of whole numbers of at least 1"),
    ],
)
def test_a_range_is_said_in_words(value, hint, said):
    assert describe(value, hint) == said


@check_arguments
def make(width: Count, share: Share | None = None, mode: Literal["a", "b"] = "a") -> tuple:
    return width, share, mode


def test_numbers_of_numpy_and_torch_arrive_as_those_of_python():
    width, share, _ = make(np.int64(3), torch.tensor(0.5))
    assert (type(width), type(share)) == (int, float)
    assert (width, share) == (3, 0.5)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"width": 0}, "width must be at least 1, got 0"),
        ({"width": 1.0}, "width must be a whole number of at least 1, got 1.0"),
        ({"width": None}, "width must be a whole number of at least 1, got None"),
        ({"width": 1, "share": 2}, r"share must be in \[0, 1\] or `None`, got 2"),
        ({"width": 1, "mode": "c"}, "mode must be a or b, got 'c'"),
        ({"width": 1, "mode": None}, "mode must be a or b, got None"),
    ],
)
def test_an_argument_outside_its_range_is_named(given, said):
    with pytest.raises(ValueError, match=said):
        make(**given)


def test_a_call_that_lacks_an_argument_fails_as_python_says_it():
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'width'"):
        make()
    with pytest.raises(TypeError, match="unexpected keyword argument 'height'"):
        make(1, height=2)


def test_a_map_refuses_null_for_a_number():
    with pytest.raises(ValueError, match="max_nodes must be a whole number of at least 2"):
        SOMRL(5, max_nodes=None)


OPTIONS = (
    *(f"model={file.stem}" for file in sorted((find_config_dir() / "model").glob("*.yaml"))),
    *("autoencoder=conv", "autoencoder=resnet", "autoencoder=pooled_conv"),
    *("augmentation=shift_rotate_scale", "neighbors=nearest", "callbacks=history"),
    *("callbacks=refresh_neighbors", "callbacks=stop_collapsed"),
)
# For which -1 stands for no limit or all there are.
FREE = ("trainer.devices", "trainer.max_epochs", "trainer.num_sanity_val_steps")


@pytest.mark.parametrize("option", OPTIONS)
def test_every_number_in_the_configuration_has_a_range(option, tmp_path):
    cfg = plain(compose_config("train", [option], tmp_path))
    hints = {key: hint for key, _, hint in list_annotated(cfg)}
    for key, value in list_values(cfg):
        if isinstance(value, int | float) and not isinstance(value, bool):
            assert fits(value, hints[key]), key
            assert not fits(math.nan, hints[key]), key
            assert not fits(-1, hints[key]) or key in FREE, key


def list_values(node, prefix=""):
    for name, value in node.items():
        if isinstance(value, dict):
            yield from list_values(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


@pytest.mark.parametrize("key", RANGES)
def test_ranges_of_other_packages_are_of_arguments_that_they_take(key):
    made = {"trainer": "pytorch_lightning.Trainer", "model.optimizer": "torch.optim.SGD"}
    place, _, name = key.rpartition(".")
    assert name in get_object(made[place]).__init__.__annotations__


def test_a_setting_that_nothing_takes_is_refused_with_what_is_taken(tmp_path):
    cfg = compose_config("train", ["+dataset.source.columns=[a]"], tmp_path)
    with pytest.raises(ConfigError, match=r"dataset\.source\.columns is not a setting of digits"):
        check_names(cfg)
