"""Timing in turns: what loads the machine meanwhile falls on everything that is timed alike."""

import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
Learn = Callable[[Samples], object]
Times = list[float]


class Method(NamedTuple):
    """A way to learn from samples.

    Attributes:
        learn: learns from samples (n, m).
        unit: the fewest samples that it is timed on.
        passes: how often one call goes over its samples.
    """

    learn: Learn
    unit: int
    passes: int = 1


def time_call(call: Callable[[], object]) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def time_in_turns(calls: Mapping[str, Callable[[int], object]], rounds: int) -> dict[str, Times]:
    """Seconds of every call; in every round each is made once, with the round's number."""
    seconds: dict[str, Times] = {name: [] for name in calls}
    for number in range(rounds):
        for name, call in calls.items():
            seconds[name].append(time_call(partial(call, number)))
    return seconds


def size_chunk(method: Method, samples: Samples, seconds: float) -> int:
    """How many samples a method learns from in about so many seconds, in whole units.

    Args:
        method: called twice on its smallest chunk, first to warm up.
        samples: (n, m), at least a unit.
        seconds: of one call; the smallest chunk may take longer.
    """
    smallest = samples[: method.unit]
    method.learn(smallest)
    units = int(seconds / time_call(partial(method.learn, smallest)))
    return method.unit * min(max(units, 1), len(samples) // method.unit)


def cut_chunk(samples: Samples, size: int, number: int) -> Samples:
    """The chunk (size, m) of a round; one follows the other, and then they begin anew."""
    start = size * (number % (len(samples) // size))
    return samples[start : start + size]


def take_fastest(candidates: Iterable[Learn], samples: Samples) -> Learn:
    """The one that learns fastest from samples (n, m), by the better of two calls after a first."""

    def try_out(learn: Learn) -> float:
        learn(samples)
        return min(time_call(partial(learn, samples)) for _ in range(2))

    return min(candidates, key=try_out)
