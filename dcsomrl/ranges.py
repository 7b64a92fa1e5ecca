"""Ranges of numbers, as annotations: ``Count`` is a whole number of at least 1.

A class or function says by them what its arguments may be, once: :mod:`dcsomrl.kinds` reads them
before anything is made of a configuration, :func:`dcsomrl.hints.check_arguments` when it is called.
"""

import math
from dataclasses import dataclass
from typing import Annotated

# Above it torch takes no whole number.
MOST = 2**63 - 1


@dataclass(frozen=True)
class Range:
    """Numbers from one end to another.

    Attributes:
        low: the lower end.
        high: the upper end.
        above: whether the lower end itself is left out.
        below: whether the upper end itself is.
    """

    low: float
    high: float = MOST
    above: bool = False
    below: bool = False

    def __contains__(self, value: float) -> bool:
        reaches = value > self.low if self.above else value >= self.low
        return reaches and (value < self.high if self.below else value <= self.high)

    def __str__(self) -> str:
        if self.high == MOST:
            return f"at least {self.low}"
        if math.isinf(self.high):
            return f"{'above' if self.above else 'at least'} {self.low} and finite"
        if self.above and self.below:
            return f"above {self.low} and below {self.high}"
        ends = f"{'(' if self.above else '['}{self.low}, {self.high}{')' if self.below else ']'}"
        return f"in {ends}"


Natural = Annotated[int, Range(0)]
Count = Annotated[int, Range(1)]
Several = Annotated[int, Range(2)]
# What seeds a generator.
Seed = Annotated[int, Range(0, 2**32 - 1)]
NonNegative = Annotated[float, Range(0, math.inf, below=True)]
Positive = Annotated[float, Range(0, math.inf, above=True, below=True)]
# Of a whole, and the same without one of its ends or both.
Share = Annotated[float, Range(0, 1)]
ShareAboveZero = Annotated[float, Range(0, 1, above=True)]
ShareBelowOne = Annotated[float, Range(0, 1, below=True)]
ShareBetween = Annotated[float, Range(0, 1, above=True, below=True)]
