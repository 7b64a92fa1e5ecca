"""The settings of a map that are a choice."""

from typing import Literal

RepelMode = Literal["none", "signed", "proportional", "radial"]
NeighborhoodForm = Literal["product", "quotient"]
DistanceMode = Literal["drift", "spread"]
