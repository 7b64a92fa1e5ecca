"""Maps that learn the same samples: SOMRL, those of other packages, and SOMRL's limit.

Every other package is used in its fastest form on a processor, through what it has public.
"""

import math
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib import import_module
from importlib.metadata import version
from io import StringIO
from typing import NamedTuple

import numpy as np
import torch

from dcsomrl.errors import shorten
from dcsomrl.maps import SOMRL
from dcsomrl.maps.nearest import CACHED
from experiments.map_speed_timing import Learn, Method, Samples, take_fastest

GROUPS, SPREAD = 20, 0.08
# Every sample lies nearer than this to every node.
REACHES_ALL = 0.01
# Samples that a package looks at together, where that is its user's choice.
BLOCKS = (256, 1024, 4096, 8192)
FEWEST = 4096
# After the last pass fastersom goes over the samples once more, to label them.
PASSES = 10


class Other(NamedTuple):
    """Another package.

    Attributes:
        module: its name in Python and on PyPI.
        make: its method, of samples, nodes and the batch.
        work: what it does with a sample, in one sentence.
    """

    module: str
    make: Callable[[Samples, int, int], Method]
    work: str


def make_samples(count: int, features: int) -> Samples:
    """Samples (count, features) in [0, 1] in groups, the same every time."""
    stream = np.random.default_rng(0)
    middles = stream.uniform(0.2, 0.8, (GROUPS, features))
    spread = SPREAD * stream.standard_normal((count, features))
    return (middles[stream.integers(GROUPS, size=count)] + spread).clip(0, 1).astype(np.float32)


def make_full_map(samples: Samples, nodes: int) -> SOMRL:
    """A map in training mode with a node on each of the first samples; none leaves, none comes."""
    som = SOMRL(samples.shape[1], nodes, REACHES_ALL, life_decay=0.0).train()
    som.centers.copy_(torch.from_numpy(samples[:nodes]))
    som.live.fill_(True)
    som.life.fill_(1.0)
    return som


def make_somrl(samples: Samples, nodes: int, batch: int) -> Method:
    """A step a batch."""
    som = make_full_map(samples, nodes)

    def learn(chunk: Samples) -> None:
        for part in torch.from_numpy(chunk).split(batch):
            som.learn_(part)

    return Method(learn, batch)


def make_limit(samples: Samples, nodes: int, batch: int) -> Method:
    """The two products of a step of SOMRL alone: distances to all nodes, and the sums of the pulls.

    The first is (batch, 2m) by (2m, nodes), of all rows at once or of as many as stay in the
    processor's cache, whichever is faster; the second (nodes, groups) by (groups, m), where a
    group is the samples of a batch that share a winner.
    """
    stream = torch.Generator().manual_seed(0)
    features = samples.shape[1]
    winners = make_full_map(samples, nodes).nearest(torch.from_numpy(samples[:batch]), 1)
    groups = len(winners.unique())
    doubled, factors, pulls, means = (
        torch.rand(shape, generator=stream)
        for shape in (
            (batch, 2 * features),
            (2 * features, nodes),
            (nodes, groups),
            (groups, features),
        )
    )
    distances, sums = torch.empty(batch, nodes), torch.empty(nodes, features)

    def multiply_by(rows: int) -> Learn:
        def multiply(chunk: Samples) -> None:
            for _ in range(len(chunk) // batch):
                for part in doubled.split(rows):
                    torch.mm(part, factors, out=distances[: len(part)])
                torch.mm(pulls, means, out=sums)

        return multiply

    rows = {batch, min(batch, max(CACHED // nodes, 32))}
    return Method(take_fastest(map(multiply_by, rows), samples[:batch]), batch)


def make_minisom(samples: Samples, nodes: int, batch: int) -> Method:
    """MiniSom, sample by sample in the order they have, in the precision that it keeps."""
    from minisom import MiniSom

    side = math.isqrt(nodes)
    som = MiniSom(side, side, samples.shape[1], random_seed=0)
    som.random_weights_init(samples)

    def learn(chunk: Samples) -> None:
        som.train(chunk.astype(np.float64), len(chunk))

    return Method(learn, 64)


def make_xpysom(samples: Samples, nodes: int, batch: int) -> Method:
    """XPySom, the fastest of several numbers of samples at once."""
    from xpysom import XPySom

    side = math.isqrt(nodes)

    def learn_by(block: int) -> Learn:
        # Under NumPy 2 its exponential decay turns the neighbourhood into float64.
        som = XPySom(
            side,
            side,
            samples.shape[1],
            sigma=0,  # half the side
            decay_function="linear",
            random_seed=0,
            n_parallel=block,
            xp=np,
        )
        som.random_weights_init(samples)
        return lambda chunk: som.train(chunk, 1)

    unit = min(FEWEST, len(samples))
    return Method(take_fastest(map(learn_by, BLOCKS), samples[:unit]), unit)


def make_torchsom(samples: Samples, nodes: int, batch: int) -> Method:
    """torchsom, a step a batch."""
    from torchsom import SOM

    side = math.isqrt(nodes)
    som = SOM(side, side, samples.shape[1], epochs=1, batch_size=batch, device="cpu")
    som.initialize_weights(torch.from_numpy(samples), mode="random")
    return Method(lambda chunk: som.fit(torch.from_numpy(chunk), verbose=False), batch)


def make_fastersom(samples: Samples, nodes: int, batch: int) -> Method:
    """fastersom, the fastest of several numbers of samples at once, several passes a fit."""
    from fastersom import SOM

    side = math.isqrt(nodes)

    def learn_by(block: int) -> Learn:
        som = SOM(side, side, n_epochs=PASSES, init=samples[:nodes], device="cpu", batch_size=block)
        return lambda chunk: som.fit(torch.from_numpy(chunk))

    unit = min(FEWEST, len(samples))
    return Method(take_fastest(map(learn_by, BLOCKS), samples[:unit]), unit, PASSES)


OTHERS = {
    "MiniSom": Other(
        "minisom",
        make_minisom,
        "moves all nodes after every single sample, in double precision, regardless of the batch "
        "size.",
    ),
    "XPySom": Other(
        "xpysom",
        make_xpysom,
        "sums the pulls of all samples on all nodes and moves the nodes once per pass, so the "
        "batch size only limits memory and the fastest one is taken.",
    ),
    "torchsom": Other(
        "torchsom",
        make_torchsom,
        "moves all nodes once per batch, and also measures the errors of the map on every batch.",
    ),
    "fastersom": Other(
        "fastersom",
        make_fastersom,
        "sums the samples by their winner and moves the nodes once per pass, so the batch size "
        f"only limits memory and the fastest one is taken; a fit of {PASSES} passes labels the "
        "samples once at its end.",
    ),
}
SOMRL_WORK = (
    "moves winners and their nearest nodes once per batch, learns relevances, and looks for nodes "
    "to add or remove."
)


def find_installed() -> tuple[dict[str, str], dict[str, str]]:
    """Versions of the other packages that can be imported, and why the others cannot."""
    versions, missing = {}, {}
    for name, other in OTHERS.items():
        try:
            with redirect_stdout(StringIO()):  # XPySom prints that there is no GPU package
                import_module(other.module)
            versions[name] = version(other.module)
        except ImportError as error:
            missing[name] = shorten(error)
    return versions, missing
