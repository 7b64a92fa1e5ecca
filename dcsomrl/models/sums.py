"""Sums of a training's losses over an epoch, by name."""

from collections.abc import Mapping

import torch
from torch import Tensor


class EpochSums:
    """Adds up what the steps of an epoch return, without waiting for the device.

    Part of a checkpoint, so that an epoch that is resumed in its middle reports the same means.
    """

    def __init__(self) -> None:
        self._names: tuple[str, ...] = ()
        self._sums = torch.zeros(1)  # of every name, and the number of steps

    def add(self, losses: Mapping[str, Tensor]) -> None:
        """Take in a step's losses, 0-d each; every step of an epoch has the same names."""
        values = [value.detach() for value in losses.values()]
        step = torch.stack([*values, torch.ones_like(values[0])])
        if self._names != tuple(losses) or self._sums.dtype != step.dtype:
            self._arrange(tuple(losses), step)
        # One kernel for all: a step on a GPU waits for the launches, not for the sums.
        self._sums += step

    def compute_means(self) -> dict[str, Tensor]:
        """Mean over the steps so far of every loss, 0-d each."""
        return dict(zip(self._names, self._sums[:-1] / self._sums[-1], strict=True))

    def find_not_finite(self) -> list[str]:
        """The losses that were not a number in some step so far; waits for the device."""
        finite = self._sums.isfinite().tolist()[:-1]
        return [name for name, is_one in zip(self._names, finite, strict=True) if not is_one]

    def clear(self) -> None:
        """Begin a new epoch."""
        self._sums.zero_()

    def state_dict(self) -> dict[str, float]:
        """The sums by name, ``steps`` their number; waits for the device."""
        return dict(zip((*self._names, "steps"), self._sums.tolist(), strict=True))

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Go on from kept sums."""
        self._names = tuple(name for name in state if name != "steps")
        # Doubles hold the sums of every precision; the next step says which one it is.
        values = [state[name] for name in (*self._names, "steps")]
        self._sums = torch.tensor(values, dtype=torch.float64)

    def _arrange(self, names: tuple[str, ...], step: Tensor) -> None:
        """Bring what is there into the order of the step's names, on its device."""
        kept = self.state_dict()
        self._names = names
        self._sums = step.new_tensor([kept.get(name, 0.0) for name in (*names, "steps")])
