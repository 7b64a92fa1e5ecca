"""The settings of a map: what each may be, and what is said when it is not."""

import math
from collections.abc import Callable
from typing import Literal, get_args

RepelMode = Literal["none", "signed", "proportional", "radial"]
NeighborhoodForm = Literal["product", "quotient"]
DistanceMode = Literal["drift", "spread"]

_CHOICES = {
    "repel_mode": get_args(RepelMode),
    "neighborhood_form": get_args(NeighborhoodForm),
    "distance_mode": get_args(DistanceMode),
}
_RANGES: dict[str, tuple[Callable[[float], bool], str]] = {
    "n_features": (lambda value: value >= 1, "at least 1"),
    "max_nodes": (lambda value: value >= 2, "at least 2"),
    "activation_threshold": (lambda value: 0 < value < 1, "between 0 and 1, both excluded"),
    "learning_rate": (lambda value: 0 < value <= 1, "in (0, 1]"),
    "relevance_rate": (lambda value: 0 <= value <= 1, "in [0, 1]"),
    "neighborhood_decay": (lambda value: 0 < value < math.inf, "above 0 and finite"),
    "repel_rate": (lambda value: 0 <= value < math.inf, "at least 0 and finite"),
    "relevance_smoothness": (lambda value: 0 < value < math.inf, "above 0 and finite"),
    "life_decay": (lambda value: 0 <= value <= 1, "in [0, 1]"),
    "radius": (lambda value: 0 < value < math.inf, "above 0 and finite"),
    "winner_rate": (lambda value: 0 < value <= 1, "in (0, 1]"),
    "neighbor_rate": (lambda value: 0 <= value <= 1, "in [0, 1]"),
    "lowest_share": (lambda value: 0 <= value <= 1, "in [0, 1]"),
    "age_wins": (lambda value: value >= 1, "at least 1"),
    "connection_threshold": (lambda value: value >= 0, "at least 0"),
}


def check_ranges(**settings: float) -> None:
    """Refuse a number outside its range.

    Raises:
        ValueError: names the setting, its range and its value.
    """
    for name, value in settings.items():
        valid, expected = _RANGES[name]
        if not valid(value):
            raise ValueError(f"{name} must be {expected}, got {value}")


def check_choices(**settings: str) -> None:
    """Refuse a choice that there is not.

    Raises:
        ValueError: names the setting, its choices and its value.
    """
    for name, value in settings.items():
        if value not in _CHOICES[name]:
            raise ValueError(f"{name} must be one of {', '.join(_CHOICES[name])}, got {value!r}")
