"""Whether samples are on the scale of the training's: bytes, or numbers of some range."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from dcsomrl.data.arrays import Arrays
from dcsomrl.data.notes import note
from dcsomrl.errors import DataError

log = logging.getLogger(__name__)

# Share of the values from which on it is worth a warning that they lie out of the training's range.
MUCH = 0.1

# How samples are taken: as they are, where the normalisation divides bytes, and bytes alone, by
# 255; other numbers divided by 255, too; bytes as the numbers that they are.
Reading = Literal["as they are", "by 255", "as numbers"]
MEANING: dict[Reading, str] = {
    "as they are": "are taken as bytes divided by 255",
    "by 255": "are divided by 255",
    "as numbers": "are taken as the numbers that they are",
}
# Pictures that reach this many times as far as the training's are on another scale. Vectors, whose
# features may have units of their own, must reach as many times as far again.
FACTOR = 10
PICTURE_DIMS = 4


@dataclass(frozen=True)
class Scale:
    """What raw samples are made of.

    Attributes:
        is_bytes: whether they are bytes.
        low: their least value; of a table with named columns one a column.
        high: their greatest, likewise.
        named: whether they are a table with named columns, each on a scale of its own.
    """

    is_bytes: bool
    low: list[float]
    high: list[float]
    named: bool = False

    @classmethod
    def of(cls, low: Tensor, high: Tensor, named: bool = False) -> "Scale":
        """From the least and the greatest value of every feature, each (*shape)."""
        low, high = (low, high) if named else (low.min()[None], high.max()[None])
        return cls(low.dtype == torch.uint8, low.double().tolist(), high.double().tolist(), named)

    def choose_reading(self, parts: Sequence[Tensor], origin: str) -> Reading:
        """How to take samples that are given after the training, by all that is given of them.

        Args:
            parts: the samples, each (n, *shape).
            origin: what messages call them.

        Raises:
            DataError: they are on another scale, or it cannot be told.
        """
        if self.named:
            if tuple(parts[0].shape[1:]) == (len(self.low),):  # another shape is refused elsewhere
                self._say_outside(parts, origin)
            return "as numbers"
        given = Scale(
            parts[0].dtype == torch.uint8,
            [min(float(x.min()) for x in parts)],
            [max(float(x.max()) for x in parts)],
        )
        reading = self._choose_reading(given, parts[0].ndim == PICTURE_DIMS, origin)
        return self._announce(given, reading, origin)

    def choose_file_reading(self, origin: str) -> Reading:
        """How to take image files, whose pixels go from 0 to 255 however dark they are."""
        if self.is_bytes:
            return "as they are"
        given = Scale(True, [0.0], [255.0])
        return self._announce(given, self._choose_reading(given, True, origin), origin)

    def _announce(self, given: "Scale", reading: Reading, origin: str) -> Reading:
        """The same, after a line where bytes are taken for numbers or numbers for bytes."""
        if given.is_bytes != self.is_bytes:
            log.info("%s: %s", origin, self.describe(given, reading))
        return reading

    def describe(self, given: "Scale", reading: Reading) -> str:
        """What samples of another scale are taken as, in words."""
        return f"{given._name_range()} {MEANING[reading]}; the training's were {self._name_range()}"

    def _choose_reading(self, given: "Scale", picture: bool, origin: str) -> Reading:
        low, high = given.low[0], given.high[0]
        reading: Reading = "as they are"
        remedy = "bring them to the scale of the training"
        if low == high == 0 or (self.is_bytes and given.is_bytes):
            sound = True
        elif self.is_bytes:
            # What bytes are brought to, too, unless they go to 1 themselves.
            in_unit = low >= 0 and high <= 1 < self.high[0]
            sound, reading = low >= 0 and high <= 255, reading if in_unit else "by 255"
        elif given.is_bytes and self._is_within(0, 1):
            sound, reading, remedy = high > 1, "by 255", "give them as floats in [0, 1]"
        elif given.is_bytes:
            sound, reading = self._is_within(0, 255) and high <= FACTOR * self._size, "as numbers"
        else:
            in_unit = self._is_within(0, 1) and low >= 0
            limit = (2 if in_unit else FACTOR) if picture else (FACTOR if in_unit else FACTOR**2)
            too_large = max(-low, high) > limit * self._size > 0
            # Numbers about 0 or up to 1, where the training's went from 0 up to many times as far.
            too_small = max(-low, high) <= 1 and self.low[0] >= 0 and self.high[0] >= FACTOR
            sound = not too_large and not too_small
        if not sound:
            raise DataError(
                f"{origin} holds {given._name_range()}, but the model was trained on "
                f"{self._name_range()}: {remedy}"
            )
        return reading

    def _say_outside(self, parts: Sequence[Tensor], origin: str) -> None:
        low, high = (torch.tensor(bound, dtype=torch.float64) for bound in (self.low, self.high))
        outside = sum(int(((x.double() < low) | (x.double() > high)).sum()) for x in parts)
        if outside:
            share = outside / sum(x.numel() for x in parts)
            log.log(
                logging.WARNING if share > MUCH else logging.INFO,
                "%s: %.1f%% of the values lie outside the range of their column in the training",
                origin,
                100 * share,
            )

    @property
    def _size(self) -> float:
        return max(-self.low[0], self.high[0])

    def _is_within(self, low: float, high: float) -> bool:
        return low <= self.low[0] and self.high[0] <= high

    def _name_range(self) -> str:
        kind = "bytes" if self.is_bytes else "numbers"
        return f"{kind} from {self.low[0]:g} to {self.high[0]:g}"


def unify_splits(arrays: Arrays, notes: list[str], origin: str) -> Arrays:
    """The same with splits of one kind, where one is bytes and the other the same as numbers.

    Both are bytes or both are numbers afterwards. Splits that are so already, and those on the
    disk, stay as they are.

    Args:
        arrays: of any source.
        notes: gets a sentence on a test split that is brought to the training's scale.
        origin: what messages call them.

    Raises:
        DataError: it is on another scale, or it cannot be told.
    """
    train, test = arrays.train_x, arrays.test_x
    if not isinstance(train, Tensor) or not isinstance(test, Tensor):
        return arrays
    if (train.dtype == torch.uint8) == (test.dtype == torch.uint8):
        return arrays
    learned, given = (Scale.of(*_find_bounds(x)) for x in (train, test))
    name = f"the test split of {origin}"
    reading = learned._choose_reading(given, test.ndim == PICTURE_DIMS, name)
    note(notes, f"{name}: {learned.describe(given, reading)}")
    if learned.is_bytes and reading == "by 255" and bool((test == test.round()).all()):
        return replace(arrays, test_x=test.to(torch.uint8))
    if learned.is_bytes:  # the test split holds what bytes cannot
        train = train.to(test.dtype) / 255
    test = test.to(train.dtype)
    return replace(arrays, train_x=train, test_x=test / 255 if reading == "by 255" else test)


def _find_bounds(x: Tensor) -> tuple[Tensor, Tensor]:
    """The least and the greatest number of samples (n, *shape) that is not missing, (1,) each."""
    values = x[~x.isnan()] if x.is_floating_point() else x
    values = values if values.numel() else torch.zeros(1)
    return values.min()[None], values.max()[None]


def take_as(reading: Reading, x: Tensor) -> Tensor:
    """Raw samples (batch, *shape) in a reading."""
    if reading == "by 255":
        return x.float() / 255
    return x.float() if reading == "as numbers" and x.dtype == torch.uint8 else x
